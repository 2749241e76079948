package join

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/switchlet/switchlet/controller/approve/group"
)

// token is a bootstrap token: six characters that name it, and sixteen secret ones.
// https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
type token struct{ id, secret string }

func newToken() (token, error) {
	id, err := random(6)
	if err != nil {
		return token{}, err
	}
	secret, err := random(16)
	return token{id, secret}, err
}

func random(n int) (string, error) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	var text strings.Builder
	for range n {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", fmt.Errorf("make a token: %w", err)
		}
		text.WriteByte(alphabet[i.Int64()])
	}
	return text.String(), nil
}

// secretOf is the token as Kubernetes keeps it. Its groups say which switch it is for.
func (o options) secretOf(t token, now time.Time) (*corev1.Secret, error) {
	own, err := group.For(o.node, o.again)
	if err != nil {
		return nil, err
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: "bootstrap-token-" + t.id},
		Type:       corev1.SecretTypeBootstrapToken,
		StringData: map[string]string{
			"token-id": t.id, "token-secret": t.secret, "description": "switch " + o.node + " joins",
			"expiration":                     now.Add(o.ttl).UTC().Format(time.RFC3339),
			"usage-bootstrap-authentication": "true",
			"auth-extra-groups":              group.Bootstrappers + "," + own,
		},
	}, nil
}

// make makes the token in the cluster.
func (o options) make(ctx context.Context, core typed.CoreV1Interface, t token, now time.Time) error {
	_, err := core.Nodes().Get(ctx, o.node, metav1.GetOptions{})
	switch {
	case err == nil && !o.again:
		return fmt.Errorf("there is a Node %s already: kubectl delete node %s if it is another one, or say --rejoin if it is this switch", o.node, o.node)
	case err != nil && !apierrors.IsNotFound(err):
		return fmt.Errorf("look for Node %s: %w", o.node, err)
	}
	secret, err := o.secretOf(t, now)
	if err != nil {
		return err
	}
	if _, err := core.Secrets(secret.Namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("make the token of switch %s: %w", o.node, err)
	}
	return nil
}
