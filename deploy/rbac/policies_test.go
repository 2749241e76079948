package rbac_test

import (
	"fmt"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// Who may do what. The controller's own rights are proved by its tests, which
// run under its identity.
func TestRights(t *testing.T) {
	// The controller manager makes the roles edit and view of the parts that
	// are labelled for them.
	cluster := rbactest.Start(t, controlplane.Config{ControllerManager: true})
	admin := cluster.Admin(t)
	for _, o := range objects(t) {
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	c := who{cluster: cluster, admin: admin}
	t.Run("agent", c.agent)
	t.Run("agent without a node", c.unboundAgent)
	t.Run("agent of a host", c.hostAgent)
	t.Run("tenant", c.tenant)
	t.Run("hosts and cables", c.hosts)
	t.Run("viewer", c.viewer)
	t.Run("network team", c.networkTeam)
	t.Run("stranger", c.stranger)
}

type who struct {
	cluster *rbactest.Cluster
	admin   client.WithWatch
}

// objects are a small cluster: two switches, on each an agent's pod, and a tenant.
func objects(t *testing.T) []client.Object {
	t.Helper()
	out := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "tenant-a"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "tenant-b"}},
		parse(t, `{kind: Fabric, metadata: {name: default}, spec: {pools: {vni: {ranges: [{first: 10000, last: 19999}]}, vlan: {ranges: [{first: 100, last: 199}]}, vtep: {cidrs: [10.255.0.0/24]}}}}`, &v1alpha1.Fabric{}),
		parse(t, `{metadata: {name: default}}`, &v1alpha1.VPCClass{}),
		parse(t, `{metadata: {name: vni-10100}, spec: {pool: VNI, value: "10100", holder: {kind: VPC, namespace: tenant-a, name: blue}}}`, &v1alpha1.Allocation{}),
		parse(t, `{metadata: {namespace: tenant-b, name: red}, spec: {subnets: [{name: web, cidrs: [10.1.0.0/24]}]}}`, &v1alpha1.VPC{}),
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: "tenant-a", Name: "edit"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "tina"}},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: "tenant-a", Name: "view"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "vera"}},
		},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "network-team"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "switchlet-network-team"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "network-team"}},
		},
	}
	for _, name := range []string{"leaf1", "leaf2"} {
		out = append(out,
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}},
			&v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}},
			&v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: name}},
			&corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "agent-on-" + name},
				Spec: corev1.PodSpec{
					ServiceAccountName: "switchlet-agent", NodeName: name,
					Containers: []corev1.Container{{Name: "agent", Image: "switchlet.io/agent:dev"}},
				},
			})
	}
	return out
}

func parse[T client.Object](t *testing.T, text string, into T) T {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
	return into
}

// token is what a kubelet puts into a pod of the agent's: a token that is bound
// to the pod, or to nothing if pod is nil.
func (w who) token(t *testing.T, pod *corev1.Pod) client.WithWatch {
	t.Helper()
	return w.tokenOf(t, "switchlet-agent", pod)
}

func (w who) tokenOf(t *testing.T, name string, pod *corev1.Pod) client.WithWatch {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: name}}
	request := &authenticationv1.TokenRequest{}
	if pod != nil {
		if err := w.admin.Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			t.Fatal(err)
		}
		request.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: pod.Name, UID: pod.UID}
	}
	if err := w.admin.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return w.cluster.WithToken(t, request.Status.Token)
}

// rights are what somebody may do and may not.
type rights struct {
	client.WithWatch
	t *testing.T
}

func (r rights) may(what string, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Errorf("%s: %v, but it is allowed", what, err)
	}
}

// mayNot checks that somebody was forbidden something, in these words.
func (r rights) mayNot(what string, err error, words ...string) {
	r.t.Helper()
	if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
		r.t.Errorf("%s: %v, but it is forbidden", what, err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			r.t.Errorf("%s is forbidden in words without %q: %v", what, w, err)
		}
	}
}

func (r rights) read(list client.ObjectList, options ...client.ListOption) error {
	return r.List(r.t.Context(), list, options...)
}

// status applies the status of an object as agents do.
func (r rights) status(kind, name, status string) error {
	o := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion().String(), Kind: kind},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	patch := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":%q},"status":%s}`, o.APIVersion, kind, name, status)
	return r.Status().Patch(r.t.Context(), o, client.RawPatch(types.ApplyPatchType, []byte(patch)), client.FieldOwner("switchlet-agent"))
}

func (r rights) spec(o client.Object, patch string) error {
	return r.Patch(r.t.Context(), o, client.RawPatch(types.MergePatchType, []byte(patch)))
}

func named[T client.Object](o T, name string) T {
	o.SetName(name)
	return o
}

func (w who) agent(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "agent-on-leaf1"}}
	r := rights{w.token(t, pod), t}
	review := &authenticationv1.SelfSubjectReview{}
	r.may("ask who it is", r.Create(t.Context(), review))
	if got := review.Status.UserInfo.Extra["authentication.kubernetes.io/node-name"]; len(got) != 1 || got[0] != "leaf1" {
		t.Fatalf("the token's node is %v, want leaf1", got)
	}
	// The API server takes a moment to enforce a new policy.
	rbactest.Eventually(t, func() error {
		err := r.status("Switch", "leaf2", `{"platform":"x"}`)
		if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
			return fmt.Errorf("an agent on leaf1 wrote the status of Switch leaf2 (error %w)", err)
		}
		return nil
	})

	r.may("write the status of its Switch", r.status("Switch", "leaf1", `{"platform":"x86_64-kvm_x86_64-r0"}`))
	r.may("write the status of its SwitchConfig", r.status("SwitchConfig", "leaf1", `{"appliedGeneration":1}`))
	r.may("read SwitchConfigs", r.read(&v1alpha1.SwitchConfigList{}))
	r.may("read Switches", r.read(&v1alpha1.SwitchList{}))

	words := []string{"own node only", "this one runs on leaf1"}
	r.mayNot("write the status of another Switch", r.status("Switch", "leaf2", `{"platform":"x"}`), append(words, "switches leaf2")...)
	r.mayNot("write the status of another SwitchConfig", r.status("SwitchConfig", "leaf2", `{"appliedGeneration":1}`), append(words, "switchconfigs leaf2")...)
	w.agentMayNothingElse(r)
}

// agentMayNothingElse is what no agent may, wherever it runs.
func (w who) agentMayNothingElse(r rights) {
	ctx := r.t.Context()
	r.mayNot("change its Switch", r.spec(named(&v1alpha1.Switch{}, "leaf1"), `{"spec":{"role":"Spine"}}`))
	r.mayNot("change its SwitchConfig", r.spec(named(&v1alpha1.SwitchConfig{}, "leaf1"), `{"spec":{"vtep":"10.0.0.1"}}`))
	r.mayNot("label its Node", r.spec(named(&corev1.Node{}, "leaf1"), `{"metadata":{"labels":{"a":"b"}}}`))
	r.mayNot("update the status of its Switch", r.Status().Update(ctx, named(&v1alpha1.Switch{}, "leaf1")))
	for _, o := range []client.Object{&v1alpha1.Switch{}, &v1alpha1.SwitchConfig{}, &v1alpha1.VPCClass{}, &v1alpha1.Fabric{}, &v1alpha1.Allocation{}} {
		r.mayNot(fmt.Sprintf("delete a %T", o), r.Delete(ctx, named(o, "leaf1")))
	}
	r.mayNot("delete all Switches", r.DeleteAllOf(ctx, &v1alpha1.Switch{}))
	r.mayNot("create a Switch", r.Create(ctx, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf3"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}}))
	r.mayNot("create a SwitchConfig", r.Create(ctx, named(&v1alpha1.SwitchConfig{}, "leaf3")))
	for _, list := range []client.ObjectList{
		&v1alpha1.VPCList{}, &v1alpha1.VPCAttachmentList{}, &v1alpha1.AllocationList{}, &v1alpha1.FabricList{},
		&corev1.SecretList{}, &corev1.NodeList{}, &corev1.PodList{}, &corev1.ConfigMapList{},
	} {
		r.mayNot(fmt.Sprintf("read a %T", list), r.read(list))
	}
}

func (w who) unboundAgent(t *testing.T) {
	r := rights{w.token(t, nil), t}
	r.mayNot("write the status of a Switch", r.status("Switch", "leaf1", `{"platform":"x"}`), "own node only", "its token is not bound to a pod")
	r.mayNot("write the status of a SwitchConfig", r.status("SwitchConfig", "leaf1", `{"appliedGeneration":7}`), "its token is not bound to a pod")
	w.agentMayNothingElse(r)
}

func web(namespace, name string) *v1alpha1.VPC {
	return &v1alpha1.VPC{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.VPCSpec{Subnets: []v1alpha1.Subnet{{Name: "web", CIDRs: []string{"10.1.0.0/24"}}}},
	}
}

func port(name, sw string) *v1alpha1.VPCAttachment {
	return &v1alpha1.VPCAttachment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "tenant-a", Name: name},
		Spec:       v1alpha1.VPCAttachmentSpec{VPC: "blue", Subnet: "web", Port: v1alpha1.PortReference{Switch: sw, Name: "Ethernet8"}},
	}
}

func (w who) tenant(t *testing.T) {
	r := rights{w.cluster.As(t, "tina"), t}
	ctx := t.Context()
	rbactest.Eventually(t, func() error { // edit has been put together
		return client.IgnoreAlreadyExists(r.Create(ctx, web("tenant-a", "blue")))
	})
	r.may("change a VPC", r.spec(web("tenant-a", "blue"), `{"metadata":{"labels":{"a":"b"}}}`))
	r.may("read VPCs", r.read(&v1alpha1.VPCList{}, client.InNamespace("tenant-a")))
	r.may("read attachments", r.read(&v1alpha1.VPCAttachmentList{}, client.InNamespace("tenant-a")))
	r.may("read the classes to choose from", r.read(&v1alpha1.VPCClassList{}))

	// The policy may take a moment longer than the roles.
	rbactest.Eventually(t, func() error {
		if err := r.Create(ctx, port("try", "leaf1"), client.DryRunAll); !apierrors.IsForbidden(err) {
			return fmt.Errorf("a tenant named a port (error %w)", err)
		}
		return nil
	})
	r.mayNot("name a port", r.Create(ctx, port("mine", "leaf1")), "spec.port", "tina", "leaf1", "ask the network team")
	if err := w.admin.Create(ctx, port("given", "leaf1")); err != nil {
		t.Fatal(err)
	}
	r.mayNot("move an attachment to another port", r.spec(port("given", ""), `{"spec":{"port":{"name":"Ethernet12"}}}`), "spec.port")
	r.mayNot("move an attachment to another switch", r.spec(port("given", ""), `{"spec":{"port":{"switch":"leaf2"}}}`), "leaf2")
	r.may("change the subnet of an attachment it was given", r.spec(port("given", ""), `{"spec":{"subnet":"db"}}`))

	r.mayNot("read another tenant's VPCs", r.read(&v1alpha1.VPCList{}, client.InNamespace("tenant-b")))
	r.mayNot("create a VPC for another tenant", r.Create(ctx, web("tenant-b", "mine")))
	r.mayNot("delete another tenant's VPC", r.Delete(ctx, web("tenant-b", "red")))
	r.mayNot("write the status of a VPC", r.Status().Patch(ctx, web("tenant-a", "blue"), client.RawPatch(types.MergePatchType, []byte(`{"status":{"vni":1}}`))))
	for _, list := range []client.ObjectList{&v1alpha1.SwitchConfigList{}, &v1alpha1.SwitchList{}, &v1alpha1.AllocationList{}, &v1alpha1.FabricList{}} {
		r.mayNot(fmt.Sprintf("read a %T", list), r.read(list))
	}
	r.mayNot("create a class", r.Create(ctx, named(&v1alpha1.VPCClass{}, "mine")))
	r.mayNot("pin a VNI", r.Create(ctx, named(&v1alpha1.Allocation{}, "vni-10200")))
	r.may("delete the attachment it was given", r.Delete(ctx, port("given", "")))
}

func (w who) viewer(t *testing.T) {
	r := rights{w.cluster.As(t, "vera"), t}
	rbactest.Eventually(t, func() error { return r.read(&v1alpha1.VPCList{}, client.InNamespace("tenant-a")) })
	r.may("read attachments", r.read(&v1alpha1.VPCAttachmentList{}, client.InNamespace("tenant-a")))
	r.mayNot("create a VPC", r.Create(t.Context(), web("tenant-a", "mine")))
	r.mayNot("read SwitchConfigs", r.read(&v1alpha1.SwitchConfigList{}))
}

func (w who) networkTeam(t *testing.T) {
	r := rights{w.cluster.As(t, "nina", "network-team"), t}
	ctx := t.Context()
	r.may("name a port", r.Create(ctx, port("by-nina", "leaf1")))
	r.may("move an attachment", r.spec(port("by-nina", ""), `{"spec":{"port":{"switch":"leaf2"}}}`))
	r.may("change a switch", r.spec(named(&v1alpha1.Switch{}, "leaf1"), `{"spec":{"redundancyGroup":"rack1"}}`))
	r.may("create a class", r.Create(ctx, named(&v1alpha1.VPCClass{}, "gold")))
	r.may("change the fabric", r.spec(named(&v1alpha1.Fabric{}, "default"), `{"spec":{"pools":{"vtep":{"cidrs":["10.255.0.0/23"]}}}}`))
	r.may("pin a VNI", r.Create(ctx, parse(t, `{metadata: {name: vni-10300}, spec: {pool: VNI, value: "10300", holder: {kind: VPC, namespace: tenant-b, name: red}}}`, &v1alpha1.Allocation{})))
	r.may("read SwitchConfigs", r.read(&v1alpha1.SwitchConfigList{}))
	r.mayNot("change a SwitchConfig, which the controller compiles", r.spec(named(&v1alpha1.SwitchConfig{}, "leaf1"), `{"spec":{"vtep":"10.0.0.1"}}`))
	r.mayNot("read secrets", r.read(&corev1.SecretList{}))
}

// stranger is anybody who has logged in, and nothing more.
func (w who) stranger(t *testing.T) {
	r := rights{w.cluster.As(t, "sam"), t}
	for _, list := range []client.ObjectList{
		&v1alpha1.VPCList{}, &v1alpha1.VPCAttachmentList{}, &v1alpha1.AllocationList{}, &v1alpha1.FabricList{},
		&v1alpha1.SwitchList{}, &v1alpha1.SwitchConfigList{}, &v1alpha1.HostList{}, &v1alpha1.LinkList{},
	} {
		r.mayNot(fmt.Sprintf("read a %T", list), r.read(list))
	}
}
