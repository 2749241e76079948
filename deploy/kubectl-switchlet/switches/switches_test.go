package switches

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// The commands work here on a real API server, with the rights of the network team.
func TestCommands(t *testing.T) {
	cluster := rbactest.Start(t, controlplane.Config{})
	admin := cluster.Admin(t)
	for _, o := range []client.Object{
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "network-team"},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "switchlet-network-team"},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "network-team"}}},
		&v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}},
		&v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf2"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}},
		carries("leaf1", "Ethernet0", "Ethernet4"),
	} {
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	cable(t, admin)
	team, stranger := filepath.Join(t.TempDir(), "team"), filepath.Join(t.TempDir(), "stranger")
	for file, groups := range map[string][]string{team: {"network-team"}, stranger: nil} {
		if err := cluster.WriteKubeconfig(file, "nora", groups...); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args, kubeconfig, says string
		drained, forced        bool
	}{
		{"undrain leaf1", team, "switch.fabric.switchlet.io/leaf1 is not drained by hand: its agent has not said yet how it is", false, false},
		{"drain leaf1 --dry-run", team, "is to be drained. To wait for it: kubectl wait --for=condition=Drained switch/leaf1 (dry run)", false, false},
		{"drain leaf1 --dry-run", team, "With no other way to a network: host host1 (Ethernet0), somebody whom no Link knows (Ethernet4). The drain is refused because of them; --force drains nevertheless.", false, false},
		{"drain leaf1 --dry-run --force", team, "Their ports stay up, and they lose it when the switch goes.", false, false},
		{"drain leaf2 --dry-run", team, "No host loses a network: all have another way.", false, false},
		{"drain leaf9", team, `get Switch leaf9: switches.fabric.switchlet.io "leaf9" not found`, false, false},
		{"drain leaf1", stranger, "is forbidden", false, false},
		{"drain leaf1", team, "is to be drained. To wait for it: kubectl wait --for=condition=Drained switch/leaf1", true, false},
		{"drain leaf1", team, "is to be drained already", true, false},
		{"drain leaf1 --force", team, "is to be drained.", true, true},
		{"undrain leaf1 --dry-run", team, "gets its traffic back.", true, true},
		{"undrain leaf1", team, "gets its traffic back.", false, false},
		{"", team, "say what to do with the switch", false, false},
	} {
		t.Run(c.args, func(t *testing.T) {
			if got := run(t, c.args, c.kubeconfig); !strings.Contains(got, c.says) {
				t.Errorf("got:\n%s\nwant in it:\n%s", got, c.says)
			}
			var s v1alpha1.Switch
			if err := admin.Get(t.Context(), client.ObjectKey{Name: "leaf1"}, &s); err != nil {
				t.Fatal(err)
			}
			if s.Spec.Drained != c.drained || s.Spec.ForceDrain != c.forced {
				t.Errorf("spec is then %+v", s.Spec)
			}
		})
	}
}

// carries is a switch that has a network at ports.
func carries(name string, ports ...string) *v1alpha1.SwitchConfig {
	blue := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "blue"}
	segment := v1alpha1.SegmentConfig{VNI: 10001, VLAN: 100, VRF: 20001, Owner: blue}
	for _, p := range ports {
		segment.Ports = append(segment.Ports, v1alpha1.SegmentPort{Name: p, Mode: v1alpha1.ModeTagged, Owner: blue})
	}
	return &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SwitchConfigSpec{
		Revision: "r1", VRFs: []v1alpha1.VRFConfig{{VNI: 20001, VLAN: 3001, Owner: blue}}, Segments: []v1alpha1.SegmentConfig{segment},
	}}
}

// cable makes one from host1 to the first port of leaf1.
func cable(t *testing.T, admin client.Client) {
	t.Helper()
	link := &v1alpha1.Link{ObjectMeta: metav1.ObjectMeta{Name: "host1.eth1-leaf1.ethernet0"}}
	if err := admin.Create(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	link.Status = v1alpha1.LinkStatus{State: v1alpha1.LinkConfirmed, Ends: []v1alpha1.LinkEnd{{Host: "host1", NIC: "eth1"}, {Switch: "leaf1", Port: "Ethernet0"}}}
	if err := admin.Status().Update(t.Context(), link); err != nil {
		t.Fatal(err)
	}
}

// run runs a command and returns what it printed, or its error.
func run(t *testing.T, args, kubeconfig string) string {
	t.Helper()
	var out bytes.Buffer
	c := Command()
	c.SetArgs(append(strings.Fields(args), "--kubeconfig", kubeconfig))
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage, c.SilenceErrors = true, true
	if err := c.ExecuteContext(t.Context()); err != nil {
		return err.Error()
	}
	return out.String()
}
