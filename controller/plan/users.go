package plan

import (
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// portUsers are the attachments that are in force at ports with a cable to
// another switch, and want to stay there.
type portUsers map[v1alpha1.PortReference][]v1alpha1.ObjectReference

// portUser is an attachment at a port.
type portUser struct {
	port  v1alpha1.PortReference
	owner v1alpha1.ObjectReference
}

func usersOf(in Inputs, g group, places []Placement) portUsers {
	out := portUsers{}
	wanted := map[portUser]bool{}
	for _, sw := range g.switches {
		config := in.Configs[sw.Name]
		if config == nil || len(in.Cables[sw.Name]) == 0 {
			continue
		}
		if len(wanted) == 0 {
			for _, p := range places {
				wanted[portUser{p.Port, OwnerOf(p)}] = true
			}
		}
		for _, s := range config.Spec.Segments {
			for _, p := range s.Ports {
				use := portUser{v1alpha1.PortReference{Switch: sw.Name, Name: p.Name}, p.Owner}
				if wanted[use] {
					out[use.port] = append(out[use.port], use.owner)
				}
			}
		}
	}
	return out
}

// forget drops those that were not accepted after all, and says whether there
// were any.
func (u portUsers) forget(accepted map[string][]attachment) bool {
	dropped := false
	for port, owners := range u {
		left := slices.DeleteFunc(owners, func(owner v1alpha1.ObjectReference) bool {
			return !slices.ContainsFunc(accepted[port.Switch], func(a attachment) bool { return a.Port == port && a.owner() == owner })
		})
		dropped = dropped || len(left) < len(owners)
		u[port] = left
	}
	return dropped
}

// addTaken tells of the cables that make no uplink because of an attachment.
func (r *Result) addTaken(sw *v1alpha1.Switch, up uplinks, accepted []attachment) {
	for _, c := range up.taken {
		i := slices.IndexFunc(accepted, func(a attachment) bool { return a.Port.Name == c.Port })
		r.add(sw.Name, problem(switchRef(sw), "PortInUse",
			"%s is cabled to %s (Link %s), but %s is in force there. It becomes an uplink when that is deleted or moved; or correct the cable.", c.Port, c.Peer, c.Link, accepted[i].owner()))
	}
}
