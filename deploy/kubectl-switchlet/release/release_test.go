package release

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// The commands work here on a real API server, with the rights of the network
// team. The controller is played: its status stands as it is written here.
func TestCommands(t *testing.T) {
	cluster := rbactest.Start(t, controlplane.Config{})
	admin := cluster.Admin(t)
	team(t, admin)
	newRelease(t, admin)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := cluster.WriteKubeconfig(kubeconfig, "nora", "network-team"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		says string // or the error
		then func(*v1alpha1.NOSRelease) bool
	}{
		{"status core", "core: Stopped, 1/2 switches\n  leaf2: CrashLoop\n  To try again: kubectl switchlet release resume core.", nil},
		{"status core", "leaf1    switch/leaf1   Current", nil},
		{"status core -o json", `"revision": "core-2"`, nil},
		{"status none", `nosreleases.fabric.switchlet.io "none" not found`, nil},
		{"status core -o yaml", `--output "yaml": it must be text or json`, nil},
		{"history core", "2 *        core-2", nil},
		{"history core", "bgp-1@000000000000", nil},
		{"history core -o json", `"wanted": true`, nil},
		{"pause core --dry-run", "paused (dry run)", func(r *v1alpha1.NOSRelease) bool { return !r.Spec.Paused }},
		{"pause core", "paused", func(r *v1alpha1.NOSRelease) bool { return r.Spec.Paused }},
		{"pause core", "is paused already", nil},
		{"resume core", "resumed: it tries leaf2 again", func(r *v1alpha1.NOSRelease) bool {
			return !r.Spec.Paused && r.Annotations[v1alpha1.AnnotationRetry] == "core-2.1"
		}},
		{"approve core", "approved: 1", func(r *v1alpha1.NOSRelease) bool { return r.Annotations[v1alpha1.AnnotationApproved] == "core-2=1" }},
		{"approve core --all", "approved: all", func(r *v1alpha1.NOSRelease) bool {
			return r.Annotations[v1alpha1.AnnotationApproved] == "core-2=all"
		}},
		{"undo core --to-revision 7", "there is no revision 7: see history", nil},
		{"undo core --to-revision 2", "revision 2 is what the spec says already", nil},
		{"undo core --dry-run", "goes back to revision 1", func(r *v1alpha1.NOSRelease) bool { return strings.Contains(r.Spec.Services[0].Image, "bgp-2") }},
		{"undo core", "goes back to revision 1", func(r *v1alpha1.NOSRelease) bool { return strings.Contains(r.Spec.Services[0].Image, "bgp-1") }},
	} {
		t.Run(c.args, func(t *testing.T) {
			if got := run(t, c.args, kubeconfig); !strings.Contains(got, c.says) {
				t.Errorf("got:\n%s\nwant in it:\n%s", got, c.says)
			}
			var r v1alpha1.NOSRelease
			if err := admin.Get(t.Context(), client.ObjectKey{Name: "core"}, &r); err != nil {
				t.Fatal(err)
			}
			if c.then != nil && !c.then(&r) {
				t.Errorf("the release is not as it should be then: %+v %+v", r.Annotations, r.Spec)
			}
		})
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

// team gives the network team the rights that the documentation says.
func team(t *testing.T, admin client.Client) {
	t.Helper()
	group := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "network-team"}}
	for _, o := range []client.Object{
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "network-team"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "switchlet-network-team"}, Subjects: group},
		&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "network-team"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "switchlet-release-history"}, Subjects: group},
	} {
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

// newRelease makes a release that has stopped at its second revision.
func newRelease(t *testing.T, admin client.Client) {
	t.Helper()
	services := func(n int) []v1alpha1.ReleaseService {
		return []v1alpha1.ReleaseService{{Name: "bgp", Image: fmt.Sprintf("registry.example.com/bgp-%d@sha256:%064d", n, 0)}}
	}
	for n := 1; n <= 2; n++ {
		data, err := json.Marshal(map[string]any{"services": services(n)})
		if err != nil {
			t.Fatal(err)
		}
		o := &appsv1.ControllerRevision{Data: runtime.RawExtension{Raw: data}, Revision: int64(n)}
		o.Namespace, o.Name, o.Labels = rbactest.Namespace, fmt.Sprintf("core-%d", n), map[string]string{v1alpha1.LabelHistory: "core"}
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	r := &v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: "core"}, Spec: v1alpha1.NOSReleaseSpec{Services: services(2)}}
	if err := admin.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	now := metav1.Now()
	r.Status = v1alpha1.NOSReleaseStatus{
		Revision: "core-2", Phase: v1alpha1.ReleaseStopped, Message: "leaf2: CrashLoop", Progress: "1/2", Desired: 2, Updated: 1, Approval: "core-2=1",
		Stop: &v1alpha1.ReleaseStop{Revision: "core-2", Switch: "leaf2", Reason: "CrashLoop", Message: "bgp", At: now, Retry: "core-2.1"},
		Switches: []v1alpha1.ReleaseSwitchStatus{
			{Name: "leaf1", Group: "switch/leaf1", Phase: v1alpha1.SwitchCurrent, Since: &now},
			{Name: "leaf2", Group: "switch/leaf2", Phase: v1alpha1.SwitchRolledBack, Since: &now, Reason: "CrashLoop"},
		},
	}
	if err := admin.Status().Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}
