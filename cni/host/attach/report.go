package attach

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/ipam"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/uplink"
	"github.com/switchlet/switchlet/cni/protocol"
)

// Report is what there is to say about the host's networks.
type Report struct {
	// Revision that is in force, with nothing left of what is not in it; empty without a
	// spec.
	Revision string
	Networks []v1alpha1.HostNetworkStatus
	// Problems of the spec and of devices first, then those of pods, the newest
	// first.
	Problems []v1alpha1.Problem
	// Err is why no network can be had; nil if they can.
	Err error
}

// Report says how things are.
func (s *Service) Report() Report {
	now, _ := s.now()
	r := Report{Revision: now.applied, Err: now.err, Problems: slices.Concat(now.invalid, now.uplinks)}
	used, pods, tags := map[int32][]netip.Addr{}, map[int32]int32{}, uplink.Tags(now.devices)
	for _, a := range s.cfg.Journal.All() {
		pods[a.VNI]++
		if t, direct := uplink.TagOf(now.devices, a.Parent, a.VLAN); direct {
			tags.Add(a.VNI, t)
		}
		for _, p := range a.Addresses {
			used[a.VNI] = append(used[a.VNI], p.Addr())
		}
	}
	for _, n := range now.set.All() {
		pods[n.VNI] += 0 // it is told of, with pods or without
	}
	for vni := range tags {
		pods[vni] += 0
	}
	for _, vni := range slices.Sorted(maps.Keys(pods)) {
		status := v1alpha1.HostNetworkStatus{VNI: vni, Pods: pods[vni], Tags: tags.Of(vni)}
		status.Free, status.Slices = space(now.set.Get(vni), used[vni])
		r.Networks = append(r.Networks, status)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Problems = append(r.Problems, s.pods.newest()...)
	return r
}

// space is how many addresses are free, and which ranges may not be given to
// another host: the slices, and addresses in use that are of none of them.
func space(n *networks.Network, used []netip.Addr) (free int32, held []v1alpha1.AddressRange) {
	var ranges []ipam.Range
	free = math.MaxInt32
	if n == nil {
		n = &networks.Network{}
	}
	for _, subnet := range n.Subnets {
		ranges = append(ranges, subnet.Ranges...)
		free = min(free, subnet.Free(used))
	}
	if len(n.Subnets) == 0 {
		free = 0
	}
	slices.SortFunc(used, netip.Addr.Compare)
	for _, a := range used {
		if !slices.ContainsFunc(ranges, func(r ipam.Range) bool { return r.Contains(a) }) {
			ranges = append(ranges, ipam.Range{First: a, Last: a})
		}
	}
	for _, r := range ranges {
		held = append(held, v1alpha1.AddressRange{First: r.First.String(), Last: r.Last.String()})
	}
	return free, held
}

// problems of pods, by the interface that was asked for.
type problems map[request.Key]podProblem

type podProblem struct {
	problem v1alpha1.Problem
	at      time.Time
}

// forgetAfter is how long a pod's problem is told of: a kubelet tries again within
// that time if the pod is still there.
const forgetAfter = 5 * time.Minute

// ReasonPodNotAttached is that of a problem: a pod waits for its interface.
const ReasonPodNotAttached = "PodNotAttached"

// note remembers what keeps a pod from being attached, or that nothing does.
func (s *Service) note(r request.Request, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := request.Key{ContainerID: r.Pod.String(), IfName: r.IfName} // each try has another container
	if _, told := s.pods[key]; err == nil && !told {
		return
	}
	delete(s.pods, key)
	var known *protocol.Error
	if errors.As(err, &known) {
		owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindHost, Name: s.cfg.Node}
		if n, err := s.current.set.Find(r); err == nil {
			owner = n.Owner
		}
		s.pods[key] = podProblem{v1alpha1.Problem{Owner: owner, Reason: ReasonPodNotAttached, Message: fmt.Sprintf("pod %s, interface %s: %v", r.Pod, r.IfName, known)}, time.Now()}
	}
	s.cfg.Changed()
}

// forget drops problems of pods that nobody has asked for any more.
func (s *Service) forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.pods, func(_ request.Key, p podProblem) bool { return now.Sub(p.at) > forgetAfter })
}

// newest are the problems, the newest first.
func (p problems) newest() []v1alpha1.Problem {
	var all []v1alpha1.Problem
	for _, problem := range slices.SortedFunc(maps.Values(p), func(a, b podProblem) int { return b.at.Compare(a.at) }) {
		all = append(all, problem.problem)
	}
	return all
}
