package watch

import (
	"slices"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

// Reasons why a frame is a leak.
const (
	// OtherVPC: it was sent in another VPC.
	OtherVPC = "other VPC"
	// OtherSubnet: it was sent in another subnet of the VPC, to nobody in this one.
	OtherSubnet = "other subnet"
	// NotRouted: it was sent to somebody in this subnet, from another one, and no
	// gateway was on its way.
	NotRouted = "not routed"
	// OtherTag: the NIC has the sender's subnet, but with another VLAN tag.
	OtherTag = "other VLAN tag"
	// NotAttached: the NIC has nothing with this VLAN tag.
	NotAttached = "not attached"
)

// nic is a NIC of a host, or of a pod, such as "host1/tenant-a/web".
type nic struct{ host, name string }

// nicOf is a NIC of whom an endpoint is at.
func nicOf(e *matrix.Endpoint, name string) nic {
	if e.Pod != "" {
		return nic{e.Host + "/" + e.Pod, name}
	}
	return nic{e.Host, name}
}

// judge knows who is where, and was. It only computes.
type judge struct {
	endpoints map[matrix.ID]*matrix.Endpoint   // all that ever were
	at        map[nic]map[int]*matrix.Endpoint // by VLAN tag; the last one that was there
	present   map[nic]map[matrix.ID]struct{}   // those that are there now
	joined    map[[2]string]bool               // VPCs between which someone reached someone
}

func newJudge() *judge {
	return &judge{map[matrix.ID]*matrix.Endpoint{}, map[nic]map[int]*matrix.Endpoint{}, nil, map[[2]string]bool{}}
}

// set says who is there from now on, and who may reach whom.
func (j *judge) set(endpoints []matrix.Endpoint, expect matrix.Expectation) {
	j.present = map[nic]map[matrix.ID]struct{}{}
	for i := range endpoints {
		e := &endpoints[i]
		j.endpoints[e.ID()] = e
		for _, w := range e.Wires() {
			n := nicOf(e, w.NIC)
			if j.at[n] == nil {
				j.at[n] = map[int]*matrix.Endpoint{}
			}
			if j.present[n] == nil {
				j.present[n] = map[matrix.ID]struct{}{}
			}
			j.at[n][w.VLAN], j.present[n][e.ID()] = e, struct{}{}
		}
	}
	for pair, reach := range expect {
		from, to := j.endpoints[pair.From], j.endpoints[pair.To]
		if reach && from != nil && to != nil {
			j.joined[[2]string{from.VPC, to.VPC}] = true
			j.joined[[2]string{to.VPC, from.VPC}] = true
		}
	}
}

// verdict says why a frame that came to a NIC with a VLAN tag is a leak; it is none if
// that is empty. at is whom the tag belongs to, nil if nobody.
func (j *judge) verdict(h mark.Heard, n nic, vlan int) (from, at *matrix.Endpoint, reason string) {
	from, at = j.endpoints[h.From], j.at[n][vlan]
	if from != nil && at != nil && vlan != 0 && at.VPC != from.VPC && !j.isThere(n, at) {
		at = nil // the host has let go of the tag, and nobody has it now
	}
	switch {
	case from == nil: // of somebody who is not ours
	case at == nil && j.hasSegment(n, from):
		reason = OtherTag
	case at == nil:
		reason = NotAttached
	case at.VPC != from.VPC && j.hasSegment(n, from):
		reason = OtherTag
	case at.VPC != from.VPC && (!j.joined[[2]string{from.VPC, at.VPC}] || from.Isolated || at.Isolated):
		reason = OtherVPC
	case at.VPC == from.VPC && at.Subnet != from.Subnet && (from.Isolated || at.Isolated):
		reason = OtherSubnet
	case at.VPC == from.VPC && at.Subnet != from.Subnet:
		reason = j.between(h, at)
	}
	return from, at, reason
}

// isThere says whether an endpoint is at a NIC, with the tag that it had.
func (j *judge) isThere(n nic, e *matrix.Endpoint) bool {
	_, there := j.present[n][e.ID()]
	return there && slices.Equal(j.endpoints[e.ID()].Wires(), e.Wires())
}

// hasSegment says whether a NIC is in the broadcast domain of an endpoint.
func (j *judge) hasSegment(n nic, from *matrix.Endpoint) bool {
	for id := range j.present[n] {
		if e := j.endpoints[id]; e.VPC == from.VPC && e.Subnet == from.Subnet {
			return true
		}
	}
	return false
}

// between judges a frame that was sent in another subnet of the VPC.
func (j *judge) between(h mark.Heard, at *matrix.Endpoint) string {
	to := j.endpoints[h.To]
	switch {
	case h.Kind == mark.Broadcast || h.Kind == mark.Stray:
		return OtherSubnet
	case to == nil:
		return "" // to somebody who is not ours
	case to.Subnet != at.Subnet || to.VPC != at.VPC:
		return OtherSubnet
	case h.TTL >= mark.Hops && h.Kind != mark.Request: // the answer to an echo has the request's mark
		return NotRouted
	}
	return ""
}
