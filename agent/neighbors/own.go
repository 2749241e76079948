package neighbors

import (
	"fmt"
	"log/slog"
	"net"
	"slices"

	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// ownFrames are sent and heard by the agent itself.
type ownFrames struct{ *wire.Agent }

// newOwnFrames sends what SONiC's lldp service would send of the same switch
// (docker-lldp, lldpmgrd), on the ports of the front panel and nowhere else.
func newOwnFrames(s self, log *slog.Logger) (speaker, error) {
	mac, err := net.ParseMAC(s.system.ChassisID)
	if err != nil {
		return nil, fmt.Errorf("DEVICE_METADATA|localhost: mac is %q, which is to be the chassis id: set it to the switch's MAC address", s.system.ChassisID)
	}
	forwards := frame.Bridge | frame.Router
	agent, err := wire.New(wire.Config{
		Chassis: frame.ChassisByMAC(mac), SystemName: s.system.Name,
		SystemDescription: "SONiC, LLDP by Switchlet",
		Capabilities:      frame.SystemCapabilities{Supported: forwards, Enabled: forwards},
		Select: func(l wire.Link) bool {
			_, ok := s.ports[l.Name]
			return ok
		},
		Describe: func(l wire.Link, f *frame.Frame) {
			p := s.ports[l.Name]
			f.PortID = frame.PortID{Subtype: frame.PortLocal, ID: p.Alias}
			f.PortDescription = p.Description
		},
		Log: log,
	})
	if err != nil {
		return nil, err
	}
	return ownFrames{agent}, nil
}

// heard are those who are heard now. A switch that hears itself, by a cable
// between two of its ports, is told too.
func (o ownFrames) heard() []v1alpha1.LLDPNeighbor {
	var heard []v1alpha1.LLDPNeighbor
	for _, n := range slices.Concat(o.Neighbors(), o.Loops()) {
		if known, ok := neighbor.Of(n.Interface, n.Frame); ok && !n.Stale {
			heard = append(heard, known)
		}
	}
	return heard
}
