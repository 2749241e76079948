package approve

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"

	"github.com/switchlet/switchlet/controller/approve/group"
)

// Verdict is what becomes of a request.
type Verdict int

// The verdicts. Requests of others are left to whoever approves those.
const (
	_ Verdict = iota
	Ignore
	Approve
	Deny
)

// Facts are what the cluster knows about the switch whose token was used.
type Facts struct {
	// Exists: there is a Node of that name.
	Exists bool
	// Approved: another key got a certificate by the same token.
	Approved bool
}

// Decision is a verdict and its reason, for people.
type Decision struct {
	Verdict Verdict
	Message string
}

// Switch is the name that a request's token is for. ok is false for requests that
// were not made with the token of a switch, or by one that names several.
func Switch(spec certificatesv1.CertificateSigningRequestSpec) (node string, again, ok bool) {
	if spec.SignerName != certificatesv1.KubeAPIServerClientKubeletSignerName || !slices.Contains(spec.Groups, group.Bootstrappers) {
		return "", false, false
	}
	found := 0
	for _, name := range spec.Groups {
		if n, a, is := group.Parse(name); is {
			node, again = n, a
			found++
		}
	}
	return node, again, found == 1
}

// Decide decides about a request whose Switch is known.
func Decide(spec certificatesv1.CertificateSigningRequestSpec, facts Facts) Decision {
	node, again, ok := Switch(spec)
	if !ok {
		return Decision{Ignore, "it was not made with the token of a switch"}
	}
	if err := permitted(spec, node); err != nil {
		return Decision{Deny, fmt.Sprintf("the token is for switch %s: %v", node, err)}
	}
	if facts.Exists && !again {
		return Decision{Deny, fmt.Sprintf("there is a Node %s already: delete it, or let the switch in again with kubectl switchlet join-token %s --rejoin", node, node)}
	}
	if facts.Approved {
		return Decision{Deny, fmt.Sprintf("the token of switch %s was used already, with another key: if that was not the switch, delete Node %s; make another token with kubectl switchlet join-token", node, node)}
	}
	return Decision{Approve, fmt.Sprintf("the token is for switch %s", node)}
}

// permitted is what a kubelet asks for, to the letter.
func permitted(spec certificatesv1.CertificateSigningRequestSpec, node string) error {
	if !regexp.MustCompile(`^system:bootstrap:[a-z0-9]{6}$`).MatchString(spec.Username) {
		return fmt.Errorf("the request is by %s, which is no token", spec.Username)
	}
	if usages := usages(spec.Usages); usages != "client auth, digital signature" && usages != "client auth, digital signature, key encipherment" {
		return fmt.Errorf("it asks for the usages %s", usages)
	}
	request, err := parse(spec.Request)
	if err != nil {
		return err
	}
	if name := request.Subject.CommonName; name != "system:node:"+node {
		return fmt.Errorf("it asks for the name %q", name)
	}
	if len(request.Subject.Names) != 2 || !slices.Equal(request.Subject.Organization, []string{"system:nodes"}) {
		return fmt.Errorf("its subject is %s", request.Subject)
	}
	if len(request.Extensions) > 0 || len(request.DNSNames)+len(request.IPAddresses)+len(request.EmailAddresses)+len(request.URIs) > 0 {
		return errors.New("it asks for other names, or extensions")
	}
	return nil
}

func usages(all []certificatesv1.KeyUsage) string {
	var names []string
	for _, u := range all {
		names = append(names, string(u))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// parse reads the one PEM block of a request, and checks that whoever made it has
// the key.
func parse(text []byte) (*x509.CertificateRequest, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("it is not one PEM block CERTIFICATE REQUEST")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("its signature is wrong: %w", err)
	}
	return request, nil
}

// sameKey is whether two requests are for one key.
func sameKey(one, other []byte) bool {
	a, err := parse(one)
	if err != nil {
		return false
	}
	b, err := parse(other)
	return err == nil && string(a.RawSubjectPublicKeyInfo) == string(b.RawSubjectPublicKeyInfo)
}
