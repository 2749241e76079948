package frr

import (
	"slices"
	"strings"
)

// level is the work on one context.
type level struct {
	*differ
	place
	haves, wants, owns map[string]*Node
	want               Tree
	kept               map[string]bool // not to be taken back
}

// makeAll makes what is wanted and not there.
func (l *level) makeAll(have, want Tree) Tree {
	var made Tree
	var slots map[string]string
	if !judges(want) {
		l.unjudged(want, "")
	}
	for i := range want {
		node := &want[i]
		if l.wants[node.Line] != node {
			continue // is wanted twice
		}
		there, ok := l.haves[node.Line]
		if ok && !l.gone(node.Line) {
			inside := l.level(l.inside(node.Line), there.Inside, node.Inside, l.ownedInside(node.Line))
			if len(inside) > 0 {
				made = append(made, Node{Line: node.Line, Owner: node.Owner, Inside: inside, Shared: l.own(node.Line) == nil})
			}
			continue
		}
		if slots == nil {
			slots = l.slots(have)
		}
		if l.makeRoom(node, slots) {
			l.create(l.place, node)
			made = append(made, *node)
		}
	}
	return made
}

// slots are the statements that are there by what they give a value to.
func (l *level) slots(have Tree) map[string]string {
	slots := make(map[string]string, len(have))
	for _, node := range have {
		if l.gone(node.Line) && !makes(node.Line) {
			continue
		}
		if s := slot(node.Line); s != "" {
			slots[s] = node.Line
		}
	}
	return slots
}

// makeRoom sees to it that nothing else is in the slot of a statement.
func (l *level) makeRoom(node *Node, slots map[string]string) bool {
	s := slot(node.Line)
	other, taken := slots[s]
	if s == "" || !taken || other == node.Line {
		return true
	}
	own := l.own(other)
	if own == nil || l.kept[other] && !overwrites(node.Line) || foreign(l.haves[other].Inside, own.Inside) != "" {
		l.conflict(Taken, l.place, node.Line, node.Owner, other)
		if imports(node.Line) {
			l.unjudged(l.want, other)
		}
		return false
	}
	if !overwrites(node.Line) {
		l.takeBack(l.haves[other], own, l.replacing(other))
	}
	l.kept[other] = true
	return true
}

// create makes a statement with all that is inside.
func (d *differ) create(p place, node *Node) {
	if !grouping(node.Line) {
		d.send(p, p.making(node.Line), node.Line, node.Owner)
	}
	for i := range node.Inside {
		d.create(p.inside(node.Line), &node.Inside[i])
	}
}

// own is the record of a statement that is Switchlet's.
func (l *level) own(line string) *Node {
	if own, ok := l.owns[line]; ok && !own.Shared {
		return own
	}
	return nil
}

// ownedInside is the record of what is inside of a statement.
func (l *level) ownedInside(line string) Tree {
	if own, ok := l.owns[line]; ok {
		return own.Inside
	}
	return nil
}

// drop takes a statement back that is Switchlet's and not wanted.
func (l *level) drop(node *Node) {
	own, ok := l.owns[node.Line]
	if !ok || l.wants[node.Line] != nil || l.kept[node.Line] || l.gone(node.Line) && !makes(node.Line) {
		return
	}
	if stays(node.Line) {
		l.conflict(InUse, l.place, node.Line, own.Owner, l.context[0])
		return
	}
	other := foreign(node.Inside, own.Inside)
	if !own.Shared && !grouping(node.Line) && other == "" {
		l.takeBack(node, own, l.dropping(node.Line))
		return
	}
	if !own.Shared && !grouping(node.Line) {
		l.conflict(InUse, l.place, node.Line, own.Owner, other)
	}
	l.level(l.inside(node.Line), node.Inside, nil, own.Inside)
}

// takeBack sends what takes a statement away, with all that is inside.
func (l *level) takeBack(node, own *Node, phase phase) {
	line := negate(node.Line)
	if makes(node.Line) {
		line = unmake(node.Line)
	}
	l.strip(node, own)
	l.release(node)
	l.send(l.place, phase, line, own.Owner)
}

// release has the L3 VNI of a tenant's instance taken back and made again when it
// is to stay, as with another ASN: bgpd does not let go of the instance before.
func (l *level) release(node *Node) {
	_, name, ok := strings.Cut(node.Line, " vrf ")
	if !ok || kindOf(node.Line) != kindBGPVRF {
		return
	}
	vrf := "vrf " + name
	there, wanted := l.haves[vrf], l.wants[vrf]
	if there == nil || wanted == nil {
		return
	}
	for _, inside := range there.Inside {
		own := l.ownedInside(vrf).find(inside.Line)
		if slot(inside.Line) == "vni" && own != nil && wanted.Inside.find(inside.Line) != nil {
			p := place{}.inside(vrf)
			l.send(p, dropVNI, negate(inside.Line), own.Owner)
			l.send(p, makeVNI, inside.Line, own.Owner)
		}
	}
}

// strip empties the EVPN family of a tenant's instance before it goes: FRR 8.4
// aborts when an instance with route targets does. What it takes over from other VRFs
// goes before all else.
func (d *differ) strip(node, own *Node) {
	if kindOf(node.Line) != kindBGPVRF {
		return
	}
	p := place{}.inside(node.Line)
	for _, family := range node.Inside {
		at := p.inside(family.Line)
		for _, inside := range slices.Backward(family.Inside) {
			if imports(inside.Line) { // the route map stays until nothing is taken over any more
				d.send(at, dropImport, negate(inside.Line), own.Owner)
			}
		}
		if family.Line != "address-family l2vpn evpn" {
			continue
		}
		for _, inside := range family.Inside {
			d.send(at, stripInstance, negate(inside.Line), own.Owner)
		}
	}
}
