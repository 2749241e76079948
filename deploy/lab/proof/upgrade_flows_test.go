package proof_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// tenants makes a subnet for hosts that are cabled to two leaves and use both, web, and
// one for hosts that use one leaf only, db, and returns who is in them. Hosts of odd
// numbers are of the first kind.
func (r *rig) tenants() []matrix.Endpoint {
	r.Helper()
	for n, host := range r.names() {
		kind := map[string]string{"home": "dual"}
		if n%2 == 1 {
			kind["home"] = "single"
		}
		r.label(host, kind)
	}
	r.apply(
		vpc("blue", dual("web", 1), dual("db", 2)),
		attach("web", "blue", "web", "home=dual", v1alpha1.ModeTagged),
		attach("db", "blue", "db", "home=single", v1alpha1.ModeTagged, "eth1"),
	)
	hosts := len(r.names())
	endpoints := bonded(r.ready((hosts+1)/2*2 + hosts/2))
	r.set("upgrade", endpoints)
	r.check(endpoints)
	return endpoints
}

// bonded are endpoints of which those of one host and subnet are one at two NICs.
func bonded(all []matrix.Endpoint) []matrix.Endpoint {
	var out []matrix.Endpoint
	for _, e := range all {
		i := slices.IndexFunc(out, func(have matrix.Endpoint) bool { return have.Host == e.Host && have.Segment() == e.Segment() })
		if i < 0 {
			out = append(out, e)
			continue
		}
		out[i].Second = matrix.Wire{NIC: e.NIC, VLAN: e.VLAN}
	}
	return out
}

// journal follows a release and the flows meanwhile, until it is stopped.
type journal struct {
	r     *rig
	begin time.Time
	end   chan struct{}
	done  sync.WaitGroup

	at     map[string]v1alpha1.SwitchPhase // by switch
	phases []begun

	killing func(v1alpha1.ReleaseSwitchStatus) // nil for nothing
	killed  int
}

// begun is a phase of a switch, and when it was seen first.
type begun struct {
	at    time.Time
	name  string
	phase v1alpha1.SwitchPhase
}

// kind says of an endpoint how its host is cabled.
func kind(e *matrix.Endpoint) string {
	if e.Second.NIC != "" {
		return "dual"
	}
	return "single"
}

// journal begins a watch of the flows and of the release.
func (r *rig) journal() *journal {
	r.Helper()
	r.ok(r.matrix.Watch(r.Context(), serve.WatchRequest{Rate: rate, ForbiddenRate: 1}))
	r.calm("before the release", func(watch.Flow) bool { return true }, time.Second)
	j := &journal{r: r, begin: time.Now(), end: make(chan struct{}), at: map[string]v1alpha1.SwitchPhase{}}
	j.done.Go(func() {
		for {
			select {
			case <-j.end:
				return
			case <-time.After(250 * time.Millisecond):
				j.look()
			}
		}
	})
	return j
}

// look notes which phases have begun.
func (j *journal) look() {
	if j.r.Context().Err() != nil {
		return
	}
	for _, s := range j.r.release().Status.Switches {
		if j.at[s.Name] == s.Phase {
			continue
		}
		j.at[s.Name] = s.Phase
		j.phases = append(j.phases, begun{time.Now(), s.Name, s.Phase})
		j.r.Logf("%6.1f s %s: %s %s %s", time.Since(j.begin).Seconds(), s.Name, s.Phase, s.Reason, s.Message)
		if j.killing != nil {
			j.killing(s)
		}
	}
}

// during is what was done to which switch at a moment.
func (j *journal) during(at time.Time) string {
	now := map[string]string{}
	for _, b := range j.phases {
		switch {
		case b.at.After(at):
		case b.phase == v1alpha1.SwitchWaiting || b.phase == v1alpha1.SwitchCurrent || b.phase == v1alpha1.SwitchRolledBack:
			delete(now, b.name)
		default:
			now[b.name] = b.name + " " + string(b.phase)
		}
	}
	return strings.Join(slices.Sorted(maps.Values(now)), ", ")
}

// stop ends it and returns what the flows lost.
func (j *journal) stop(endpoints []matrix.Endpoint) watch.Report {
	j.r.Helper()
	j.r.calm("after the release", func(watch.Flow) bool { return true }, calm)
	close(j.end)
	j.done.Wait()
	report, err := j.r.matrix.Stop(j.r.Context())
	j.r.ok(err)
	j.r.leakless(report)
	j.r.Log("\n" + j.table(endpoints, report))
	return report
}

// table is what each flow lost in all, and what was done when its longest gap began.
func (j *journal) table(endpoints []matrix.Endpoint, report watch.Report) string {
	at := map[matrix.ID]*matrix.Endpoint{}
	for i := range endpoints {
		at[endpoints[i].ID()] = &endpoints[i]
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| From\t| to\t| homes\t| \t| sent\t| lost\t| longest\t| while\t|\n|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, f := range report.Flows {
		family := map[bool]string{false: "IPv4", true: "IPv6"}[f.IPv6]
		homes := kind(at[f.Pair.From]) + "–" + kind(at[f.Pair.To])
		fmt.Fprintf(w, "| %s\t| %s\t| %s\t| %s\t| %d\t| %d\t| %v\t| %s\t|\n",
			f.From, f.To, homes, family, f.Sent, f.Lost, gap(f).Round(time.Millisecond), j.during(f.Longest.At))
	}
	w.Flush() // to memory
	return text.String()
}

// gap is the longest time without a packet.
func gap(f watch.Flow) time.Duration { return time.Duration(f.Longest.MS * float64(time.Millisecond)) }
