// Package topology makes one port map of what switches and hosts hear by LLDP
// (IEEE 802.1AB) and of the links that somebody declared. It is pure: same
// input, same output, to the byte. It knows nothing of the API server or of time.
//
// What was declared wins over what is heard, and both are told in one Link. What
// is not clear is a Problem, never a guess, and takes nothing away: a link that
// was known stays until one of its ends is definitely cabled elsewhere.
//
// The reasons of Problems, by the object that they are told of:
//
//	Switch, Host  HeardTwice        one port or NIC is at several others: two machines have one name, or a cable was just moved
//	Host          HeardElsewhere    it hears one port and another one hears it: a cable was just moved, or fibres are crossed
//	Switch, Host  CrossedFibres     it hears one system and is heard by another
//	Switch, Host  SeveralNeighbors  a hub: three or more systems hear each other
//	Switch, Host  Loop              a port hears its own system
//	Switch, Host  NameTaken         another device has its name
//	Switch, Host  SameIdentity      two objects cannot be told apart
//	Host          HostOnSpine       a NIC is cabled to a switch that carries no attachments
//	Host          BondSplit         the NICs of a bond are at switches of different redundancy groups
//	Link          Mismatch          something else is cabled than was declared
//	Link          DeclaredTwice     an older Link declares one of its ends
//	Link          EndNotFound       one of its ends does not exist
package topology

import (
	"cmp"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Inputs is all that Build looks at. Nothing in it is changed.
type Inputs struct {
	// Switches and Hosts with what they hear, in any order.
	Switches []*v1alpha1.Switch
	Hosts    []*v1alpha1.Host
	// Links as they are now, in any order: those with ends in their specs are
	// declared, the statuses of the others are what is known from before.
	Links []*v1alpha1.Link
	// Silent are the Switches and Hosts whose agents have stopped reporting: what
	// they heard counts as stale.
	Silent map[v1alpha1.ObjectReference]bool
}

// Topology is what Build made of its Inputs.
type Topology struct {
	// Links by name: every Link that there should be. A Link without ends in its
	// spec that is not here is to be deleted.
	Links []Link
	// Problems by object. They are conditions; nothing follows from them.
	Problems []v1alpha1.Problem
	// Notes are what is worth knowing and no mistake: neighbours that are no
	// Switch or Host (UnknownNeighbor), ports that their system does not have
	// (UnknownPort), cables between switches that make no uplink (NoUplink), ports
	// that hear a NIC that hears nobody any more (HeardElsewhere).
	Notes []v1alpha1.Problem

	index *index
	ends  [][2]int32 // the ends of each link, as in its status; none if it is not in force
	of    [][]int32  // the links of each system
	at    []int32    // the link that matters most to each end, or none
	hub   []bool     // the ends that are in a hub
}

// Build makes the port map of a fabric.
func Build(in Inputs) Topology {
	b := &builder{index: newIndex(in), in: in}
	b.listen()
	b.declare()
	b.remember()
	b.ties = newTies(len(b.ends), b.half)
	b.findHubs()
	b.findMoves()
	b.findConflicts()
	b.dismiss()
	b.decideDeclared()
	b.decideFresh()
	b.decideKnown()
	return b.finish()
}

// builder collects what is found on the way.
type builder struct {
	*index
	in       Inputs
	half     []half // what was heard and what was known, one for each direction
	ties     ties
	foreign  map[int32][]*v1alpha1.LLDPNeighbor // by the end that hears an unknown system
	declared []declaration
	claimed  []int32 // the declaration in force of each end, or none
	hub      []bool  // the ends that are in a hub
	definite []bool  // the ends of which it is clear where they are
	clash    []bool  // the ends that are at several others
	sits     []int32 // the port at which a NIC is believed to be, or none
	outdated []outdated
	mistaken []bool // the ends in declarations that do not match
	links    []found
	problems []v1alpha1.Problem
	notes    []v1alpha1.Problem
}

// none stands for no index.
const none = -1

// finish sorts everything and makes the indexes for questions.
func (b *builder) finish() Topology {
	b.judgePlaces()
	t := Topology{Links: b.publish(), Problems: b.problems, Notes: b.notes, index: b.index, hub: b.hub}
	sortProblems(t.Problems)
	sortProblems(t.Notes)
	t.ends, t.of, t.at = b.lookups()
	return t
}

func sortProblems(p []v1alpha1.Problem) {
	slices.SortFunc(p, func(a, b v1alpha1.Problem) int {
		return cmp.Or(cmp.Compare(a.Owner.Kind, b.Owner.Kind), cmp.Compare(a.Owner.Name, b.Owner.Name),
			cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Message, b.Message))
	})
}

// ProblemsOf are the problems of one object.
func (t Topology) ProblemsOf(o v1alpha1.ObjectReference) []v1alpha1.Problem { return of(t.Problems, o) }

// NotesOf are the notes on one object.
func (t Topology) NotesOf(o v1alpha1.ObjectReference) []v1alpha1.Problem { return of(t.Notes, o) }

// of are those of one object, of all in the order of their objects.
func of(all []v1alpha1.Problem, o v1alpha1.ObjectReference) []v1alpha1.Problem {
	first, _ := slices.BinarySearchFunc(all, o, func(p v1alpha1.Problem, o v1alpha1.ObjectReference) int {
		return cmp.Or(cmp.Compare(p.Owner.Kind, o.Kind), cmp.Compare(p.Owner.Name, o.Name))
	})
	last := first
	for last < len(all) && all[last].Owner == o {
		last++
	}
	return all[first:last:last]
}
