package join

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/controller/approve/group"
	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/kubeconfig"
)

// options are the command line.
type options struct {
	cluster                                            kubeconfig.Flags
	node, server, role, labels, bundle, sums, registry string
	ttl                                                time.Duration
	again                                              bool
}

const (
	joinTTL   = 24 * time.Hour
	rejoinTTL = time.Hour
)

// complete fills in what was left out, and says what is wrong.
func (o *options) complete() error {
	if _, err := group.For(o.node, o.again); err != nil {
		return err
	}
	if !slices.Contains([]string{"leaf", "spine", "border"}, o.role) {
		return fmt.Errorf("--role %q: there are leaf, spine and border", o.role)
	}
	if !strings.HasPrefix(o.bundle, "/") && !strings.HasPrefix(o.bundle, "http://") && !strings.HasPrefix(o.bundle, "https://") {
		return fmt.Errorf("--bundle %q: give the folder on the switch, or the URL, that has the programs", o.bundle)
	}
	if sum, err := hex.DecodeString(o.sums); err != nil || len(sum) != 32 || o.sums != strings.ToLower(o.sums) {
		return fmt.Errorf("--sums %q: give the output of sha256sum SHA256SUMS, in the bundle's folder", o.sums)
	}
	for name, value := range map[string]string{"server": o.server, "labels": o.labels, "bundle": o.bundle, "registry": o.registry} {
		if strings.ContainsAny(value, " \r\n") {
			return fmt.Errorf("--%s %q: it has a space or a line break", name, value)
		}
	}
	if o.ttl < 0 {
		return fmt.Errorf("--ttl %s: it is negative", o.ttl)
	}
	if o.ttl == 0 {
		o.ttl = joinTTL
		if o.again {
			o.ttl = rejoinTTL
		}
	}
	return nil
}

// settings are the lines of a settings file of join.sh, but for the token.
type settings []string

func (o options) settings(config *rest.Config) (settings, error) {
	server := o.server
	if server == "" {
		server = config.Host
	}
	if !strings.HasPrefix(server, "https://") {
		return nil, fmt.Errorf("the API server is %q: give --server https://HOST:PORT, as the switch reaches it", server)
	}
	ca, err := authority(config)
	if err != nil {
		return nil, err
	}
	lines := settings{
		"NODE=" + o.node, "ROLE=" + o.role, "LABELS=" + o.labels, "SERVER=" + strings.TrimSuffix(server, "/"),
		"CA_DATA=" + base64.StdEncoding.EncodeToString(ca), "BUNDLE=" + strings.TrimSuffix(o.bundle, "/"), "SUMS=" + o.sums,
	}
	if o.registry != "" {
		lines = append(lines, "REGISTRY="+o.registry)
	}
	return lines, nil
}

// authority is the certificate that the API server is known by.
func authority(config *rest.Config) ([]byte, error) {
	if len(config.CAData) > 0 {
		return config.CAData, nil
	}
	if config.CAFile == "" {
		return nil, errors.New("the kubeconfig has no certificate authority: a switch could not know that the API server is the right one")
	}
	ca, err := os.ReadFile(config.CAFile)
	if err != nil {
		return nil, fmt.Errorf("certificate authority of the kubeconfig: %w", err)
	}
	return ca, nil
}

func (s settings) write(to io.Writer, t token) error {
	_, err := fmt.Fprintf(to, "%s\nTOKEN=%s.%s\n", strings.Join(s, "\n"), t.id, t.secret)
	return err
}
