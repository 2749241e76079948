// Package render turns a SwitchConfig into the CONFIG_DB rows that it means on
// one box, and conflicts between those rows and others' into problems that a
// tenant can read. It is pure: same input, same rows.
package render

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// Names of the rows that are not named after an identifier. A tunnel's name has
// at most 10 bytes.
const (
	tunnel   = "switchlet"
	nvo      = "switchlet"
	loopback = "Loopback1"
)

// Reasons of the problems that the spec itself has on this box.
const (
	// ReasonInvalidValue: a field has a value that no switch takes.
	ReasonInvalidValue = "InvalidValue"
	// ReasonGatewayUnsupported: the box knows no anycast gateway.
	ReasonGatewayUnsupported = "GatewayUnsupported"
)

// ErrInvalidSpec says that a spec cannot be rendered at all.
var ErrInvalidSpec = errors.New("the spec cannot be rendered")

// Box is what rendering has to know of the switch.
type Box struct {
	// Name of the Switch.
	Name string
	// Gateway is how the box says "anycast gateway".
	Gateway v1alpha1.GatewayDialect
	// Draining: the neighbours in BGP are asked to move traffic away.
	Draining bool
}

// Wanted is what a spec means on a box.
type Wanted struct {
	// Rows of CONFIG_DB.
	Rows sonic.DB
	// Owners of the rows, for whom they are there.
	Owners map[sonic.Key]v1alpha1.ObjectReference
	// Problems are the parts of the spec that have no rows.
	Problems []v1alpha1.Problem
}

// Render gives the rows of a spec. A part that cannot be rendered is left out
// and is a Problem of its owner. The error wraps ErrInvalidSpec when the spec
// contradicts itself or lacks what everybody needs.
func Render(spec *v1alpha1.SwitchConfigSpec, box Box) (Wanted, error) {
	r := &renderer{spec: spec, box: box, vrfs: make(map[int32]bool, len(spec.VRFs))}
	size := 8 + len(spec.Uplinks) + 5*len(spec.VRFs) + 6*len(spec.Segments)
	r.wanted = Wanted{Rows: make(sonic.DB, size), Owners: make(map[sonic.Key]v1alpha1.ObjectReference, size)}
	if err := r.fabric(); err != nil {
		return Wanted{}, fmt.Errorf("%w: %w", ErrInvalidSpec, err)
	}
	if err := r.uplinks(); err != nil {
		return Wanted{}, err
	}
	for i := range spec.VRFs {
		r.vrf(&spec.VRFs[i])
	}
	for i := range spec.Segments {
		r.segment(&spec.Segments[i])
	}
	return r.wanted, nil
}

type renderer struct {
	spec   *v1alpha1.SwitchConfigSpec
	box    Box
	mac    string // of every gateway, as SONiC writes it
	vrfs   map[int32]bool
	wanted Wanted
}

func (r *renderer) add(owner v1alpha1.ObjectReference, rows ...sonic.Row) {
	for _, row := range rows {
		r.wanted.Rows[row.Key] = row.Fields
		r.wanted.Owners[row.Key] = owner
	}
}

func (r *renderer) problem(owner v1alpha1.ObjectReference, reason, format string, args ...any) {
	r.wanted.Problems = append(r.wanted.Problems,
		v1alpha1.Problem{Owner: owner, Reason: reason, Message: fmt.Sprintf(format, args...)})
}

// self is the owner of what belongs to the switch as a whole.
func (b Box) self() v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: b.Name}
}

// fabric renders what the segments stand on: the tunnel endpoint.
func (r *renderer) fabric() error {
	if err := unique(r.spec); err != nil {
		return err
	}
	if r.spec.AnycastMAC != "" {
		mac, err := net.ParseMAC(r.spec.AnycastMAC)
		if err != nil || len(mac) != 6 {
			return fmt.Errorf("spec.anycastMAC is %q: it must be a MAC address such as 00:00:5e:00:01:01", r.spec.AnycastMAC)
		}
		r.mac = mac.String()
	}
	if r.spec.VTEP == "" {
		if len(r.spec.VRFs)+len(r.spec.Segments) > 0 {
			return errors.New("spec.vtep is empty: a switch with VRFs or segments needs the address of a tunnel endpoint")
		}
		return nil
	}
	vtep, err := netip.ParseAddr(r.spec.VTEP)
	if err != nil || vtep.Zone() != "" {
		return fmt.Errorf("spec.vtep is %q: it must be an IP address", r.spec.VTEP)
	}
	r.add(r.box.self(), sonic.Loopback{Name: loopback, Address: vtep}.Rows()...)
	r.add(r.box.self(), sonic.Tunnel{Name: tunnel, Source: vtep}.Row(), sonic.NVO{Name: nvo, Tunnel: tunnel}.Row())
	return nil
}

// unique refuses a spec that gives an identifier to two: nobody could say whose
// it is.
func unique(spec *v1alpha1.SwitchConfigSpec) error {
	vlans, vnis := map[int32]string{}, map[int32]string{}
	for i, vrf := range spec.VRFs {
		if err := uniqueIDs(vlans, vnis, vrf.VLAN, vrf.VNI, fmt.Sprintf("spec.vrfs[%d]", i)); err != nil {
			return err
		}
	}
	for i, segment := range spec.Segments {
		if err := uniqueIDs(vlans, vnis, segment.VLAN, segment.VNI, fmt.Sprintf("spec.segments[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func uniqueIDs(vlans, vnis map[int32]string, vlan, vni int32, field string) error {
	if vlan < 2 || vlan > 4094 {
		return fmt.Errorf("%s.vlan is %d: it must be from 2 to 4094", field, vlan)
	}
	if vni < 1 || vni >= 1<<24 {
		return fmt.Errorf("%s.vni is %d: it must be from 1 to 16777215", field, vni)
	}
	if other, ok := vlans[vlan]; ok {
		return fmt.Errorf("%s.vlan is %d, which %s has already", field, vlan, other)
	}
	if other, ok := vnis[vni]; ok {
		return fmt.Errorf("%s.vni is %d, which %s has already", field, vni, other)
	}
	vlans[vlan], vnis[vni] = field, field
	return nil
}

// description of a VLAN says to people on the switch whose it is.
func description(parts ...string) string { return "switchlet " + strings.Join(parts, "/") }

// HasTrace reports whether rows show that the agent has been here before.
func HasTrace(rows sonic.DB) bool {
	_, ok := rows[sonic.Tunnel{Name: tunnel}.Row().Key]
	return ok
}
