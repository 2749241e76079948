package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// Reasons of the problems that rows of others make.
const (
	// ReasonForeignRow: somebody else made the row.
	ReasonForeignRow = "ForeignRow"
	// ReasonForeignField: somebody else set the field of a row of the agent's.
	ReasonForeignField = "ForeignField"
	// ReasonTaken: a row of somebody else's excludes the wanted one.
	ReasonTaken = "TakenByForeignRow"
	// ReasonMissing: a port, or another row that others write, is not there.
	ReasonMissing = "MissingRow"
	// ReasonInUse: something of somebody else's hangs on a row that has to go.
	ReasonInUse = "InUseByForeignRow"
	// ReasonLingers: SONiC's daemons do not let go of a deleted row.
	ReasonLingers = "Lingers"
	// ReasonDrifted: somebody else changed the row, and it is left so.
	ReasonDrifted = "Drifted"
	// ReasonBlocked: what the row needs is somebody else's problem.
	ReasonBlocked = "Blocked"
)

// maxMessage is the length that a Problem's message may have.
const maxMessage = 1024

// AllProblems are those of the spec and what a plan's conflicts mean for the
// owners of the rows, in
// order of owners. An owner whose rows only wait for a row in conflict hears of
// that one, and of nothing twice.
func (w Wanted) AllProblems(conflicts []sonic.Conflict, box Box) []v1alpha1.Problem {
	roots := make(map[sonic.Key]sonic.Conflict, len(conflicts))
	for _, c := range conflicts {
		if c.Kind != sonic.Blocked {
			roots[c.Key] = c
		}
	}
	problems := slices.Clone(w.Problems)
	for _, c := range conflicts {
		owner, ok := w.Owners[c.Key]
		if !ok {
			owner = box.self()
		}
		if of, wanted := w.Owners[c.Other]; wanted && c.Kind == sonic.MissingRow {
			if of != owner { // who hears of it already
				problems = append(problems, v1alpha1.Problem{Owner: owner, Reason: ReasonBlocked, Message: leftOut(c, of)})
			}
			continue
		}
		if c.Kind == sonic.Blocked {
			root := roots[c.Other]
			if w.Owners[root.Key] == owner {
				continue // the owner hears of the root itself
			}
			problems = append(problems, v1alpha1.Problem{Owner: owner, Reason: ReasonBlocked,
				Message: message("It waits for "+root.Key.String()+". ", root)})
			continue
		}
		problems = append(problems, v1alpha1.Problem{Owner: owner, Reason: reason(c.Kind), Message: message("", c)})
	}
	slices.SortStableFunc(problems, compareProblems)
	problems = slices.Compact(problems)
	return problems
}

func compareProblems(a, b v1alpha1.Problem) int {
	return cmp.Or(
		strings.Compare(string(a.Owner.Kind), string(b.Owner.Kind)),
		strings.Compare(a.Owner.Namespace, b.Owner.Namespace),
		strings.Compare(a.Owner.Name, b.Owner.Name),
		strings.Compare(a.Reason, b.Reason),
		strings.Compare(a.Message, b.Message))
}

func reason(kind sonic.ConflictKind) string {
	switch kind {
	case sonic.ForeignRow:
		return ReasonForeignRow
	case sonic.ForeignField:
		return ReasonForeignField
	case sonic.Taken:
		return ReasonTaken
	case sonic.MissingRow:
		return ReasonMissing
	case sonic.InUse:
		return ReasonInUse
	case sonic.Lingers:
		return ReasonLingers
	case sonic.Drifted:
		return ReasonDrifted
	case sonic.Blocked:
	}
	return ReasonBlocked
}

// leftOut says that a row waits for one whose owner is left out.
func leftOut(c sonic.Conflict, of v1alpha1.ObjectReference) string {
	return fmt.Sprintf("%s waits for %s, which is left out: see the problem of %s.", c.Key, c.Other, of)
}

// message says what conflicts with what, and what to do.
func message(prefix string, c sonic.Conflict) string {
	text := prefix + explain(c)
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "")
	}
	return text
}

func explain(c sonic.Conflict) string {
	switch c.Kind {
	case sonic.ForeignRow:
		return fmt.Sprintf("%s is in the switch's CONFIG_DB already and was not made by switchlet, which leaves it as it is. Remove it there if it is not needed.", c.Key)
	case sonic.ForeignField:
		return fmt.Sprintf("Field %s of %s was set by somebody else to another value, which switchlet leaves as it is. Remove the field in the switch's CONFIG_DB if it is not needed.", c.Detail, c.Key)
	case sonic.Taken:
		return fmt.Sprintf("%s cannot be made: %s, not made by switchlet, has %s. Remove that row in the switch's CONFIG_DB, or use something else here.", c.Key, c.Other, c.Detail)
	case sonic.MissingRow:
		return fmt.Sprintf("%s needs %s, which the switch's CONFIG_DB does not have. Use a name from status.ports of the Switch, or make the row there.", c.Key, c.Other)
	case sonic.InUse:
		if c.Other == c.Key {
			return fmt.Sprintf("%s has to go and stays: its field %s was set by somebody else. Remove the field, or delete the row, in the switch's CONFIG_DB.", c.Key, c.Detail)
		}
		if c.Leaving {
			return fmt.Sprintf("%s has to go and stays until %s, which needs it and is on its way out, has gone.", c.Key, c.Other)
		}
		if c.Detail != "" {
			return fmt.Sprintf("%s has to go and stays: field %s of %s, which needs it, was set by somebody else. Remove that field in the switch's CONFIG_DB.", c.Key, c.Detail, c.Other)
		}
		return fmt.Sprintf("%s has to go and stays: %s, not made by switchlet, needs it. Delete that row in the switch's CONFIG_DB.", c.Key, c.Other)
	case sonic.Lingers:
		return fmt.Sprintf("SONiC's daemons have not let go of %s, waiting for %s. %s stays as it is until they have. Look for the row in the log of the swss container.", c.Other, c.Detail, c.Key)
	case sonic.Drifted:
		return fmt.Sprintf("%s was changed or deleted by somebody else, and spec.drift of the Switch is Report: %s stays as it is. Put the row back, or set spec.drift to Revert.", c.Other, c.Key)
	case sonic.Blocked:
	}
	return c.Key.String() + " waits for " + c.Other.String() + "."
}
