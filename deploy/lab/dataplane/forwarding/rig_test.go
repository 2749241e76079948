package forwarding

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/dataplane"
	"github.com/switchlet/switchlet/deploy/lab/frrtest"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/patch"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/frr"
	"github.com/switchlet/switchlet/sonic/redis"
)

// fabric is switches and hosts with cables.
type fabric struct {
	testing.TB
	panel    *patch.Panel
	switches map[string]*device
	hosts    map[string]*host
}

// device is a switch.
type device struct {
	t         testing.TB
	name      string
	number    int
	namespace string
	box       *box.Box
	plane     *dataplane.Plane
	log       *journal
	release   frrtest.Release
	frr       *router
	session   *frr.Session
	owned     sonic.Ledger // rows that were written
	said      frr.Tree     // to FRR
}

// newFabric makes switches and hosts, with cables from each leaf to each spine at
// the ports that cables of the lab are at: Ethernet108 and downwards on a leaf.
func newFabric(t testing.TB, release frrtest.Release, leaves, spines int, hosts ...string) *fabric {
	t.Helper()
	f := &fabric{TB: t, switches: map[string]*device{}, hosts: map[string]*host{}}
	var places []patch.Place
	number := 0
	for _, kind := range []struct {
		name string
		n    int
	}{{"leaf", leaves}, {"spine", spines}} {
		for i := range kind.n {
			number++
			d := &device{t: t, release: release.Only("mgmtd", "zebra", "bgpd"), name: fmt.Sprintf("%s%d", kind.name, i+1), number: number, namespace: nettest.Namespace(t), owned: sonic.Ledger{}}
			nettest.Management(t, d.namespace, byte(number))
			d.log = &journal{TB: prefixed{t, d.name}}
			f.switches[d.name] = d
			places = append(places, patch.Place{Name: d.name, Namespace: d.namespace})
		}
	}
	for _, name := range hosts {
		h := &host{TB: t, name: name, namespace: nettest.Namespace(t)}
		f.hosts[name] = h
		places = append(places, patch.Place{Name: name, Namespace: h.namespace, Host: true})
	}
	panel, err := patch.Open(nettest.Namespace(t), places)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(panel.Close)
	f.panel = panel
	for _, name := range hosts {
		f.must(panel.AddNIC(end(name, "eth1")))
	}
	for leaf := range leaves {
		for spine := range spines {
			f.must(panel.Wire(cabling.New(
				end(fmt.Sprintf("leaf%d", leaf+1), uplink(spine)), end(fmt.Sprintf("spine%d", spine+1), fmt.Sprintf("Ethernet%d", 4*leaf)))))
		}
	}
	var group errgroup.Group
	for _, d := range f.switches {
		group.Go(func() error { return d.start() })
	}
	f.must(group.Wait())
	for _, d := range f.switches {
		t.Cleanup(d.stop)
	}
	return f
}

func uplink(spine int) string { return fmt.Sprintf("Ethernet%d", 108-4*spine) }

func end(node, port string) cabling.End { return cabling.End{Node: node, Port: port} }

func (f *fabric) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (d *device) start() (err error) {
	d.plane, err = dataplane.Open(dataplane.Config{Namespace: d.namespace, MAC: box.MAC(d.number), Log: slog.New(d.log)})
	if err != nil {
		return err
	}
	d.t.Cleanup(func() {
		if err := d.plane.Close(); err != nil {
			d.t.Error(err)
		}
	})
	d.box = labtest.Box(d.t, box.Config{Name: d.name, Number: d.number, Plane: d.plane, DaemonsLog: slog.New(d.log)})
	d.frr = &router{d.release.Start(d.t, d.namespace)}
	d.session = frr.NewSession(frr.Sockets{Dir: d.frr.Dir}, slog.New(slog.DiscardHandler))
	return nil
}

func (d *device) stop() {
	if d.t.Failed() {
		d.t.Logf("%s:", d.name)
		d.frr.show(d.t)
		d.showKernel()
	}
}

// showKernel logs what the kernel of a switch has.
func (d *device) showKernel() {
	for _, line := range []string{
		"ip neigh show nud all", "bridge fdb show", "ip route show table all", "ip -d nexthop show", "ip rule",
	} {
		words := strings.Fields(line)
		var text []byte
		nettest.In(d.t, d.namespace, func() (err error) {
			text, err = exec.Command(words[0], words[1:]...).CombinedOutput()
			return err
		})
		d.t.Logf("%s: %s:\n%s", d.name, line, text)
	}
}

// configure gives a switch the rows and statements that the agent renders of a
// spec: the rows first.
func (d *device) configure(spec *v1alpha1.SwitchConfigSpec) error {
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	rows, tree, err := d.render(spec)
	if err == nil {
		err = d.write(ctx, rows)
	}
	if err == nil {
		err = d.say(ctx, tree)
	}
	return err
}

// withdraw is configure where something is to go: from FRR first.
func (d *device) withdraw(spec *v1alpha1.SwitchConfigSpec) error {
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	rows, tree, err := d.render(spec)
	if err == nil {
		err = d.say(ctx, tree)
	}
	if err == nil {
		err = d.write(ctx, rows)
	}
	return err
}

// render is what the agent does of a spec.
func (d *device) render(spec *v1alpha1.SwitchConfigSpec) (sonic.DB, frr.Tree, error) {
	agent := render.Box{Name: d.name, Gateway: v1alpha1.GatewayMACAddress}
	wanted, err := render.Render(spec, agent)
	if err != nil {
		return nil, nil, err
	}
	config, err := render.BGP(spec, agent, func(*v1alpha1.VRFConfig) bool { return true })
	if err != nil {
		return nil, nil, err
	}
	tree, problems := frr.Build(config)
	if len(wanted.Problems)+len(problems) > 0 {
		return nil, nil, fmt.Errorf("%s: %v, %v", d.name, wanted.Problems, problems)
	}
	return wanted.Rows, tree, nil
}

// say gives FRR its statements.
func (d *device) say(ctx context.Context, tree frr.Tree) error {
	result, err := d.session.Apply(ctx, tree, d.said, func(owned frr.Tree) error { d.said = owned; return nil })
	if err == nil && len(result.Refused)+len(result.Conflicts) > 0 {
		err = fmt.Errorf("%s: FRR refused %v, conflicts %v", d.name, result.Refused, result.Conflicts)
	}
	d.said = result.Owned
	return err
}

// restartFRR starts FRR anew, without a configuration.
func (d *device) restartFRR() {
	d.frr.StopAll(d.t)
	d.frr = &router{d.release.Start(d.t, d.namespace)}
	d.session, d.said = frr.NewSession(frr.Sockets{Dir: d.frr.Dir}, slog.New(slog.DiscardHandler)), nil
}

// write writes rows stage by stage, as the agent does.
func (d *device) write(ctx context.Context, want sonic.DB) error {
	have, err := d.have(ctx)
	if err != nil {
		return err
	}
	databases, err := redis.ReadConfig(d.box.DatabaseConfig())
	if err != nil {
		return err
	}
	client := redis.NewClient(databases[redis.ConfigDB])
	defer client.Close()
	plan := sonic.Diff(have, want, d.owned)
	for _, c := range plan.Conflicts {
		return fmt.Errorf("%s: %+v", d.name, c)
	}
	for _, stage := range plan.Stages {
		if err := errors.Join(client.Apply(ctx, stage.Commands), d.box.Daemons().Quiet(ctx)); err != nil {
			return err
		}
	}
	d.owned.Apply(plan)
	return nil
}

// have is the CONFIG_DB of a switch.
func (d *device) have(ctx context.Context) (sonic.DB, error) {
	rows, err := d.box.Snapshot(ctx)
	db := sonic.DB{}
	for name, row := range rows {
		key, ok := sonic.ParseKey(name)
		if !ok {
			return nil, fmt.Errorf("%q is no key", name)
		}
		var pairs []string
		for field, value := range row {
			if field != "NULL" {
				pairs = append(pairs, field, value)
			}
		}
		db[key] = sonic.NewFields(pairs...)
	}
	return db, err
}

// plug plugs a cable in: plug("blue1/eth1", "leaf1/Ethernet0").
func (f *fabric) plug(a, b string) {
	f.Helper()
	from, err1 := cabling.ParseEnd(a)
	to, err2 := cabling.ParseEnd(b)
	f.must(errors.Join(err1, err2, f.panel.Plug(from, to)))
}

// unplug pulls the cable at an end.
func (f *fabric) unplug(at string) {
	f.Helper()
	e, err := cabling.ParseEnd(at)
	f.must(err)
	f.must(f.panel.Pull(e))
}

// replug plugs a cable between switches back in.
func (f *fabric) replug(at string) {
	f.Helper()
	e, err := cabling.ParseEnd(at)
	f.must(err)
	for spine := range 2 {
		if e.Port == uplink(spine) {
			var leaf int
			_, err := fmt.Sscanf(e.Node, "leaf%d", &leaf)
			f.must(err)
			f.must(f.panel.Plug(e, end(fmt.Sprintf("spine%d", spine+1), fmt.Sprintf("Ethernet%d", 4*(leaf-1)))))
		}
	}
}

// prefixed logs with a switch's name.
type prefixed struct {
	testing.TB
	name string
}

func (p prefixed) Log(args ...any) { p.TB.Log(append([]any{p.name}, args...)...) }
