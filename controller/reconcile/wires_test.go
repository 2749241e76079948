package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// wires are the cables of a lab and the LLDP that goes over them: what is heard
// is reported as the agents of switches and hosts report it.
type wires struct {
	*lab
	switches, hosts []string
	ends            map[string]string // each end of a cable, such as "leaf1/Ethernet0", and the other one
}

// wire makes switches, by role, and Nodes for hosts. Their agents tell what they
// hear at once.
func (l *lab) wire(t *testing.T, spines, leaves, hosts int) *wires {
	t.Helper()
	w := &wires{lab: l, ends: map[string]string{}}
	add := func(name string, role v1alpha1.SwitchRole) {
		l.join(t, name, v1alpha1.SwitchSpec{Role: role})
		w.switches = append(w.switches, name)
	}
	for i := range spines {
		add(fmt.Sprintf("spine%d", i+1), v1alpha1.RoleSpine)
	}
	for i := range leaves {
		add(fmt.Sprintf("leaf%d", i+1), v1alpha1.RoleLeaf)
	}
	for i := range hosts {
		name := fmt.Sprintf("host%d", i+1)
		l.create(t, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}}})
		w.hosts = append(w.hosts, name)
	}
	w.tell(t)
	return w
}

// cabled is a Fabric with ASNs, too, and a time of grace that no test waits for.
func cabled() *v1alpha1.Fabric {
	f := fabric()
	f.Spec.Pools.ASN = &v1alpha1.ASNPool{Ranges: []v1alpha1.ASNRange{{First: 4200000000, Last: 4200000999}}}
	f.Spec.LLDP.WithdrawAfter = &metav1.Duration{Duration: time.Hour}
	return f
}

// plug puts cables in, such as "host1/eth0 leaf1/Ethernet0", and has it told.
// What was in these ports before is pulled.
func (w *wires) plug(t *testing.T, cables ...string) {
	t.Helper()
	for _, c := range cables {
		ends := strings.Fields(c)
		w.pull(ends...)
		w.ends[ends[0]], w.ends[ends[1]] = ends[1], ends[0]
	}
	w.tell(t)
}

// pull takes the cables out of some ports.
func (w *wires) pull(ends ...string) {
	for _, e := range ends {
		delete(w.ends, w.ends[e])
		delete(w.ends, e)
	}
}

// tell has all agents report.
func (w *wires) tell(t *testing.T) {
	t.Helper()
	for i, name := range w.switches {
		w.report(t, name, v1alpha1.SwitchStatus{
			Ports: ports(), ForeignVLANs: []int32{150}, MAC: mac(i), ChassisID: mac(i), SystemName: name, Neighbors: w.heardBy(name),
		})
	}
	for _, name := range w.hosts {
		status := v1alpha1.HostStatus{
			NICs: []v1alpha1.HostNIC{{Name: "eth0", Up: true}, {Name: "eth1", Up: true}}, SystemName: name, ChassisID: name, Neighbors: w.heardBy(name),
		}
		rbactest.Eventually(t, func() error { // the controller makes it
			return applyStatus(t.Context(), w.Client, &v1alpha1.Host{}, "Host", name, status)
		})
	}
}

func mac(i int) string { return fmt.Sprintf("52:54:00:00:00:%02x", i) }

// heardBy is what a system hears.
func (w *wires) heardBy(name string) []v1alpha1.LLDPNeighbor {
	var out []v1alpha1.LLDPNeighbor
	for at, from := range w.ends {
		if port, ok := strings.CutPrefix(at, name+"/"); ok {
			n := w.sentFrom(from)
			n.Port = port
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b v1alpha1.LLDPNeighbor) int { return strings.Compare(a.Port, b.Port) })
	return out
}

// sentFrom is what is sent from an end. A name with a tilde, such as "host1~", is
// another machine that has that name.
func (w *wires) sentFrom(end string) v1alpha1.LLDPNeighbor {
	name, port, _ := strings.Cut(end, "/")
	name = strings.TrimSuffix(name, "~")
	n := v1alpha1.LLDPNeighbor{
		ChassisIDSubtype: v1alpha1.ChassisLocal, ChassisID: name, PortIDSubtype: v1alpha1.PortInterfaceName, PortID: port, SystemName: name,
	}
	if i := slices.Index(w.switches, name); i >= 0 {
		n.ChassisIDSubtype, n.ChassisID, n.PortIDSubtype = v1alpha1.ChassisMACAddress, mac(i), v1alpha1.PortLocal
	}
	return n
}

// state waits until a Link between two ends has a state.
func (w *wires) state(t *testing.T, a, b string, want v1alpha1.LinkState) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		var list v1alpha1.LinkList
		if err := w.List(t.Context(), &list); err != nil {
			return err
		}
		is := v1alpha1.LinkState("not there")
		for _, l := range list.Items {
			if len(l.Status.Ends) == 2 && l.Status.Ends[0].String() == a && l.Status.Ends[1].String() == b {
				is = l.Status.State
			}
		}
		if is != want && (want != "" || is != "not there") {
			return fmt.Errorf("the link %s %s is %s, want %q", a, b, is, want)
		}
		return nil
	})
}

// attachHosts makes an attachment of a subnet to the hosts with a label.
func attachHosts(name, subnet, label string, nics ...string) *v1alpha1.VPCAttachment {
	a := attach(name, subnet, "")
	a.Spec.Port = v1alpha1.PortReference{}
	key, value, _ := strings.Cut(label, "=")
	a.Spec.Hosts = &v1alpha1.HostSelection{Selector: metav1.LabelSelector{MatchLabels: map[string]string{key: value}}, NICs: nics}
	return a
}

// carries waits until the ports of a switch that carry any VLAN are these.
func (w *wires) carries(t *testing.T, name string, want ...string) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		got := []string{}
		for _, s := range w.spec(t, name).Segments {
			for _, p := range s.Ports {
				got = append(got, p.Name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("%s carries VLANs on %q, want %q", name, got, want)
		}
		return nil
	})
}

// spec is what a switch is given; nothing as long as it has no SwitchConfig.
func (l *lab) spec(t *testing.T, name string) v1alpha1.SwitchConfigSpec {
	t.Helper()
	config := v1alpha1.SwitchConfig{}
	if err := l.Get(t.Context(), client.ObjectKey{Name: name}, &config); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	return config.Spec
}

// generations are those of all SwitchConfigs.
func (w *wires) generations(t *testing.T) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for _, name := range w.switches {
		out[name] = w.config(t, name).Generation
	}
	return out
}
