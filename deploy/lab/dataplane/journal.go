package dataplane

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"time"
)

// Moment is whose untagged frames ports take, and to which VNIs VLANs belong, from
// Ended on, until the Began of the next moment. Between Began and Ended it is this, or
// still what it was before.
type Moment struct {
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// Native is the VLAN id of untagged frames by port; ports without one are left out.
	Native map[string]int `json:"native"`
	// VNIs by the id of each VLAN that there is; 0 for one without a tunnel.
	VNIs map[int]int `json:"vnis"`
}

// journal tells what the ports carry, for those who judge packets later: a line of JSON
// for each moment.
type journal struct {
	to  io.Writer // nil for nobody
	now Moment
}

func newJournal(to io.Writer) *journal {
	return &journal{to, Moment{Native: map[string]int{}, VNIs: map[int]int{}}}
}

// note tells of a step that began at a time and has just been taken, if it is of concern.
func (j *journal) note(s Step, want Devices, began time.Time) error {
	if j.to == nil {
		return nil
	}
	next := j.now.after(s, want)
	if maps.Equal(next.Native, j.now.Native) && maps.Equal(next.VNIs, j.now.VNIs) {
		return nil
	}
	next.Began, next.Ended = began, time.Now()
	j.now = next
	line, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if _, err := j.to.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("journal of the ports: %w", err)
	}
	return nil
}

// after is what it is after a step.
func (m Moment) after(s Step, want Devices) Moment {
	next := Moment{Native: maps.Clone(m.Native), VNIs: maps.Clone(m.VNIs)}
	d := want[s.Name]
	switch {
	case s.Name == bridge && s.Verb == JoinVLAN:
		next.VNIs[s.VLAN] += 0 // a tunnel may have come first
	case s.Name == bridge && s.Verb == LeaveVLAN:
		delete(next.VNIs, s.VLAN)
	case s.Verb == JoinVLAN && d.Kind == VXLAN:
		next.VNIs[s.VLAN] = d.ID
	case s.Verb == Delete && s.Name == bridge:
		clear(next.VNIs)
	case s.Verb == Delete && s.Device.Kind == VXLAN:
		for id := range s.Device.VLANs {
			next.untunnel(id, s.Device.ID)
		}
	case s.Verb == LeaveVLAN && d.Kind == VXLAN:
		next.untunnel(s.VLAN, d.ID)
	case s.Verb == JoinVLAN && d.Kind == Port && s.On:
		next.Native[s.Name] = s.VLAN
	case s.Verb == JoinVLAN, s.Verb == LeaveVLAN:
		if next.Native[s.Name] == s.VLAN {
			delete(next.Native, s.Name)
		}
	case s.Verb == SetMaster && s.Master != bridge:
		delete(next.Native, s.Name)
	}
	return next
}

// untunnel takes a VLAN's tunnel away.
func (m Moment) untunnel(vlan, vni int) {
	if m.VNIs[vlan] == vni && vni != 0 {
		m.VNIs[vlan] = 0
	}
}
