package sonic

import (
	"slices"
	"strings"
)

// verdict says whether a wanted row can be had.
type verdict struct {
	conflict *Conflict // nil: it can
	// closed: the row must not even stay as it is.
	closed bool
}

func (v verdict) ok() bool { return v.conflict == nil }

// root is the row whose conflict this one comes from.
func (v verdict) root() Key {
	if v.conflict.Kind == Blocked {
		return v.conflict.Other
	}
	return v.conflict.Key
}

func (d *differ) judge(key Key) verdict {
	if v, ok := d.verdicts[key]; ok {
		return v
	}
	d.verdicts[key] = verdict{} // cuts a cycle
	v := verdict{conflict: d.conflictOf(key)}
	if v.ok() {
		v = d.judgeNeeds(key)
	}
	d.verdicts[key] = v
	return v
}

// conflictOf is what is in the way of the row itself.
func (d *differ) conflictOf(key Key) *Conflict {
	want := d.want[key]
	have, there := d.have[key]
	if there && !d.owned.Has(key) {
		if len(want) == 0 || shared(key) && have.contains(want) {
			return nil
		}
		return &Conflict{Kind: ForeignRow, Key: key, Other: key}
	}
	if there {
		for _, field := range d.owned.foreignFields(key, have) {
			if v, ok := want.Get(field.Name); ok && v != field.Value {
				return &Conflict{Kind: ForeignField, Key: key, Other: key, Detail: field.Name}
			}
		}
		if !d.mustBeAnew(key) {
			return nil
		}
		if b := d.blocker(key); b != nil {
			return &Conflict{Kind: InUse, Key: key, Other: b.other, Detail: b.fields}
		}
	}
	return d.taken(key)
}

// taken is the conflict with a row that excludes a new one and will stay.
func (d *differ) taken(key Key) *Conflict {
	for _, claim := range claims(key, d.want[key]) {
		for _, other := range slices.SortedFunc(slices.Values(d.claimants[claim.thing]), Key.Compare) {
			if other == key || !d.stays(other) {
				continue
			}
			for _, theirs := range claims(other, d.have[other]) {
				if claim.excludes(theirs) {
					return &Conflict{Kind: Taken, Key: key, Other: other, Detail: claim.thing}
				}
			}
		}
	}
	if key.Table == TableTunnel {
		return d.tunnelsTaken(key)
	}
	return nil
}

func (d *differ) tunnelsTaken(key Key) *Conflict {
	var others []Key
	for other := range d.have {
		if other.Table == TableTunnel && other != key && d.stays(other) {
			others = append(others, other)
		}
	}
	if len(others) < maxTunnels {
		return nil
	}
	return &Conflict{Kind: Taken, Key: key, Other: slices.MinFunc(others, Key.Compare), Detail: "one of the two VXLAN_TUNNELs of a switch"}
}

// stays reports whether a row that excludes a wanted one will still be there
// when that is made.
func (d *differ) stays(key Key) bool {
	if !d.owned.Has(key) {
		return true
	}
	_, wanted := d.want[key]
	return !wanted && d.blocker(key) != nil
}

func (d *differ) judgeNeeds(key Key) verdict {
	for _, need := range d.wantGraph.needs(key) {
		if !d.wantGraph.has(need) {
			if !d.haveGraph.has(need) {
				return verdict{conflict: &Conflict{Kind: MissingRow, Key: key, Other: need}, closed: true}
			}
			continue
		}
		if v := d.judge(need); !v.ok() {
			return verdict{conflict: &Conflict{Kind: Blocked, Key: key, Other: v.root()}}
		}
	}
	for _, guard := range d.wantGraph.guards(key) {
		if v := d.judge(guard); !v.ok() {
			return verdict{conflict: &Conflict{Kind: Blocked, Key: key, Other: v.root()}, closed: true}
		}
	}
	return verdict{}
}

// mustBeAnew reports whether a row that is there can become the wanted one only
// by being deleted and made again, because SONiC's daemons ignore or refuse the
// change of a field.
func (d *differ) mustBeAnew(key Key) bool {
	have, want := d.have[key], d.want[key]
	for _, field := range want {
		if v, ok := have.Get(field.Name); ok && v != field.Value && !changeable(key, field.Name) {
			return true
		}
	}
	for _, name := range d.owned[key] {
		_, wanted := want.Get(name)
		if _, there := have.Get(name); there && !wanted && !removable(key, name) {
			return true
		}
	}
	return false
}

// changeable reports whether SONiC's daemons take a new value of a field in
// place. A VRF's VNI they take by way of 0.
func changeable(key Key, field string) bool {
	switch key.Table {
	case TableVLAN:
		return field == "description"
	case TableVLANInterface:
		return field == fieldMACAddress || field == fieldSAG
	case TableVRF:
		return field == fieldVNI
	case TableSAG:
		return field == fieldGatewayMAC
	}
	return false
}

// removable reports whether it has an effect to remove a field. SONiC's daemons
// mostly ignore a field that is missing.
func removable(key Key, field string) bool {
	return key.Table == TableVLAN && field == "description"
}

// strippable reports whether a row still says something true when the agent's
// fields are removed from it. A VLAN's number is in its name too; an interface
// without its VRF would be in the default one.
func strippable(key Key) bool { return key.Table == TableVLAN || key.Table == TableSAG }

func join(names []string) string { return strings.Join(names, ", ") }
