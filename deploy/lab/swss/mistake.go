package swss

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Kind is a sort of mistake that a writer of CONFIG_DB makes.
type Kind string

// The kinds. Each says first what the real daemons do, then what is counted.
const (
	// Needless: a row is set to what it has already. The daemons take it as a
	// change: an error for VRF ("vni … is already mapped"), VXLAN_TUNNEL_MAP
	// ("Map already present"), VXLAN_TUNNEL and VXLAN_EVPN_NVO; work for
	// nothing for the others. Counted for each table.
	Needless Kind = "Needless"
	// Flap: the same for a VLAN_INTERFACE whose static_anycast_gateway is
	// true: the link goes down and up.
	Flap Kind = "Flap"
	// InUse: a row is deleted while another row of CONFIG_DB needs it. Some
	// daemons wait, some take it away at once and log an error each second
	// until the rest is gone too.
	InUse Kind = "InUse"
	// NotWaited: a row is deleted, or another takes its place, while a marker
	// shows what hung on it. The daemons mostly get there in the end, with
	// errors on the way.
	NotWaited Kind = "NotWaited"
	// Mapped: a VRF is deleted while its VNI is not 0. The daemons unmap it
	// themselves; the order in which that comes to orchagent is luck.
	Mapped Kind = "Mapped"
	// TooSoon: a row is set again while the marker of the one before is there.
	// A VRF stays half-dead until it is deleted, emptied and set again; a
	// VLAN_MEMBER is ignored; others may be lucky.
	TooSoon Kind = "TooSoon"
	// Unheard: a row is deleted before its daemon has heard of it. The daemon
	// drops its SET and complains that there is nothing to delete.
	Unheard Kind = "Unheard"
	// Early: a row is set before a row that it needs. The daemons try again
	// each second. The lesser kind: it converges.
	Early Kind = "Early"
	// Dangling: a row that a row needs is still not there a tick later. The
	// daemons wait for ever and log nothing.
	Dangling Kind = "Dangling"
	// NoNVO: a VRF gets a VNI while there is no VXLAN_EVPN_NVO. VRF_OBJECT_TABLE
	// never comes, and the VRF cannot even be deleted, until there is one.
	NoNVO Kind = "NoNVO"
	// Ignored: a field is changed that the daemons never look at again
	// (tagging_mode, the VLAN of a map) or refuse to change in place
	// (vrf_name, a VNI that is not 0, src_ip, source_vtep).
	Ignored Kind = "Ignored"
	// NoEffect: a field is removed and the daemon keeps its value. Its default
	// has to be written instead.
	NoEffect Kind = "NoEffect"
	// Refused: a second of what there can be one of: a VNI on two VLANs or
	// VRFs, two VNIs on a VLAN, a second NVO, a third tunnel. An error, and
	// never tried again.
	Refused Kind = "Refused"
	// Leak: a VLAN_INTERFACE is deleted while its anycast gateway is on, or
	// before APPL_DB says that it is off. orchagent leaks the route of the
	// gateway's link-local address; the VRF can never be removed.
	Leak Kind = "Leak"
	// Conflict: a port is a router interface, a member of a port channel and
	// a VLAN member at once, or has two untagged VLANs.
	Conflict Kind = "Conflict"
	// Overlap: two prefixes of a VRF overlap. orchagent waits for ever.
	Overlap Kind = "Overlap"
	// BadRow: a key or field that the daemons cannot read: an unknown field of
	// a VRF, a map that is not map_VNI_VlanN, a VTEP's name that makes too
	// long a name of a netdev.
	BadRow Kind = "BadRow"
)

// Mistake is one mistake of a writer.
type Mistake struct {
	// At is when it was noticed, since the daemons were made.
	At     time.Duration
	Kind   Kind
	Key    string // of the row of CONFIG_DB
	Detail string
}

// String is one line, without the time.
func (m Mistake) String() string { return fmt.Sprintf("%s %s: %s", m.Kind, m.Key, m.Detail) }

// maxRecords bounds what is kept of mistakes and of error lines: a writer that
// goes wrong does so again and again.
const maxRecords = 10000

// records are what went wrong.
type records struct {
	mistakes []Mistake
	counts   map[Kind]int
	errors   []string
	lines    int             // errors there were, kept or not
	logged   map[string]bool // at this moment
}

func newRecords() records { return records{counts: map[Kind]int{}, logged: map[string]bool{}} }

func (r *records) mistake(m Mistake) {
	r.counts[m.Kind]++
	if len(r.mistakes) < maxRecords {
		r.mistakes = append(r.mistakes, m)
	}
}

// err is a line of syslog at priority ERR. The loops of orchagent try a task
// several times at a moment; that is one line.
func (r *records) err(daemon, format string, args ...any) {
	line := daemon + ": " + fmt.Sprintf(format, args...)
	if r.logged[line] {
		return
	}
	r.logged[line] = true
	r.lines++
	if len(r.errors) < maxRecords {
		r.errors = append(r.errors, line)
	}
}

// Mistakes are the mistakes there were, without those of the kinds that are
// allowed. The first 10,000 are kept.
func (d *Daemons) Mistakes(allowed ...Kind) []Mistake {
	return slices.DeleteFunc(slices.Clone(d.mistakes), func(m Mistake) bool { return slices.Contains(allowed, m.Kind) })
}

// Counts are how many mistakes there were of each kind.
func (d *Daemons) Counts() map[Kind]int { return maps.Clone(d.counts) }

// Errors are the lines that the daemons would have logged at priority ERR, each
// with the daemon's name. The first 10,000 are kept.
func (d *Daemons) Errors() []string { return slices.Clone(d.errors) }

// Forget drops the record of mistakes and errors.
func (d *Daemons) Forget() { d.records = newRecords() }

// Report is the mistakes as text, one a line.
func Report(mistakes []Mistake) string {
	var b strings.Builder
	for _, m := range mistakes {
		b.WriteString(m.String() + "\n")
	}
	return b.String()
}
