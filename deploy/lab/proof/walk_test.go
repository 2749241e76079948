package proof_test

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// world is what a random walk has made of VPCs, attachments and labels so far, and who
// should be where because of that. It only computes.
type world struct {
	vpcs        map[string][]string // the names of their subnets, in order
	attachments map[string]wish
	groups      map[string]string // the label "group" of each host
}

// wish is an attachment.
type wish struct {
	vpc, subnet, group string
	nics               string // eth1, eth2 or both, with a comma
	mode               v1alpha1.AttachmentMode
}

// change is one step: what it is, and what to write: an object to apply, one to delete,
// or a host to label.
type change struct {
	what   string
	apply  client.Object
	remove client.Object
	host   string
	label  string
}

func vpcNames() []string    { return []string{"blue", "green", "red"} }
func subnetNames() []string { return []string{"web", "db"} }
func groupNames() []string  { return []string{"a", "b", "none"} }

// newWorld has three VPCs with two subnets each, and hosts in both groups.
func newWorld(hosts []string) world {
	w := world{map[string][]string{}, map[string]wish{}, map[string]string{}}
	for _, name := range vpcNames() {
		w.vpcs[name] = subnetNames()
	}
	for i, h := range hosts {
		w.groups[h] = groupNames()[i%2]
	}
	return w
}

// begin are the changes that make an empty cluster this world.
func (w world) begin() []change {
	var all []change
	for _, name := range vpcNames() {
		all = append(all, w.write(name))
	}
	for _, host := range slices.Sorted(maps.Keys(w.groups)) {
		all = append(all, change{what: "label " + host, host: host, label: w.groups[host]})
	}
	return all
}

func (w world) clone() world {
	return world{maps.Clone(w.vpcs), maps.Clone(w.attachments), maps.Clone(w.groups)}
}

// endpoints are who should be where, each such as "host1/eth1 blue/web Tagged", and
// whether they can all be there: a segment once on a NIC, and one native one.
func (w world) endpoints() (all map[string]bool, possible bool) {
	all, possible = map[string]bool{}, true
	taken := map[string]bool{}
	take := func(what string) {
		possible = possible && !taken[what]
		taken[what] = true
	}
	for place, a := range w.places() {
		take(place + " " + a.vpc + "/" + a.subnet)
		if a.mode == v1alpha1.ModeNative {
			take(place + " native")
		}
		all[endpointName(place, a.vpc, a.subnet, a.mode)] = true
	}
	return all, possible
}

// tagged are the subnets that should be at a NIC with a VLAN tag.
func (w world) tagged() map[string][]segment {
	all := map[string][]segment{}
	for place, a := range w.places() {
		if a.mode == v1alpha1.ModeTagged {
			all[place] = append(all[place], segment{"default/" + a.vpc, a.subnet})
		}
	}
	return all
}

// places are the NICs that attachments of subnets that are there name.
func (w world) places() iter.Seq2[string, wish] {
	return func(yield func(string, wish) bool) {
		for _, a := range w.attachments {
			if !slices.Contains(w.vpcs[a.vpc], a.subnet) {
				continue
			}
			for host, group := range w.groups {
				for nic := range strings.SplitSeq(a.nics, ",") {
					if group == a.group && !yield(host+"/"+nic, a) {
						return
					}
				}
			}
		}
	}
}

func endpointName(place, vpc, subnet string, mode v1alpha1.AttachmentMode) string {
	return fmt.Sprintf("%s %s/%s %s", place, vpc, subnet, mode)
}

// step changes the world by one change that leaves it possible.
func (w *world) step(random *rand.Rand) change {
	for {
		next := w.clone()
		c := next.draw(random)
		if _, possible := next.endpoints(); possible && c.what != "" {
			*w = next
			return c
		}
	}
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// draw draws a change; what is empty if there is nothing to be changed like that.
func (w *world) draw(random *rand.Rand) change {
	name := pick(random, vpcNames()...)
	host := pick(random, slices.Sorted(maps.Keys(w.groups))...)
	slot := fmt.Sprintf("a%d", 1+random.IntN(7))
	have, there := w.attachments[slot]
	switch kind := random.IntN(20); {
	case kind < 2 && w.vpcs[name] != nil:
		delete(w.vpcs, name)
		return change{what: "delete VPC " + name, remove: vpc(name)}
	case kind < 5:
		w.vpcs[name] = pick(random, []string{"web"}, []string{"db"}, subnetNames(), subnetNames())
		return w.write(name)
	case kind < 9:
		w.groups[host] = pick(random, groupNames()...)
		return change{what: "label " + host + " group=" + w.groups[host], host: host, label: w.groups[host]}
	case kind < 11 && there:
		delete(w.attachments, slot)
		return change{what: "delete attachment " + slot, remove: attach(slot, "", "", "", "")}
	case kind < 13 && there:
		have.subnet = pick(random, subnetNames()...)
	case kind < 15 && there:
		have.mode = pick(random, v1alpha1.ModeTagged, v1alpha1.ModeNative)
	case kind < 16 && there:
		have.nics = pick(random, "eth1", "eth2", "eth1,eth2")
	case kind < 17 && there:
		have.group = pick(random, "a", "b")
	case !there:
		have = wish{name, pick(random, subnetNames()...), pick(random, "a", "b"), pick(random, "eth1", "eth2", "eth1,eth2"),
			pick(random, v1alpha1.ModeTagged, v1alpha1.ModeNative)}
	default:
		return change{}
	}
	if have == w.attachments[slot] {
		return change{}
	}
	w.attachments[slot] = have
	object := attach(slot, have.vpc, have.subnet, "group="+have.group, have.mode, strings.Split(have.nics, ",")...)
	return change{what: fmt.Sprintf("attachment %s: %+v", slot, have), apply: object}
}

// write writes a VPC. All VPCs have the same addresses.
func (w *world) write(name string) change {
	var subnets []v1alpha1.Subnet
	for _, s := range w.vpcs[name] {
		subnets = append(subnets, dual(s, 1+slices.Index(subnetNames(), s)))
	}
	return change{what: fmt.Sprintf("VPC %s: %v", name, w.vpcs[name]), apply: vpc(name, subnets...)}
}
