// Package group is how a bootstrap token says which switch it is for: by the groups
// of whoever uses it. The API server writes those groups into each certificate
// signing request itself, so who approves requests needs no access to tokens.
package group

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Bootstrappers is the group of all tokens that switches join with. RBAC lets it
// make certificate signing requests, and nothing else.
const Bootstrappers = "system:bootstrappers:switchlet"

// prefix of both kinds of groups of one switch.
const prefix = Bootstrappers + ":"

const (
	join   = "join:"
	rejoin = "rejoin:"
)

// maxGroup is the longest group of a bootstrap token:
// k8s.io/cluster-bootstrap/token/api, BootstrapGroupPattern.
const maxGroup = len("system:bootstrappers:") + 256

// For is the group of a token of one switch. rejoin says that a switch of that name
// is known already, and may get a certificate all the same.
func For(node string, again bool) (string, error) {
	if problems := validation.IsDNS1123Subdomain(node); len(problems) > 0 {
		return "", fmt.Errorf("switch %q: not the name of a node: %s", node, strings.Join(problems, "; "))
	}
	kind := join
	if again {
		kind = rejoin
	}
	// A group may have no dot, and the name of a node no colon.
	name := prefix + kind + strings.ReplaceAll(node, ".", ":")
	if len(name) > maxGroup {
		return "", fmt.Errorf("switch %q: its name is longer than a token's group may be", node)
	}
	return name, nil
}

// Parse reads a group. ok is false for groups that are no switch's.
func Parse(name string) (node string, again, ok bool) {
	rest, ours := strings.CutPrefix(name, prefix)
	if !ours {
		return "", false, false
	}
	rest, again = strings.CutPrefix(rest, rejoin)
	if !again {
		if rest, ours = strings.CutPrefix(rest, join); !ours {
			return "", false, false
		}
	}
	node = strings.ReplaceAll(rest, ":", ".")
	return node, again, len(validation.IsDNS1123Subdomain(node)) == 0
}
