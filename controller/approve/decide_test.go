package approve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"strings"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"

	"github.com/switchlet/switchlet/controller/approve/group"
)

// request is the PEM of what a kubelet of leaf1 asks for, changed by edit.
func request(t testing.TB, edit func(*x509.CertificateRequest)) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.CertificateRequest{Subject: pkix.Name{CommonName: "system:node:leaf1", Organization: []string{"system:nodes"}}}
	if edit != nil {
		edit(&template)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// spec is the request of the token of a switch.
func spec(t testing.TB, node string, again bool, content []byte) certificatesv1.CertificateSigningRequestSpec {
	t.Helper()
	own, err := group.For(node, again)
	if err != nil {
		t.Fatal(err)
	}
	return certificatesv1.CertificateSigningRequestSpec{
		SignerName: certificatesv1.KubeAPIServerClientKubeletSignerName,
		Username:   "system:bootstrap:abcdef",
		Groups:     []string{"system:bootstrappers", group.Bootstrappers, own, "system:authenticated"},
		Usages:     []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth},
		Request:    content,
	}
}

type edits struct {
	request func(*x509.CertificateRequest)
	spec    func(*certificatesv1.CertificateSigningRequestSpec)
}

func TestDecisions(t *testing.T) {
	for _, c := range []struct {
		name    string
		edits   edits
		again   bool
		facts   Facts
		verdict Verdict
		says    string
	}{
		{name: "the switch of the token", verdict: Approve, says: "switch leaf1"},
		{name: "an RSA key", edits: edits{spec: func(s *certificatesv1.CertificateSigningRequestSpec) {
			s.Usages = append(s.Usages, certificatesv1.UsageKeyEncipherment)
		}}, verdict: Approve},
		{name: "another switch", edits: edits{request: func(r *x509.CertificateRequest) { r.Subject.CommonName = "system:node:leaf2" }},
			verdict: Deny, says: `it asks for the name "system:node:leaf2"`},
		{name: "an administrator", edits: edits{request: func(r *x509.CertificateRequest) { r.Subject.Organization = []string{"system:masters"} }},
			verdict: Deny, says: "system:masters"},
		{name: "a node and an administrator", edits: edits{request: func(r *x509.CertificateRequest) {
			r.Subject.Organization = append(r.Subject.Organization, "system:masters")
		}}, verdict: Deny, says: "system:masters"},
		{name: "a second word in the subject", edits: edits{request: func(r *x509.CertificateRequest) { r.Subject.Locality = []string{"x"} }}, verdict: Deny, says: "its subject is"},
		{name: "a name of a server", edits: edits{request: func(r *x509.CertificateRequest) { r.DNSNames = []string{"leaf1"} }}, verdict: Deny, says: "other names"},
		{name: "an address", edits: edits{request: func(r *x509.CertificateRequest) { r.IPAddresses = []net.IP{{127, 0, 0, 1}} }}, verdict: Deny, says: "other names"},
		{name: "a server's certificate", edits: edits{spec: func(s *certificatesv1.CertificateSigningRequestSpec) {
			s.Usages = append(s.Usages, certificatesv1.UsageServerAuth)
		}}, verdict: Deny, says: "server auth"},
		{name: "no token", edits: edits{spec: func(s *certificatesv1.CertificateSigningRequestSpec) { s.Username = "eve" }}, verdict: Deny, says: "by eve"},
		{name: "no request", edits: edits{spec: func(s *certificatesv1.CertificateSigningRequestSpec) { s.Request = []byte("x") }}, verdict: Deny, says: "PEM"},
		{name: "two requests", edits: edits{spec: func(s *certificatesv1.CertificateSigningRequestSpec) {
			s.Request = append(s.Request, s.Request...)
		}}, verdict: Deny, says: "PEM"},
		{name: "a switch that is there", facts: Facts{Exists: true}, verdict: Deny, says: "--rejoin"},
		{name: "a switch that is there, with a token for that", again: true, facts: Facts{Exists: true}, verdict: Approve},
		{name: "a switch that is not there, with such a token", again: true, verdict: Approve},
		{name: "a token that was used with another key", facts: Facts{Approved: true}, verdict: Deny, says: "used already"},
		{name: "that, though it may come again", again: true, facts: Facts{Exists: true, Approved: true}, verdict: Deny, says: "used already"},
		{name: "another signer", edits: edits{spec: func(s *certificatesv1.CertificateSigningRequestSpec) {
			s.SignerName = certificatesv1.KubeletServingSignerName
		}}, verdict: Ignore},
		{name: "a token of kubeadm's", edits: edits{spec: func(s *certificatesv1.CertificateSigningRequestSpec) {
			s.Groups = []string{"system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"}
		}}, verdict: Ignore},
		{name: "a token of two switches", edits: edits{spec: func(s *certificatesv1.CertificateSigningRequestSpec) {
			s.Groups = append(s.Groups, "system:bootstrappers:switchlet:join:leaf2")
		}}, verdict: Ignore},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := spec(t, "leaf1", c.again, request(t, c.edits.request))
			if c.edits.spec != nil {
				c.edits.spec(&s)
			}
			got := Decide(s, c.facts)
			if got.Verdict != c.verdict || !strings.Contains(got.Message, c.says) {
				t.Errorf("Decide() = %+v, want verdict %d that says %q", got, c.verdict, c.says)
			}
		})
	}
}

// A request is whatever who has the token sends.
func FuzzDecide(f *testing.F) {
	f.Add(request(f, nil))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if got := Decide(spec(t, "leaf9", false, content), Facts{}); got.Verdict != Deny {
			t.Errorf("leaf9 gets %+v for %q", got, content)
		}
	})
}
