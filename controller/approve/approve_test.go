package approve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/switchlet/switchlet/controller/approve"
	"github.com/switchlet/switchlet/controller/approve/group"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// cluster is a real one, in which the approver runs with the controller's rights.
type cluster struct {
	*rbactest.Cluster
	t     *testing.T
	admin client.Client
}

func start(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{Cluster: rbactest.Start(t, controlplane.Config{ControllerManager: true}), t: t}
	c.admin = c.Admin(t)
	ctrl.SetLogger(logr.Discard())
	mgr, err := ctrl.NewManager(c.Controller(t), ctrl.Options{Scheme: c.Scheme, Metrics: server.Options{BindAddress: "0"}})
	c.must(err)
	c.must(approve.Setup(mgr))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		c.must(<-ended)
	})
	return c
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// token is a client of whoever has the token of a switch. The API server would find
// these groups in the token's Secret; here they are in a certificate.
func (c *cluster) token(id, node string, again bool) client.Client {
	c.t.Helper()
	own, err := group.For(node, again)
	c.must(err)
	return c.As(c.t, "system:bootstrap:"+id, "system:bootstrappers", group.Bootstrappers, own)
}

// ask asks for a certificate for a node, and returns what became of that.
func (c *cluster) ask(by client.Client, node string) (condition, message string, certificate []byte) {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c.must(err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "system:node:" + node, Organization: []string{"system:nodes"}}}, key)
	c.must(err)
	request := &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "node-csr-"},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			SignerName: certificatesv1.KubeAPIServerClientKubeletSignerName,
			Usages:     []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth},
			Request:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
		},
	}
	c.must(by.Create(c.t.Context(), request))
	rbactest.Eventually(c.t, func() error {
		c.must(by.Get(c.t.Context(), client.ObjectKeyFromObject(request), request))
		for _, one := range request.Status.Conditions {
			condition, message = string(one.Type), one.Message
		}
		if condition == "" || condition == "Approved" && len(request.Status.Certificate) == 0 {
			return fmt.Errorf("nothing became of the request for %s: %+v", node, request.Status)
		}
		return nil
	})
	return condition, message, request.Status.Certificate
}

func (c *cluster) asks(by client.Client, node, want, says string) {
	c.t.Helper()
	condition, message, certificate := c.ask(by, node)
	if condition != want || !strings.Contains(message, says) || (want == "Approved") != (len(certificate) > 0) {
		c.t.Errorf("a request for %s is %s (%s), want %s (%s)", node, condition, message, want, says)
	}
}

func TestATokenIsGoodForItsOwnSwitchOnly(t *testing.T) {
	c := start(t)
	leaf1 := c.token("aaaaaa", "leaf1", false)
	c.asks(leaf1, "leaf2", "Denied", `the token is for switch leaf1: it asks for the name "system:node:leaf2"`)
	c.asks(leaf1, "leaf1", "Approved", "the token is for switch leaf1")
	c.asks(leaf1, "leaf1", "Denied", "used already")

	c.must(c.admin.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "spine1.dc2"}}))
	c.asks(c.token("bbbbbb", "spine1.dc2", false), "spine1.dc2", "Denied", "there is a Node spine1.dc2 already")
	c.asks(c.token("cccccc", "spine1.dc2", true), "spine1.dc2", "Approved", "")
	c.asks(c.token("dddddd", "leaf3", true), "spine1.dc2", "Denied", "the token is for switch leaf3")

	for what, err := range map[string]error{
		"read secrets": leaf1.List(t.Context(), &corev1.SecretList{}),
		"make a node":  leaf1.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}}),
		"list nodes":   leaf1.List(t.Context(), &corev1.NodeList{}),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("who has a token may %s: %v", what, err)
		}
	}
	c.notApprovedByItself(leaf1)
}

// notApprovedByItself: a token is good for asking, not for approving.
func (c *cluster) notApprovedByItself(leaf1 client.Client) {
	c.t.Helper()
	var all certificatesv1.CertificateSigningRequestList
	c.must(c.admin.List(c.t.Context(), &all))
	if len(all.Items) == 0 {
		c.t.Fatal("there are no requests")
	}
	one := all.Items[0]
	one.Status.Conditions = append(one.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "Test"})
	err := leaf1.SubResource("approval").Update(c.t.Context(), &one)
	if !apierrors.IsForbidden(err) {
		c.t.Errorf("who has a token may approve: %v", err)
	}
}
