package proof_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// follower makes the endpoints what the cluster says, until it is stopped.
type follower struct {
	end  context.CancelFunc
	done sync.WaitGroup
	now  []matrix.Endpoint
	err  error
	past []moment
	// orders are what was asked for, also if it was for so short a time that the cluster
	// was not looked at meanwhile: a switch may have been told.
	orders []order
	// holders are all subnets that ever had a VNI.
	holders map[int]map[segment]bool
}

// moment is from when on an attachment brought which subnet where, by NIC and VLAN tag.
type moment struct {
	at     time.Time
	wanted map[string]segment
}

// order is from when on subnets were wanted at a NIC with a VLAN tag, whichever that is.
type order struct {
	at     time.Time
	tagged map[string][]segment // by NIC
}

// order notes what is about to be asked for.
func (f *follower) order(w world) { f.orders = append(f.orders, order{time.Now(), w.tagged()}) }

// wires are the subnets of endpoints, by NIC and VLAN tag.
func wires(endpoints []matrix.Endpoint) map[string]segment {
	all := map[string]segment{}
	for _, e := range endpoints {
		all[fmt.Sprint(e.Place(), " ", e.VLAN)] = segment{e.VPC, e.Subnet}
	}
	return all
}

// early says whether what looks like a leak is frames of a subnet that an attachment
// brings there, or brought until just now, with a tag that nobody has at the NIC: the
// switch is ready before the endpoint is, or until after it.
func (f *follower) early(l watch.Leak) bool {
	place, _, held := strings.Cut(l.At, " ")
	if held || l.Reason != watch.NotAttached && l.Reason != watch.OtherTag {
		return false
	}
	_, name, _ := strings.Cut(l.From, " ")
	for _, at := range []time.Time{l.First, l.Last} {
		wanted := f.wantedAt(place, l.VLAN, at)
		if !slices.ContainsFunc(wanted, func(s segment) bool { return s.String() == name }) {
			return false
		}
	}
	return true
}

const (
	// soon is how much later than the switch the API server may be looked at.
	soon = 10 * time.Second
	// withdrawal is how long a VLAN may stay at a port that no attachment brings it to any
	// more: the switches of a busy lab are slow.
	withdrawal = time.Minute
)

// wantedAt are the subnets that an attachment brought to a NIC with a VLAN tag at a moment,
// or so shortly before or after that the switch may have it.
func (f *follower) wantedAt(place string, vlan int, at time.Time) []segment {
	var all []segment
	for i, m := range f.past {
		gone := i+1 < len(f.past) && f.past[i+1].at.Before(at.Add(-withdrawal))
		if s, ok := m.wanted[fmt.Sprint(place, " ", vlan)]; ok && !gone && !m.at.After(at.Add(soon)) {
			all = append(all, s)
		}
	}
	for i, o := range f.orders {
		gone := i+1 < len(f.orders) && f.orders[i+1].at.Before(at.Add(-withdrawal))
		if !gone && !o.at.After(at) {
			all = append(all, o.tagged[place]...)
		}
	}
	return all
}

// follow begins to follow, with the endpoints that are there.
func (r *rig) follow(now []matrix.Endpoint) *follower {
	ctx, end := context.WithCancel(r.Context())
	f := &follower{end: end, now: now, holders: map[int]map[segment]bool{}}
	f.done.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			if err := f.turn(ctx, r, n); ctx.Err() == nil {
				f.err = err
			}
			pause(ctx, 100*time.Millisecond)
		}
	})
	r.Cleanup(func() { end(); f.done.Wait() })
	return f
}

// turn sets the endpoints if they have changed. What fails is tried again: two may want
// one VLAN tag of a NIC for a moment.
func (f *follower) turn(ctx context.Context, r *rig, n int) error {
	objects, err := r.objects(ctx)
	if err == nil {
		err = f.noteHolders(ctx, r)
	}
	if err != nil {
		return err
	}
	endpoints := f.inForce(objects, r.isHost)
	if f.err == nil && n > 0 && reflect.DeepEqual(endpoints, f.now) {
		return nil
	}
	f.now = endpoints
	return r.matrix.Set(ctx, fmt.Sprintf("turn %d", n), endpoints, matrix.VPCRules().Expect(endpoints))
}

// noteHolders notes who has which VNI of a subnet. An Allocation stays until all switches
// have let go of its value, so none is missed.
func (f *follower) noteHolders(ctx context.Context, r *rig) error {
	var all v1alpha1.AllocationList
	if err := r.cluster.List(ctx, &all); err != nil {
		return err
	}
	for _, a := range all.Items {
		vni, err := strconv.Atoi(a.Spec.Value)
		h := a.Spec.Holder
		if a.Spec.Pool != v1alpha1.PoolVNI || h.Subnet == "" || err != nil {
			continue
		}
		if f.holders[vni] == nil {
			f.holders[vni] = map[segment]bool{}
		}
		f.holders[vni][segment{h.Namespace + "/" + h.Name, h.Subnet}] = true
	}
	return nil
}

// inForce are the endpoints that may send: those of attachments that are Ready, as a host
// waits for that before it lets anybody use an attachment, and of those that are not any
// more the ones that could before. Untagged frames are of whatever subnet the switch
// thinks that they are of.
func (f *follower) inForce(objects matrix.Objects, isHost func(string) bool) []matrix.Endpoint {
	all, _ := matrix.Endpoints(objects, mtu, isHost)
	f.past = append(f.past, moment{time.Now(), wires(all)})
	objects.Attachments = slices.DeleteFunc(slices.Clone(objects.Attachments), func(a v1alpha1.VPCAttachment) bool {
		c := meta.FindStatusCondition(a.Status.Conditions, "Ready")
		return c == nil || c.Status != "True" || c.ObservedGeneration != a.Generation
	})
	ready, _ := matrix.Endpoints(objects, mtu, isHost)
	return slices.DeleteFunc(all, func(e matrix.Endpoint) bool {
		same := func(other matrix.Endpoint) bool { return reflect.DeepEqual(e, other) }
		return !slices.ContainsFunc(ready, same) && !slices.ContainsFunc(f.now, same)
	})
}

// stop ends it, once it has done what the cluster says now, and returns the endpoints.
func (f *follower) stop(r *rig) []matrix.Endpoint {
	r.Helper()
	f.end()
	f.done.Wait()
	f.err = nil
	r.ok(f.turn(r.Context(), r, 0))
	return f.now
}

// pause waits.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
