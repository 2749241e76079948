package render

import (
	"errors"
	"fmt"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/frr"
)

// Reasons of the problems that statements have with FRR.
const (
	// ReasonRefusedByFRR: FRR did not take a statement.
	ReasonRefusedByFRR = "RefusedByFRR"
)

// errOwner says that a text does not name an owner.
var errOwner = errors.New("it is not of the form Kind name or Kind namespace/name")

// Owner is the object that a text names which came with what FRR refused.
func Owner(text string) (v1alpha1.ObjectReference, error) {
	kind, name, ok := strings.Cut(text, " ")
	if !ok || kind == "" || name == "" {
		return v1alpha1.ObjectReference{}, fmt.Errorf("owner %q: %w", text, errOwner)
	}
	owner := v1alpha1.ObjectReference{Kind: v1alpha1.Kind(kind), Name: name}
	if namespace, rest, namespaced := strings.Cut(name, "/"); namespaced {
		owner.Namespace, owner.Name = namespace, rest
	}
	return owner, nil
}

// OwnerOr is the object that a text names, or the switch.
func (b Box) OwnerOr(text string) v1alpha1.ObjectReference {
	owner, err := Owner(text)
	if err != nil {
		return b.self()
	}
	return owner
}

// BGPProblems are the parts of bgp that FRR could not take, as frr.Build has
// them, by owner.
func (b Box) BGPProblems(found []frr.Problem) []v1alpha1.Problem {
	var problems []v1alpha1.Problem
	for _, p := range found {
		problems = append(problems, v1alpha1.Problem{Owner: b.OwnerOr(p.Owner), Reason: ReasonInvalidValue, Message: bounded(p.Message)})
	}
	return problems
}

// BGPConflicts are the statements that somebody else's keep from being made or
// taken back, by owner.
func (b Box) BGPConflicts(found []frr.Conflict) []v1alpha1.Problem {
	var problems []v1alpha1.Problem
	for _, c := range found {
		line := frr.Command{Context: c.Context, Line: c.Line}.String()
		p := v1alpha1.Problem{Owner: b.OwnerOr(c.Owner), Reason: ReasonForeignField,
			Message: fmt.Sprintf("FRR of switch %s has %q, which switchlet did not say and leaves as it is, so that %q is not in force. Take the former back in FRR if it is not needed.", b.Name, c.Other, line)}
		if c.Kind == frr.InUse {
			p.Reason = ReasonInUse
			p.Message = fmt.Sprintf("%q has to go from FRR of switch %s and stays: %q, which switchlet did not say, needs it. Take the latter back in FRR.", line, b.Name, c.Other)
		}
		p.Message = bounded(p.Message)
		problems = append(problems, p)
	}
	return problems
}

// RefusedByFRR is what the owner of a statement is told that FRR did not take.
func RefusedByFRR(r frr.Refusal) string {
	return bounded(fmt.Sprintf("FRR did not take %q: %s. What belongs to it is left out, and tried again later and when it changes. Look for the answer in the log of the bgp container.",
		r.String(), strings.TrimRight(strings.TrimSpace(r.Answer), ".")))
}

// bounded cuts a message to what a Problem may have.
func bounded(text string) string {
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "")
	}
	return text
}
