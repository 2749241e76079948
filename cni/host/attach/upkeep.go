package attach

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/uplink"
	"github.com/switchlet/switchlet/cni/protocol"
)

// bridgeStays is how long a bridge that a pod has asked for is there without any:
// the pod gets its interface meanwhile.
const bridgeStays = time.Minute

// Upkeep makes the host's devices as they have to be, and says what came of it. It
// is called whenever they may have changed.
func (s *Service) Upkeep() { s.renew() }

func (s *Service) renew() current {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	before, _ := s.now()
	next := s.devices(before.set, before.applied)
	s.mu.Lock()
	next.invalid = before.invalid
	s.publish(next)
	s.mu.Unlock()
	s.cfg.Changed()
	return next
}

// devices makes the devices that networks need. What fails concerns one network,
// the others go on. As long as a device is there that has to go, applied stays the
// revision that was.
func (s *Service) devices(set networks.Set, applied string) current {
	next := current{set: set, failed: map[int32]error{}, applied: applied}
	have, err := s.cfg.Host.Devices()
	if err != nil {
		next.err = err
		return next
	}
	wanted := s.wanted(set)
	steps, problems := uplink.Plan(have, wanted)
	next.uplinks = problems
	left := false
	for _, step := range steps {
		vni := step.Device.VNI
		if next.failed[vni] != nil && vni != 0 {
			left = left || step.Op == uplink.Delete
			continue // the rest stands on what failed
		}
		if err := s.cfg.Host.Do(step); err != nil {
			next.failed[vni] = err
			left = left || step.Op == uplink.Delete
			s.cfg.Log.Warn("device of the host", "error", err)
			continue
		}
		s.cfg.Log.Info("device of the host", "step", step.String())
	}
	for _, n := range wanted {
		if err := next.failed[n.VNI]; err != nil {
			next.uplinks = append(next.uplinks, v1alpha1.Problem{Owner: n.Owner, Reason: ReasonDeviceFailed, Message: fmt.Sprintf("network %s: %v", n.Name, err)})
		}
	}
	if len(steps) > 0 {
		if have, err = s.cfg.Host.Devices(); err != nil {
			next.err = err
		}
	}
	if !left {
		next.applied = set.Revision
	}
	next.devices = map[string]uplink.Device{}
	for _, d := range have {
		next.devices[d.Name] = d
	}
	return next
}

// ReasonDeviceFailed is that of a problem: the kernel refuses a device.
const ReasonDeviceFailed = "DeviceFailed"

// wanted are the networks whose devices are needed: those of the spec, and those
// that pods are in.
func (s *Service) wanted(set networks.Set) []uplink.Network {
	used, bridged := map[int32]bool{}, map[int32]bool{}
	for _, a := range s.cfg.Journal.All() {
		used[a.VNI] = true
		bridged[a.VNI] = bridged[a.VNI] || a.Mode == request.Bridge || a.Parent == uplink.BridgeName(a.VNI)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for vni, asked := range s.bridges {
		if !bridged[vni] && time.Since(asked) > bridgeStays {
			delete(s.bridges, vni)
		}
	}
	for vni := range bridged {
		if bridged[vni] && s.bridges[vni].IsZero() {
			s.bridges[vni] = time.Now()
		}
	}
	var all []uplink.Network
	for _, n := range set.All() {
		u := s.uplinkOf(n)
		u.Used = used[n.VNI]
		all = append(all, u)
		delete(used, n.VNI)
	}
	for vni := range used {
		all = append(all, uplink.Network{VNI: vni, Used: true, Bridge: bridged[vni]})
	}
	return all
}

// uplinkOf is a network as far as its devices are concerned. The caller holds mu.
func (s *Service) uplinkOf(n *networks.Network) uplink.Network {
	return uplink.Network{
		VNI: n.VNI, Owner: n.Owner, Name: n.Name(), MTU: n.MTU, Uplinks: n.Uplinks,
		Bridge: !s.bridges[n.VNI].IsZero(),
	}
}

// parent is the device that pods of a network are attached to, and its MTU.
func (s *Service) parent(n *networks.Network) (string, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := s.uplinkOf(n).Parent()
	device, ok := s.current.devices[name]
	if !ok {
		return "", 0, &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("network %s cannot be had on this node: %v", n.Name(), cmp.Or(s.current.err, s.whyNot(n))),
			Details: fmt.Sprintf("see kubectl get links, and the status of HostConfig %s", s.cfg.Node)}
	}
	return name, device.MTU, nil
}

// whyNot is why a network has no device. The caller holds mu.
func (s *Service) whyNot(n *networks.Network) error {
	for _, p := range s.current.uplinks {
		if why, ok := strings.CutPrefix(p.Message, "network "+n.Name()+": "); ok {
			return errors.New(why)
		}
	}
	return errors.New("there is no device for it")
}
