package render

import (
	"fmt"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// Reasons of the problems that rows have with SONiC itself.
const (
	// ReasonNotTaken: SONiC's daemons did not take a row.
	ReasonNotTaken = "NotTaken"
	// ReasonSchemaViolation: the switch's YANG models do not allow a row.
	ReasonSchemaViolation = "SchemaViolation"
)

// RowsOf are the rows of an owner.
func (w Wanted) RowsOf(owner v1alpha1.ObjectReference) sonic.DB {
	rows := sonic.DB{}
	for key, of := range w.Owners {
		if of == owner {
			rows[key] = w.Rows[key]
		}
	}
	return rows
}

// Without are the rows of those owners that are not left out.
func (w Wanted) Without(left func(v1alpha1.ObjectReference) bool) sonic.DB {
	rows := make(sonic.DB, len(w.Rows))
	for key, fields := range w.Rows {
		if !left(w.Owners[key]) {
			rows[key] = fields
		}
	}
	return rows
}

// NotTaken is what the owner of a row is told whose marker did not come.
func NotTaken(marker sonic.Marker) string {
	return fmt.Sprintf("SONiC's daemons did not take %s: %s did not come. It is left out, and tried again later and when it changes. Look for the row in the log of the swss container.", marker.Row, marker)
}

// SchemaViolation is what the owner of a row is told that the models of the
// switch do not allow.
func SchemaViolation(key sonic.Key, violation string) string {
	return fmt.Sprintf("The YANG models of the switch do not allow %s: %s. It is left out. Change what asks for it, or upgrade the switch.", key, violation)
}
