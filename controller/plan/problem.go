package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// maxMessage is the longest message that a Problem can carry.
const maxMessage = 1024

// VPCRef refers to a VPC.
func VPCRef(name types.NamespacedName) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: name.Namespace, Name: name.Name}
}

// AttachmentRef refers to a VPCAttachment.
func AttachmentRef(name types.NamespacedName) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: name.Namespace, Name: name.Name}
}

// keyOf is the namespace and name of an object.
func keyOf(o interface {
	GetNamespace() string
	GetName() string
}) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func problem(owner v1alpha1.ObjectReference, reason, format string, args ...any) *v1alpha1.Problem {
	return &v1alpha1.Problem{Owner: owner, Reason: reason, Message: cut(fmt.Sprintf(format, args...))}
}

// cut shortens a message to what a Problem can carry.
func cut(message string) string {
	return cutTo(maxMessage, message)
}

// cutTo shortens a text to so many bytes.
func cutTo(n int, text string) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n-3], "") + "..."
}

// Some are the first few of several names.
func Some(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func (r *Result) add(on string, p *v1alpha1.Problem) {
	r.Problems = append(r.Problems, Problem{Switch: on, Problem: *p})
}

// stays ends the message of an attachment that keeps what it has.
const stays = " What was programmed before stays in force."

// addHeld adds the problem of an attachment that keeps what it has.
func (r *Result) addHeld(on string, p v1alpha1.Problem) {
	p.Message = cutTo(maxMessage-len(stays), p.Message) + stays
	r.add(on, &p)
}

// onePerSwitch sorts problems and leaves one of an attachment on each switch: one
// with many places has one mistake as a rule. That some of them stay in force is
// told before all.
func onePerSwitch(p []Problem) []Problem {
	of := func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Owner.Kind, b.Owner.Kind), cmp.Compare(a.Owner.Namespace, b.Owner.Namespace),
			cmp.Compare(a.Owner.Name, b.Owner.Name), cmp.Compare(a.Switch, b.Switch))
	}
	held := func(p Problem) int {
		if strings.HasSuffix(p.Message, stays) {
			return 0
		}
		return 1
	}
	slices.SortFunc(p, func(a, b Problem) int {
		return cmp.Or(of(a, b), held(a)-held(b), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(p, func(a, b Problem) bool { return a.Owner.Kind != v1alpha1.KindSwitch && of(a, b) == 0 })
}
