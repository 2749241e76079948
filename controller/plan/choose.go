package plan

import (
	"cmp"

	"github.com/switchlet/switchlet/controller/alloc"
)

// chooser gives out the VLAN ids of a group.
type chooser struct {
	pool *alloc.Pool // nil without a Fabric
	ids  vlans
	// used are the ids that are given out, or somebody else's.
	used map[int32]bool
	// held are the ids that may still be in use, each with the VNI that it stood for,
	// or several for more than one.
	held map[int32]int32
	// back says when an id was given back last, and former which one a VNI had last.
	back   map[int32]int64
	former map[int32]Former
}

// several stands for more than one VNI, of which none can have an id.
const several = -1

func newChooser(in Inputs, g group, ids vlans, used map[int32]bool) *chooser {
	c := &chooser{ids: ids, used: used, held: map[int32]int32{}, back: map[int32]int64{}, former: map[int32]Former{}}
	if in.Pools != nil {
		c.pool = &in.Pools.VLAN
	}
	for _, sw := range g.switches {
		for _, f := range in.Former[sw.Name] {
			c.add(f)
		}
		// What a switch has now it has until somebody has written it another spec:
		// nothing changes hands in one step.
		if config := in.Configs[sw.Name]; config != nil {
			for _, id := range givenIn(&config.Spec) {
				c.add(Former{VLAN: id.vlan, VNI: id.vni, Held: true})
			}
		}
	}
	return c
}

func (c *chooser) add(f Former) {
	if vni, is := c.held[f.VLAN]; f.Held && !is {
		c.held[f.VLAN] = f.VNI
	} else if f.Held && vni != f.VNI {
		c.held[f.VLAN] = several
	}
	c.back[f.VLAN] = max(c.back[f.VLAN], f.At)
	if was, had := c.former[f.VNI]; !had || was.At < f.At || was.At == f.At && f.VLAN < was.VLAN {
		c.former[f.VNI] = f
	}
}

// free says whether an id can be given to a VNI.
func (c *chooser) free(id, vni int32) bool {
	stood, held := c.held[id]
	return !c.used[id] && (!held || stood == vni)
}

// assignBoth gives an attachment's VRF and segment their ids, or neither.
func (c *chooser) assignBoth(a attachment) bool {
	vrf := a.vrf()
	had := hasID(c.ids, vrf)
	l2, l3 := a.vnis()
	if !c.assign(vrf, l3) {
		return false
	}
	if c.assign(a.segment(), l2) {
		return true
	}
	if !had {
		delete(c.used, c.ids[vrf])
		delete(c.ids, vrf)
	}
	return false
}

// assign gives d a VLAN id unless it has one, and says whether it has one now.
func (c *chooser) assign(d broadcastDomain, vni int32) bool {
	if _, ok := c.ids[d]; ok || c.pool == nil {
		return ok
	}
	id, ok := c.choose(d, vni)
	if ok {
		c.ids[d], c.used[id] = id, true
	}
	return ok
}

// choose prefers the id that the VNI had last, then one that nobody has had for long,
// then the one that was given back first.
func (c *chooser) choose(d broadcastDomain, vni int32) (int32, bool) {
	if f, ok := c.former[vni]; ok && c.pool.Contains(uint32(f.VLAN)) && c.free(f.VLAN, vni) {
		return f.VLAN, true
	}
	id, ok := c.pool.Pick(d.String(), func(id uint32) bool {
		_, recent := c.back[int32(id)]
		return recent || !c.free(int32(id), vni)
	})
	if ok {
		return int32(id), true
	}
	oldest, found := int32(0), false
	for id, at := range c.back {
		if c.pool.Contains(uint32(id)) && c.free(id, vni) && (!found || cmp.Or(cmp.Compare(at, c.back[oldest]), cmp.Compare(id, oldest)) < 0) {
			oldest, found = id, true
		}
	}
	return oldest, found
}

// waited says how many ids of the pool nobody gets only because they are held.
func (c *chooser) waited() int {
	n := 0
	for id := range c.held {
		if !c.used[id] && c.pool != nil && c.pool.Contains(uint32(id)) {
			n++
		}
	}
	return n
}

// vnis are the VNIs of an attachment's segment and VRF.
func (a attachment) vnis() (l2, l3 int32) {
	if a.held != nil {
		return a.held.VNI, a.held.VRF
	}
	return a.l2VNI, a.l3VNI
}
