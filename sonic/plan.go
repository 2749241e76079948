package sonic

import "strings"

// Op is what a Command does.
type Op int

// The commands of a plan.
const (
	_ Op = iota
	// Create writes the fields of a row that is not there (HSET), unless somebody else
	// has made it meanwhile.
	Create
	// Extend writes the fields of a row that is not there (HSET) and belongs to a row of
	// the agent's by its name, as a member does to its VLAN. Nobody looks whether it has
	// come meanwhile: what hangs on the agent's rows is the agent's.
	Extend
	// Set writes fields and leaves the others of the row alone (HSET).
	Set
	// Unset removes fields and leaves the others of the row alone (HDEL).
	Unset
	// Delete removes the row (DEL).
	Delete
)

// Makes reports whether there is no row before, and one after.
func (op Op) Makes() bool { return op == Create || op == Extend }

// Command is one change of one row. Fields are those to set or, by name only,
// those to remove; a row set without fields is one that has none.
type Command struct {
	Op     Op
	Key    Key
	Fields Fields
}

// String is the command as redis-cli takes it, without quotes.
func (c Command) String() string {
	var b strings.Builder
	switch c.Op {
	case Create, Extend, Set:
		b.WriteString("HSET " + c.Key.String())
		if len(c.Fields) == 0 {
			b.WriteString(" " + null + " " + null)
		}
		for _, field := range c.Fields {
			b.WriteString(" " + field.Name + " " + field.Value)
		}
	case Unset:
		b.WriteString("HDEL " + c.Key.String())
		for _, field := range c.Fields {
			b.WriteString(" " + field.Name)
		}
	case Delete:
		b.WriteString("DEL " + c.Key.String())
	}
	return b.String()
}

// Stage is a set of commands that go to Redis together, and what
// daemons have to show before the next stage may be begun. SONiC's daemons know
// no order across tables within a stage, so a row and one that needs it are
// never written in the same one.
type Stage struct {
	Commands []Command
	// Await are the markers to wait for.
	Await []Marker
	// Soft says that the next stage is begun also when a marker does not come:
	// the daemons were given the time to finish something earlier.
	Soft bool
}

// ConflictKind says why a wanted change is left out of a plan.
type ConflictKind int

// The kinds of conflicts.
const (
	_ ConflictKind = iota
	// ForeignRow: the wanted row is there and somebody else made it.
	ForeignRow
	// ForeignField: the row is the agent's, and a field that it wants is
	// there with a value of somebody else's.
	ForeignField
	// Taken: a row of somebody else's excludes the wanted one.
	Taken
	// MissingRow: the wanted row needs one that is not there.
	MissingRow
	// InUse: a row of the agent's would have to go, but something of somebody
	// else's hangs on it.
	InUse
	// Lingers: the row is gone from CONFIG_DB, or has to go, and a daemon has
	// not let go of what it made of it. Detail is the marker.
	Lingers
	// Drifted: somebody else changed the row, which is left as it is now.
	Drifted
	// Blocked: a row that the wanted one needs is in conflict.
	Blocked
)

// Conflict is a wanted row that is not written, or an unwanted one that is not
// deleted.
type Conflict struct {
	Kind ConflictKind
	// Key of the row.
	Key Key
	// Other is the row that stands in the way; for Blocked, the one whose
	// conflict is the root of it.
	Other Key
	// Leaving: Other is the agent's too, and on its way out.
	Leaving bool
	// Detail: for ForeignField and InUse the names of the fields, for Taken
	// what both rows claim.
	Detail string
}

// Plan is how to get from the rows that are there to those that are wanted.
type Plan struct {
	// Stages to carry out one after the other. After each of them every row
	// has the rows that it needs.
	Stages []Stage
	// Conflicts, in rising order of their keys.
	Conflicts []Conflict
	// Own has what to record before the first stage, by key the names of all
	// the fields that are the agent's then: those that were, and those to come.
	Own Ledger
	// Keep has what to record after the last stage, of rows that lost fields.
	Keep Ledger
	// Disown has what to strike from the record after the last stage, in
	// rising order.
	Disown []Key

	made *graph // what the markers of the rows that are made depend on
}

// Accepted are the markers by which daemons show, some time after the last
// stage, that they have taken what was written. Nothing waits for them before,
// so they are made when they are asked for.
func (p Plan) Accepted() []Marker {
	markers := make([]Marker, 0, p.Commands()+p.Commands()/8) // a VRF has two
	for _, stage := range p.Stages {
		for i := range stage.Commands {
			if c := &stage.Commands[i]; c.Op.Makes() || c.Op == Set && !off(c) {
				markers = p.made.appendAccepted(markers, c.Key)
			}
		}
	}
	return markers
}

// Stuck are rows that nothing may be changed of, or of what depends on them.
type Stuck map[Key]StuckRow

// StuckRow is a row that a daemon does not let go of, or that somebody else has
// changed and that is to stay so.
type StuckRow struct {
	// Fields of the row, as it last was if it is gone from CONFIG_DB.
	Fields Fields
	// Marker is what the daemon is waited for; the zero value if somebody else
	// has changed the row.
	Marker Marker
	// User is a row of somebody else's that needs the row, if that is why.
	User Key
}

// Commands is the number of commands in all stages.
func (p Plan) Commands() int {
	n := 0
	for _, stage := range p.Stages {
		n += len(stage.Commands)
	}
	return n
}

// String has a line for each command and each marker, and an empty one between
// stages.
func (p Plan) String() string {
	var b strings.Builder
	for i, stage := range p.Stages {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, command := range stage.Commands {
			b.WriteString(command.String() + "\n")
		}
		wait := "WAIT "
		if stage.Soft {
			wait = "WAIT A LITTLE "
		}
		for _, marker := range stage.Await {
			b.WriteString(wait + marker.String() + "\n")
		}
	}
	return b.String()
}
