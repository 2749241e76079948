package join

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/kubeconfig"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// withTokens is a folder with Kubernetes's programs, whose API server takes bootstrap
// tokens as kubeadm's does.
func withTokens(t *testing.T) string {
	t.Helper()
	binaries, dir := labtest.Kubernetes(t), t.TempDir()
	entries, err := os.ReadDir(binaries)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != "kube-apiserver" {
			if err := os.Symlink(filepath.Join(binaries, entry.Name()), filepath.Join(dir, entry.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	script := "#!/bin/sh\nexec " + filepath.Join(binaries, "kube-apiserver") + " \"$@\" --enable-bootstrap-token-auth\n"
	if err := os.WriteFile(filepath.Join(dir, "kube-apiserver"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What the approver relies on: the API server itself says, of whoever has the token,
// which switch it is for.
func TestTheAPIServerKnowsWhoseTokenItIs(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server, which -short leaves out")
	}
	c := labtest.ControlPlane(t, controlplane.Config{Binaries: withTokens(t)})
	o := options{node: "leaf1", role: "leaf", bundle: "/bundle", sums: sums, cluster: kubeconfig.File(c.Kubeconfig())}
	var out, notes strings.Builder
	if err := run(t.Context(), o, &out, &notes); err != nil {
		t.Fatal(err)
	}
	token := parse(t, out.String())["TOKEN"]
	scheme := runtime.NewScheme()
	if err := authenticationv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	direct, err := client.New(&rest.Config{Host: c.URL(), BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAFile: c.CAFile()}}, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	review := &authenticationv1.SelfSubjectReview{}
	rbactest.Eventually(t, func() error { // the API server learns of the token by a watch
		return direct.Create(t.Context(), review)
	})
	user := review.Status.UserInfo
	if id, _, _ := strings.Cut(token, "."); user.Username != "system:bootstrap:"+id {
		t.Errorf("who has the token is %s", user.Username)
	}
	for _, want := range []string{"system:bootstrappers", "system:bootstrappers:switchlet", "system:bootstrappers:switchlet:join:leaf1"} {
		if !slices.Contains(user.Groups, want) {
			t.Errorf("who has the token is in %q, not in %s", user.Groups, want)
		}
	}
}
