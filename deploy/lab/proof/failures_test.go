package proof_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// The bounds of how long a flow may stop.
const (
	// resolution is the time between two packets of a flow: one packet may be lost
	// although the way was away for no time at all.
	resolution = time.Second / rate
	rate       = 10
	// carrier: both ends of a cable that is cut see it at once, and have another way.
	// What remains is the time in which FRR tells the kernel.
	carrier = time.Second
	// hold is BGP's hold time in the underlay: as long may a silent neighbour be
	// believed in (RFC 4271, section 6.5).
	hold = 9 * time.Second
	// reconnect is FRR's pause between attempts to connect, and restart what this lab
	// takes to start a daemon again.
	reconnect = 10 * time.Second
	restart   = 5 * time.Second
	// retry is the longest pause of an agent that has lost its Redis.
	retry = 5 * time.Second
	// follow is how soon the VLANs follow a cable: LLDP's interval in a lab, and the
	// reaction to it.
	followed = 3*time.Second + 2*time.Second
)

// failure is something that breaks, or is made whole again.
type failure struct {
	name string
	do   func()
	// spared says of which flows nothing is expected; nil for none.
	spared func(from, to *matrix.Endpoint) bool
	// bound of the longest time without a packet, and why.
	bound time.Duration
	why   string
}

// outcome is what it did to the flows.
type outcome struct {
	failure
	flows, hit   int
	p50, longest time.Duration // of those that were hit
	recovered    time.Duration // since it broke until the last packet was lost
	spared       int
}

// Four endpoints of one VPC at two leaves send to each other, by Ethernet and through the
// gateways, while things break. There are two spines.
func TestFailures(t *testing.T) {
	r := start(t, []string{"--spines", "2", "--leaves", "2", "--hosts", "4"}, nil)
	endpoints := r.senders()
	var table []outcome
	only, err := regexp.Compile(*said.failure)
	r.ok(err)
	for _, f := range r.failures() {
		if !only.MatchString(f.name) {
			continue
		}
		o := r.measure(f, endpoints)
		table = append(table, o)
		t.Logf("%s %s: %d of %d flows interrupted, longest %v p50, %v max, over after %v", time.Now().Format(time.TimeOnly), o.name, o.hit, o.flows, o.p50, o.longest, o.recovered)
		if o.longest > o.bound+resolution {
			t.Errorf("%s: a flow stopped for %v, want at most %v: %s", o.name, o.longest, o.bound+resolution, o.why)
		}
	}
	t.Log("\n" + show(table))
	r.check(r.ready(len(endpoints)))
	r.content()
}

// senders are a host of blue/web and one of blue/db at each leaf.
func (r *rig) senders() []matrix.Endpoint {
	r.Helper()
	r.clear()
	for host, place := range map[string]string{"host1": "left", "host2": "right", "host3": "left", "host4": "right"} {
		r.label(host, map[string]string{"web": "no", "db": "no"})
		r.label(host, map[string]string{map[bool]string{true: "web", false: "db"}[host < "host3"]: place})
	}
	r.apply(
		vpc("blue", dual("web", 1), dual("db", 2)),
		attach("web-left", "blue", "web", "web=left", v1alpha1.ModeTagged, "eth1"),
		attach("web-right", "blue", "web", "web=right", v1alpha1.ModeTagged, "eth2"),
		attach("db-left", "blue", "db", "db=left", v1alpha1.ModeNative, "eth1"),
		attach("db-right", "blue", "db", "db=right", v1alpha1.ModeNative, "eth2"),
	)
	endpoints := r.ready(4)
	r.set("failures", endpoints)
	r.check(endpoints)
	return endpoints
}

// failures in the order in which they are tried: each is over before the next.
func (r *rig) failures() []failure {
	uplink := cabling.End{Node: "leaf1", Port: "Ethernet120"}
	var spine, leaf []cabling.End
	for n := range 2 {
		spine = append(spine, cabling.End{Node: "spine1", Port: fmt.Sprintf("Ethernet%d", 4*n)})
		leaf = append(leaf, cabling.End{Node: fmt.Sprintf("spine%d", n+1), Port: "Ethernet4"})
	}
	var nics []cabling.End
	for n := range 4 { // the switch's ends: a host that loses a carrier keeps its addresses
		nics = append(nics, cabling.End{Node: "leaf2", Port: fmt.Sprintf("Ethernet%d", 4*n)})
	}
	leaf2 := func(from, to *matrix.Endpoint) bool { return from.Switch == "leaf2" || to.Switch == "leaf2" }
	return []failure{
		{name: "cable leaf1–spine1 cut", do: func() { r.links(false, uplink) }, bound: carrier, why: "both ends see the carrier go, and the other spine is there"},
		{name: "… plugged in", do: func() { r.links(true, uplink) }, bound: carrier, why: "a way is used when BGP has announced it"},
		{name: "spine1 down", do: func() { r.links(false, spine...) }, bound: carrier, why: "its neighbours see the carrier go"},
		{name: "… up", do: func() { r.links(true, spine...) }, bound: carrier, why: "a way is used when BGP has announced it"},
		{name: "leaf2 down", do: func() { r.links(false, append(leaf, nics...)...) }, spared: leaf2, why: "who is not cabled to it needs it not"},
		{name: "… up", do: func() { r.links(true, append(leaf, nics...)...) }, bound: reconnect + hold, why: "BGP connects anew; hosts at it were cut off"},
		{name: "all agents killed", do: func() { r.signal("agent", r.switches...) }, why: "the agent forwards nothing"},
		{name: "API server away 20 s, agents killed", do: r.alone, why: "the switch keeps its network by itself"},
		{name: "bgpd of leaf1 killed", do: func() { r.signal("bgpd", "leaf1") }, bound: restart + reconnect + hold, why: "SONiC ends its bgp container when one of the daemons in it does; they are started and connect again"},
		{name: "zebra of leaf1 killed", do: func() { r.signal("zebra", "leaf1") }, bound: restart + reconnect + hold, why: "as bgpd"},
		{name: "Redis of leaf1 restarted", do: func() { r.signal("redis-server", "leaf1") }, bound: 2*restart + retry + reconnect + hold, why: "SONiC's daemons begin anew with what config_db.json has, and so does FRR"},
		{name: "config reload of leaf1", do: func() { r.reload("leaf1") }, bound: 2*restart + retry + reconnect + hold, why: "as the restart of Redis"},
		{name: "host1/eth1 moved to leaf2", do: func() { r.move("host1/eth1", "leaf2/Ethernet40") }, bound: followed, why: "LLDP has to hear the new port"},
		{name: "… and back", do: func() { r.move("host1/eth1", "leaf1/Ethernet0") }, bound: followed, why: "LLDP has to hear the new port"},
	}
}

// links switches links on or off.
func (r *rig) links(up bool, ends ...cabling.End) {
	r.Helper()
	for _, end := range ends {
		r.ok(r.rack.SetLink(r.Context(), end, up))
	}
}

// signal kills a program on nodes; they start it again.
func (r *rig) signal(program string, nodes ...string) {
	r.Helper()
	for _, n := range nodes {
		r.ok(r.rack.Node(n).Signal(r.Context(), program, "KILL"))
	}
}

// alone cuts all switches off from the API server, kills their agents, which find nobody
// when they start again, and connects them again.
func (r *rig) alone() {
	r.Helper()
	var all []cabling.End
	for _, name := range r.switches {
		all = append(all, cabling.End{Node: name, Port: "eth0"})
	}
	r.links(false, all...)
	pause(r.Context(), 5*time.Second)
	r.signal("agent", r.switches...)
	pause(r.Context(), 15*time.Second)
	r.links(true, all...)
}

// reload is `config reload` as far as CONFIG_DB goes: it is emptied and loaded again.
func (r *rig) reload(name string) {
	r.Helper()
	r.ok(reload(r.Context(), r.lab.Socket(name), r.lab.NodeDir(name)))
}

// move moves a cable.
func (r *rig) move(nic, port string) {
	r.Helper()
	from, err := cabling.ParseEnd(nic)
	r.ok(err)
	to, err := cabling.ParseEnd(port)
	r.ok(err)
	r.ok(r.rack.Change(r.Context(), "move", from, to))
}

// clock is what time it is where packets are sent: inside of a slow User-Mode Linux that
// may be another.
func (r *rig) clock() time.Time {
	r.Helper()
	report, err := r.matrix.Report(r.Context())
	r.ok(err)
	return report.Since.Add(time.Duration(report.Seconds * float64(time.Second)))
}

const (
	// calm is how long nothing may be lost until all is thought to be over.
	calm = 3 * time.Second
	// limit is how long that may take.
	limit = time.Minute
)

// measure watches the flows while something breaks and until it is over.
func (r *rig) measure(f failure, endpoints []matrix.Endpoint) outcome {
	r.Helper()
	at := map[matrix.ID]*matrix.Endpoint{}
	for i := range endpoints {
		at[endpoints[i].ID()] = &endpoints[i]
	}
	counts := func(flow watch.Flow) bool {
		return !flow.Ended && (f.spared == nil || !f.spared(at[flow.Pair.From], at[flow.Pair.To]))
	}
	r.ok(r.matrix.Watch(r.Context(), serve.WatchRequest{Rate: rate, ForbiddenRate: 1}))
	r.confirmed()
	whole := !strings.HasPrefix(f.name, "…") // else what broke before is still broken
	r.calm("before: "+f.name, func(watch.Flow) bool { return whole }, time.Second)
	follower := r.follow(endpoints)
	begin := r.clock()
	f.do()
	r.calm(f.name, counts, calm)
	follower.stop(r)
	report, err := r.matrix.Stop(r.Context())
	r.ok(err)
	r.leakless(report)
	return judge(f, report, begin, counts)
}

// calm waits until flows have lost nothing for a while, and something came through each.
// It fails, and goes on, if that is not so in time.
func (r *rig) calm(what string, counts func(watch.Flow) bool, quiet time.Duration) {
	r.Helper()
	err := r.matrix.Calm(r.Context(), quiet, limit, counts)
	if errors.Is(err, serve.ErrRestless) {
		r.Errorf("%s: %v", what, err)
		return
	}
	r.ok(err)
}

// judge sums a report up.
func judge(f failure, report watch.Report, begin time.Time, counts func(watch.Flow) bool) outcome {
	o := outcome{failure: f}
	var gaps []time.Duration
	for _, flow := range report.Flows {
		if !counts(flow) {
			o.spared++
			continue
		}
		o.flows++
		// A flow through which nothing could come before has no gap, but a beginning.
		first := report.Since.Add(time.Duration(flow.WaitedMS * float64(time.Millisecond)))
		o.recovered = max(o.recovered, first.Sub(begin).Round(time.Millisecond))
		if flow.Lost == 0 {
			continue
		}
		gap := time.Duration(flow.Longest.MS * float64(time.Millisecond))
		gaps = append(gaps, gap.Round(time.Millisecond))
		o.recovered = max(o.recovered, flow.Longest.At.Add(gap).Sub(begin).Round(time.Millisecond))
	}
	slices.Sort(gaps)
	if o.hit = len(gaps); o.hit > 0 {
		o.p50, o.longest = gaps[len(gaps)/2], gaps[len(gaps)-1]
	}
	return o
}

// show is the table of what was measured.
func show(table []outcome) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| What\t| Flows\t| interrupted\t| p50\t| longest\t| over after\t| bound\t|")
	fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, o := range table {
		fmt.Fprintf(w, "| %s\t| %d\t| %d\t| %v\t| %v\t| %v\t| %v\t|\n", o.name, o.flows, o.hit, o.p50, o.longest, o.recovered, o.bound)
	}
	w.Flush() // to memory
	return text.String()
}
