package join

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	script "github.com/switchlet/switchlet/deploy/join"
	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/kubeconfig"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

const sums = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestATokenAndItsSettings(t *testing.T) {
	c := rbactest.Start(t, controlplane.Config{})
	admin := c.Admin(t)
	o := options{node: "leaf1.dc1", role: "leaf", bundle: "http://mirror.example/switchlet/", sums: sums, cluster: kubeconfig.File(c.Kubeconfig())}
	var out, notes strings.Builder
	if err := run(t.Context(), o, &out, &notes); err != nil {
		t.Fatal(err)
	}
	settings := parse(t, out.String())
	for key, want := range map[string]string{
		"NODE": "leaf1.dc1", "ROLE": "leaf", "SERVER": c.URL(), "BUNDLE": "http://mirror.example/switchlet", "SUMS": sums, "LABELS": "",
	} {
		if settings[key] != want {
			t.Errorf("%s=%s, want %s", key, settings[key], want)
		}
	}
	if !strings.Contains(notes.String(), "is good for 24h0m0s") || strings.Contains(notes.String(), settings["TOKEN"]) {
		t.Errorf("it says %q", notes.String())
	}
	secret := secretOf(t, admin, settings["TOKEN"])
	if groups := string(secret.Data["auth-extra-groups"]); groups != "system:bootstrappers:switchlet,system:bootstrappers:switchlet:join:leaf1:dc1" {
		t.Errorf("who has the token is in the groups %s", groups)
	}
	if end, err := time.Parse(time.RFC3339, string(secret.Data["expiration"])); err != nil || time.Until(end) > 24*time.Hour || time.Until(end) < 23*time.Hour {
		t.Errorf("it ends at %s, %v", end, err)
	}
	o.rejoins(t, admin)
}

// rejoins: a switch that is there is let in again only on request.
func (o options) rejoins(t *testing.T, admin client.Client) {
	t.Helper()
	if err := admin.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: o.node}}); err != nil {
		t.Fatal(err)
	}
	var out, notes strings.Builder
	if err := run(t.Context(), o, &out, &notes); err == nil || !strings.Contains(err.Error(), "--rejoin") || out.Len() > 0 {
		t.Errorf("there is a Node already: %v, %q", err, out.String())
	}
	o.again = true
	if err := run(t.Context(), o, &out, &notes); err != nil {
		t.Fatal(err)
	}
	secret := secretOf(t, admin, parse(t, out.String())["TOKEN"])
	if groups := string(secret.Data["auth-extra-groups"]); !strings.HasSuffix(groups, ",system:bootstrappers:switchlet:rejoin:leaf1:dc1") {
		t.Errorf("who has the token is in the groups %s", groups)
	}
}

// secretOf finds the token in the cluster, by its first part.
func secretOf(t *testing.T, admin client.Client, token string) *corev1.Secret {
	t.Helper()
	id, value, _ := strings.Cut(token, ".")
	secret := &corev1.Secret{}
	if err := admin.Get(context.Background(), client.ObjectKey{Namespace: "kube-system", Name: "bootstrap-token-" + id}, secret); err != nil {
		t.Fatal(err)
	}
	if string(secret.Data["token-secret"]) != value || secret.Type != corev1.SecretTypeBootstrapToken {
		t.Errorf("the secret is %v", secret)
	}
	return secret
}

// parse reads settings; each has to be one that join.sh knows.
func parse(t *testing.T, text string) map[string]string {
	t.Helper()
	known, err := script.Script()
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if !strings.Contains(string(known), "["+key+"]=") {
			t.Errorf("join.sh does not know %s", key)
		}
		settings[key] = value
	}
	if !regexp.MustCompile(`^[a-z0-9]{6}\.[a-z0-9]{16}$`).MatchString(settings["TOKEN"]) {
		t.Errorf("TOKEN=%s", settings["TOKEN"])
	}
	return settings
}
