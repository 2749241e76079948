package dataplane

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// simulate does with devices what the kernel does, and refuses what it refuses.
func simulate(have Devices, s Step) error {
	d, ok := have[s.Name]
	if s.Verb == Add {
		return added(have, s)
	}
	if !ok {
		return fmt.Errorf("%s: there is no %s", s, s.Name)
	}
	if s.Verb == Delete {
		return deleted(have, s)
	}
	if err := changed(have, &d, s); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	have[s.Name] = d
	return nil
}

// added is a device as the kernel makes it: down, and in nothing.
func added(have Devices, s Step) error {
	if _, ok := have[s.Name]; ok {
		return fmt.Errorf("%s: it is there", s)
	}
	if _, ok := have[bridge]; s.Device.Kind == VLAN && !ok {
		return fmt.Errorf("%s: there is no bridge", s)
	}
	if s.Device.Kind == Port {
		return fmt.Errorf("%s: ports come with cables", s)
	}
	made := Device{Kind: s.Device.Kind, ID: s.Device.ID, Local: s.Device.Local}
	if made.Kind != VRF {
		made.MTU = 1500
	}
	for name, other := range have {
		if made.Kind == other.Kind && made.ID == other.ID && made.ID != 0 {
			return fmt.Errorf("%s: %s has %d", s, name, made.ID)
		}
	}
	have[s.Name] = made
	return nil
}

// deleted also takes along what stands on a device.
func deleted(have Devices, s Step) error {
	for name, d := range have {
		if d.Master == s.Name {
			return fmt.Errorf("%s: %s is in it", s, name)
		}
		if s.Name == bridge && d.Kind == VLAN {
			return fmt.Errorf("%s: %s is on it", s, name)
		}
	}
	if have[s.Name].Kind == Port {
		return fmt.Errorf("%s: ports go with cables", s)
	}
	delete(have, s.Name)
	return nil
}

func changed(have Devices, d *Device, s Step) error {
	switch s.Verb {
	case SetUp, SetDown:
		d.Up = s.Verb == SetUp
	case SetMTU:
		d.MTU = s.MTU
	case SetMAC:
		if d.Up && d.Kind == VLAN {
			return errors.New("it is up")
		}
		d.MAC = s.MAC
	case SetMaster:
		return mastered(have, d, s.Master)
	case SetRouted:
		d.Routed, d.halfRouted = s.On, false
	case SetGleans:
		d.Gleans = s.On
	case SetLearns:
		if d.Master != bridge {
			return errors.New("it is not in the bridge")
		}
		d.Learns = s.On
	case JoinVLAN, LeaveVLAN:
		return joined(d, s)
	case AddStation, DelStation:
		d.Stations = maps.Clone(d.Stations)
		if d.Stations == nil {
			d.Stations = map[int]string{}
		}
		if delete(d.Stations, s.VLAN); s.Verb == AddStation {
			d.Stations[s.VLAN] = s.MAC
		}
	case AddAddress, DelAddress:
		return addressed(d, s)
	case Add, Delete: // done by added and deleted
	}
	return nil
}

func mastered(have Devices, d *Device, master string) error {
	if _, ok := have[master]; master != "" && (!ok || d.Master != "") {
		return fmt.Errorf("it is in %q, and whether there is a %s: %v", d.Master, master, ok)
	}
	d.Master, d.Learns, d.VLANs = master, master == bridge, nil
	return nil
}

func joined(d *Device, s Step) error {
	if d.Master != bridge && d.Kind != Bridge {
		return errors.New("it is not in the bridge")
	}
	d.VLANs = maps.Clone(d.VLANs)
	if d.VLANs == nil {
		d.VLANs = map[int]bool{}
	}
	if delete(d.VLANs, s.VLAN); s.Verb == JoinVLAN {
		d.VLANs[s.VLAN] = s.On
	}
	return nil
}

func addressed(d *Device, s Step) error {
	there := slices.Contains(d.Addresses, s.Address)
	if there == (s.Verb == AddAddress) {
		return fmt.Errorf("whether it is there: %v", there)
	}
	rest := slices.DeleteFunc(slices.Clone(d.Addresses), func(a netip.Prefix) bool { return a == s.Address })
	if s.Verb == AddAddress {
		rest = append(rest, s.Address)
	}
	slices.SortFunc(rest, netip.Prefix.Compare)
	d.Addresses = rest
	return nil
}
