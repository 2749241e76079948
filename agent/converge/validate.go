package converge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

// validator knows what CONFIG_DB has, and whether the switch's YANG models allow
// what it would have after a plan.
type validator struct {
	schema  *yang.Schema
	checker *yang.Checker
	rows    sonic.DB               // as the checker has them
	dirty   map[sonic.Key]struct{} // rows that may be others by now
}

// newValidator checks all rows once.
func newValidator(schema *yang.Schema, rows sonic.DB) *validator {
	return &validator{schema: schema, checker: yang.NewChecker(schema, rows), rows: maps.Clone(rows), dirty: map[sonic.Key]struct{}{}}
}

// touch notes rows that may have changed.
func (v *validator) touch(keys []sonic.Key) {
	for _, key := range keys {
		v.dirty[key] = struct{}{}
	}
}

// touchAll notes that any row may have changed.
func (v *validator) touchAll(rows sonic.DB) {
	for _, db := range []sonic.DB{rows, v.rows} {
		for key := range db {
			v.dirty[key] = struct{}{}
		}
	}
}

// sync brings the checker up to date with the rows.
func (v *validator) sync(rows sonic.DB) {
	if len(v.dirty) == 0 {
		return
	}
	var changes []yang.Change
	for key := range v.dirty {
		fields, there := rows[key]
		was, known := v.rows[key]
		if there != known || !slices.Equal(fields, was) {
			changes = append(changes, yang.Change{Key: key, Fields: fields, Gone: !there})
		}
	}
	v.dirty = map[sonic.Key]struct{}{} // a cleared one keeps its size
	v.commit(changes)
}

func (v *validator) commit(changes []yang.Change) []yang.Violation {
	if len(changes) == 0 {
		return nil
	}
	for _, change := range changes {
		if change.Gone {
			delete(v.rows, change.Key)
		} else {
			v.rows[change.Key] = change.Fields
		}
	}
	return v.checker.Commit(changes)
}

// try checks what a plan would make of the rows, and holds it for done if
// nothing is wrong with it.
func (v *validator) try(plan sonic.Plan, rows sonic.DB) []yang.Violation {
	v.sync(rows)
	after, met := sonic.DB{}, map[sonic.Key]bool{} // a row may be deleted and made anew
	for _, stage := range plan.Stages {
		for _, command := range stage.Commands {
			if fields, there := rows[command.Key]; there && !met[command.Key] {
				after[command.Key] = fields
			}
			met[command.Key] = true
			after.Apply(command)
			v.dirty[command.Key] = struct{}{} // until it is seen to be so
		}
	}
	changes := make([]yang.Change, 0, len(v.dirty))
	violations := []yang.Violation(nil)
	for key := range v.dirty {
		fields, there := after[key]
		changes = append(changes, yang.Change{Key: key, Fields: fields, Gone: !there})
		if there && !v.schema.Table(key.Table) {
			violations = append(violations, yang.Violation{Key: key, Rule: yang.UnknownKey, Message: "the models do not know the table"})
		}
	}
	return append(violations, v.commit(changes)...)
}

// calm is that there was nothing to do: as long as nothing changes, there is no
// need to look again.
type calm struct {
	known   bool
	changes int
	policy  v1alpha1.DriftPolicy
	plan    sonic.Plan // conflicts alone
	rows    sonic.DB
}

func (c calm) holds(changes int, policy v1alpha1.DriftPolicy, stuck sonic.Stuck, left map[v1alpha1.ObjectReference]*sentence) (sonic.DB, bool) {
	return c.rows, c.known && c.changes == changes && c.policy == policy && len(stuck)+len(left) == 0
}

// violationError is a violation that is nobody's: nothing can be left out to
// avoid it.
type violationError struct{ yang.Violation }

func (e violationError) Error() string {
	return "the change would violate the YANG models of the switch, and it is not clear whose part of it does: " + explain(e.Violation)
}

// validated is the plan for the wanted rows, without what the models do not
// allow: its owner is left out, and the others' goes on. Rows that others hang on
// in ways that only the models know stay.
func (c *Converger) validated(wanted render.Wanted, policy v1alpha1.DriftPolicy, now time.Time) (sonic.Plan, sonic.DB, error) {
	if rows, ok := c.calm.holds(c.changes, policy, c.stuck.rows, c.quarantine.owners); ok {
		return c.calm.plan, rows, nil
	}
	for {
		plan, rows := c.plan(wanted, now)
		if plan.Commands() == 0 {
			nothing := len(plan.Stages)+len(plan.Own)+len(plan.Keep)+len(plan.Disown)+len(c.stuck.rows)+len(c.quarantine.owners) == 0
			c.calm = calm{nothing, c.changes, policy, plan, rows}
			return plan, rows, nil
		}
		violations := c.session.validator.try(plan, c.session.mirror.Rows())
		if len(violations) == 0 {
			return plan, rows, nil
		}
		c.cfg.Metrics.Violations.Set(float64(len(violations)))
		if !c.blame(violations, wanted, plan, now) {
			return plan, rows, violationError{violations[0]}
		}
	}
}

// blame leaves out the owners of the rows that take part in violations, or the
// deletions that leave a row of somebody else's without what it needs. It
// reports whether it found any.
//
// Those whose rows the plan changes come first: a rule is looked at from every row
// that it is about, and the others were well until then.
func (c *Converger) blame(violations []yang.Violation, wanted render.Wanted, plan sonic.Plan, now time.Time) bool {
	changed := map[sonic.Key]bool{}
	for _, stage := range plan.Stages {
		for i := range stage.Commands {
			changed[stage.Commands[i].Key] = true
		}
	}
	if c.leaveOut(violations, wanted, func(key sonic.Key) bool { return changed[key] }, now) {
		return true
	}
	found := c.leaveOut(violations, wanted, func(sonic.Key) bool { return true }, now)
	for i := 0; i < len(violations) && !found; i++ {
		found = c.holdFor(violations[i], plan, now)
	}
	return found
}

// leaveOut leaves out the owners of those rows in violations that may be concerned,
// and reports whether there are any.
func (c *Converger) leaveOut(violations []yang.Violation, wanted render.Wanted, may func(sonic.Key) bool, now time.Time) bool {
	found := false
	for _, violation := range violations {
		for _, key := range append([]sonic.Key{violation.Key}, violation.Others...) {
			owner, ok := wanted.Owners[key]
			if ok && may(key) && !c.quarantine.left(owner) {
				c.quarantine.add(owner, render.ReasonSchemaViolation, render.SchemaViolation(key, explain(violation)), wanted, now)
				found = true
			}
		}
	}
	return found
}

// holdFor keeps rows from being deleted that a row of somebody else's refers to.
func (c *Converger) holdFor(violation yang.Violation, plan sonic.Plan, now time.Time) bool {
	found := false
	for _, stage := range plan.Stages {
		for _, command := range stage.Commands {
			if command.Op == sonic.Delete && names(command.Key, violation.Value) {
				c.stuck.hold(command.Key, violation.Key, c.session.mirror.Rows()[command.Key], now)
				found = true
			}
		}
	}
	return found
}

// names reports whether a value can refer to a row.
func names(key sonic.Key, value string) bool {
	return value != "" && slices.Contains(strings.Split(key.Name, sonic.Separator), value)
}

// explain is a violation for the owner of a row that takes part: values of rows
// that are not the agent's are nobody's business.
func explain(v yang.Violation) string {
	field := ""
	if v.Field != "" {
		field = " " + v.Field
	}
	return fmt.Sprintf("%s%s: %s: %s", v.Key, field, v.Rule, v.Message)
}

// foreignViolations are the violations that were there without the agent, by
// table, field and rule: the names and values of others' rows can be secrets.
func (v *validator) foreignViolations(rows sonic.DB, ledger sonic.Ledger) []string {
	v.sync(rows)
	counts := map[string]int{}
	for _, violation := range v.checker.Violations() {
		if ledger.Has(violation.Key) {
			continue
		}
		what := strings.TrimSuffix(violation.Key.Table+" "+violation.Field, " ") + ": " + violation.Rule.String()
		counts[what]++
	}
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		if len(all) < maxForeignViolations {
			all = append(all, fmt.Sprintf("%s (%d)", what, counts[what]))
		}
	}
	return all
}

const maxForeignViolations = 32
