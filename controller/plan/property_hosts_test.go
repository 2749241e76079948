package plan

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// attachHosts selects all hosts, or NICs of theirs.
func (w *world) attachHosts(t *rapid.T) {
	w.attach(t)
	spec := &w.attachments[len(w.attachments)-1].Spec
	spec.Port, spec.Hosts = v1alpha1.PortReference{}, &v1alpha1.HostSelection{All: true}
	if rapid.Bool().Draw(t, "one NIC") {
		spec.Hosts.NICs = []string{"eth0"}
	}
}

// recable puts the NICs of a host into other ports.
func (w *world) recable(t *rapid.T) {
	host := rapid.SampledFrom(w.hosts).Draw(t, "host").Name
	w.places[host] = nil
	for i := range rapid.IntRange(0, 3).Draw(t, "NICs") {
		w.places[host] = append(w.places[host], topology.Place{NIC: fmt.Sprintf("eth%d", i), Switch: w.draw(t).Name,
			Port: rapid.SampledFrom([]string{"Ethernet0", "Ethernet4", "Ethernet12", "Ethernet8"}).Draw(t, "port")})
	}
}

// allowHosts has the class allow one host, none, or all.
func (w *world) allowHosts(t *rapid.T) {
	w.hostSelector = nil
	if rack := rapid.SampledFrom([]string{"0", "1", "2", ""}).Draw(t, "rack"); rack != "" {
		w.hostSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"rack": rack}}
	}
}

// recableSwitch puts other switches at the ends of a switch's ports.
func (w *world) recableSwitch(t *rapid.T) {
	name := w.draw(t).Name
	w.cables[name] = nil
	for _, port := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"Ethernet0", "Ethernet4", "Ethernet8", "Ethernet12", "Ethernet16"}), rapid.ID).Draw(t, "ports") {
		w.cables[name] = append(w.cables[name], Cable{Port: port, Peer: "spine", Link: name + "." + port})
	}
}

// place sorts the attachments by what they name.
func (w *world) place(in *Inputs) {
	for _, a := range w.attachments {
		if a.Spec.Hosts == nil {
			in.Attachments = append(in.Attachments, a)
			continue
		}
		for _, h := range w.hosts {
			in.Placements = append(in.Placements, At(a, h, w.places[h.Name])...)
		}
	}
}

func allPlaces(in Inputs) []Placement {
	out := slices.Clone(in.Placements)
	for _, a := range in.Attachments {
		out = append(out, Named(a))
	}
	return out
}

func selectsHosts(in Inputs, owner v1alpha1.ObjectReference) bool {
	return slices.ContainsFunc(in.Placements, func(p Placement) bool { return AttachmentRef(keyOf(p)) == owner })
}

// checkPlaces: an attachment without a problem on a switch is at all of its
// places there, or waits for VNIs, and at no other place, nor at one of hosts alone
// that the class does not allow. Of a VPC that is not accepted all that was in force
// stays: nobody asks what its class allows then.
func checkPlaces(t *rapid.T, in Inputs, out Result) {
	wanted := map[portUser]bool{}
	for _, sw := range in.Switches {
		if config := in.Configs[sw.Name]; config != nil && len(sw.Status.Ports) == 0 { // what it had
			for _, s := range config.Spec.Segments {
				for _, p := range s.Ports {
					wanted[portUser{v1alpha1.PortReference{Switch: sw.Name, Name: p.Name}, p.Owner}] = true
				}
			}
		}
	}
	for _, p := range allPlaces(in) {
		owner := AttachmentRef(keyOf(p))
		use := portUser{p.Port, owner}
		wanted[use] = wanted[use] || allowed(in.Classes["default"], p, owner) == nil || wasThere(in, use) && slices.ContainsFunc(out.Problems, func(o Problem) bool {
			return o.Owner == owner && o.Switch == p.Port.Switch && o.Reason == "VPCNotAccepted"
		})
		if out.Specs[p.Port.Switch].Revision == "" { // of no switch that there is
			continue
		}
		told := slices.ContainsFunc(out.Problems, func(o Problem) bool { return o.Owner == owner && o.Switch == p.Port.Switch })
		vpc := attachment{Placement: p}.vpcName()
		if waits := in.Identifiers.VNI(vpc, "") == 0; !told && !waits && !isAt(out, use) {
			t.Fatalf("%s is not at %+v, and nothing says why", owner, p.Port)
		}
	}
	for name, spec := range out.Specs {
		for _, s := range spec.Segments {
			for _, p := range s.Ports {
				if use := (portUser{v1alpha1.PortReference{Switch: name, Name: p.Name}, p.Owner}); !wanted[use] {
					t.Fatalf("%+v is in the spec, and nobody wants it", use)
				}
			}
		}
	}
}

// wasThere says whether an attachment is at a port in the spec that there is.
func wasThere(in Inputs, use portUser) bool {
	config := in.Configs[use.port.Switch]
	return config != nil && isAt(Result{Specs: map[string]v1alpha1.SwitchConfigSpec{use.port.Switch: config.Spec}}, use)
}

func isAt(out Result, use portUser) bool {
	return slices.ContainsFunc(out.Specs[use.port.Switch].Segments, func(s v1alpha1.SegmentConfig) bool {
		return slices.ContainsFunc(s.Ports, func(p v1alpha1.SegmentPort) bool { return p.Name == use.port.Name && p.Owner == use.owner })
	})
}

// checkUplinks: a port is an uplink or carries VLANs, and what it was it stays as
// long as somebody wants that.
func checkUplinks(t *rapid.T, in Inputs, out Result) {
	uncabled := in
	uncabled.Cables = nil
	without := Build(uncabled)
	for _, sw := range in.Switches {
		spec := out.Specs[sw.Name]
		up := map[string]bool{}
		if spec.BGP != nil {
			for _, port := range spec.BGP.Uplinks {
				up[port] = true
			}
		}
		for _, port := range spec.Uplinks {
			if !up[port] {
				t.Fatalf("%s: %s is routed by the agent, and BGP does not use it", sw.Name, port)
			}
		}
		for _, s := range spec.Segments {
			for _, p := range s.Ports {
				if up[p.Name] {
					t.Fatalf("%s: %s is an uplink and carries VLANs for %s", sw.Name, p.Name, p.Owner)
				}
			}
		}
		checkStays(t, in, without, sw, up)
	}
}

// checkStays: an uplink stays as long as its cable, and does not drive out an
// attachment that would stay without it.
func checkStays(t *rapid.T, in Inputs, without Result, sw *v1alpha1.Switch, up map[string]bool) {
	config := in.Configs[sw.Name]
	if config == nil || in.Underlay.Disabled && in.Pools != nil {
		return
	}
	cabled := func(port string) bool {
		known := len(sw.Status.Ports) == 0 || slices.ContainsFunc(sw.Status.Ports, func(p v1alpha1.SwitchPort) bool { return p.Name == port })
		return known && slices.ContainsFunc(in.Cables[sw.Name], func(c Cable) bool { return c.Port == port })
	}
	for _, port := range config.Spec.Uplinks {
		if cabled(port) && !up[port] {
			t.Fatalf("%s: %s was an uplink, is cabled, and is none any more", sw.Name, port)
		}
	}
	for _, s := range config.Spec.Segments {
		for _, p := range s.Ports {
			if up[p.Name] && isAt(without, portUser{v1alpha1.PortReference{Switch: sw.Name, Name: p.Name}, p.Owner}) {
				t.Fatalf("%s: %s was on %s, and an uplink has driven it out", sw.Name, p.Owner, p.Name)
			}
		}
	}
}
