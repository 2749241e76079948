package journal

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/cni/host/ipam"
	"github.com/switchlet/switchlet/cni/host/request"
)

// memory is what the file says.
type memory struct {
	attachments map[request.Key]Attachment
	networks    map[int32]*usage
	lines       int // in the file, apart from the first
}

// usage is what became of the addresses of one network.
type usage struct {
	holders  map[netip.Addr]request.Key
	macs     map[string]request.Key
	released map[netip.Addr]time.Time
	former   map[netip.Addr]request.Pod // who had released ones, not over a restart
	last     map[bool]netip.Addr        // given out last; by whether it is IPv6
}

// maxReleased is for how many addresses of a network it is remembered when they
// were released. An IPv6 slice has more than can be remembered.
const maxReleased = 4096

func newMemory() *memory {
	return &memory{attachments: map[request.Key]Attachment{}, networks: map[int32]*usage{}}
}

func (m *memory) usage(vni int32) *usage {
	u := m.networks[vni]
	if u == nil {
		u = &usage{map[netip.Addr]request.Key{}, map[string]request.Key{}, map[netip.Addr]time.Time{}, map[netip.Addr]request.Pod{}, map[bool]netip.Addr{}}
		m.networks[vni] = u
	}
	return u
}

// apply takes a record over. One that is there already, or not there, changes
// nothing: a file that was written anew may say things twice.
func (m *memory) apply(r record) {
	m.lines++
	switch {
	case r.Add != nil:
		m.remove(r.Add.Key, time.Time{})
		m.add(*r.Add)
	case r.Remove != nil:
		m.remove(*r.Remove, time.Unix(r.At, 0))
	default:
		m.usage(r.VNI).release(r.Free, time.Unix(r.At, 0))
	}
}

func (m *memory) add(a Attachment) {
	m.attachments[a.Key] = a
	u := m.usage(a.VNI)
	if a.MAC != "" {
		u.macs[a.MAC] = a.Key
	}
	for _, p := range a.Addresses {
		u.holders[p.Addr()], u.last[p.Addr().Is6()] = a.Key, p.Addr()
		delete(u.released, p.Addr())
		delete(u.former, p.Addr())
	}
}

// remove forgets an attachment. Without a time its addresses do not count as
// released.
func (m *memory) remove(k request.Key, at time.Time) {
	a, ok := m.attachments[k]
	if !ok {
		return
	}
	delete(m.attachments, k)
	u := m.usage(a.VNI)
	if u.macs[a.MAC] == k {
		delete(u.macs, a.MAC)
	}
	for _, p := range a.Addresses {
		if u.holders[p.Addr()] != k {
			continue
		}
		delete(u.holders, p.Addr())
		if !at.IsZero() {
			u.release(p.Addr(), at)
			if a.Pod.Name != "" && u.released[p.Addr()].Equal(at) {
				u.former[p.Addr()] = request.Pod{Namespace: a.Pod.Namespace, Name: a.Pod.Name}
			}
		}
	}
}

func (u *usage) release(a netip.Addr, at time.Time) {
	u.released[a] = at
	if len(u.released) <= maxReleased {
		return
	}
	oldest := a
	for other, when := range u.released {
		if when.Before(u.released[oldest]) {
			oldest = other
		}
	}
	delete(u.released, oldest)
	delete(u.former, oldest)
}

// returning is the address of a subnet that a pod of this name had until a moment ago,
// invalid if there is none. It comes back with it: it would wait for no one else, and
// one that fails again and again does not use a host's addresses up.
func (u *usage) returning(p request.Pod, s ipam.Subnet, now time.Time) netip.Addr {
	var last netip.Addr
	for a, who := range u.former {
		had := u.released[a]
		if now.Sub(had) >= ipam.Cooldown || now.Before(had) {
			delete(u.former, a)
			continue
		}
		if who.Namespace != p.Namespace || who.Name != p.Name || !s.Offers(a) || u.Holder(a) != "" {
			continue
		}
		if !last.IsValid() || had.After(u.released[last]) || had.Equal(u.released[last]) && a.Less(last) {
			last = a
		}
	}
	return last
}

// Holder is for ipam.Usage.
func (u *usage) Holder(a netip.Addr) string {
	if k, ok := u.holders[a]; ok {
		return "container " + k.String()
	}
	return ""
}

// Released is for ipam.Usage.
func (u *usage) Released(a netip.Addr) time.Time { return u.released[a] }

// live is how many lines a file needs to say the same.
func (m *memory) live() int {
	n := len(m.attachments)
	for _, u := range m.networks {
		n += len(u.released)
	}
	return n
}

// encode is a file that says the same, in order.
func (m *memory) encode() (text []byte, lines int) {
	text = []byte(header)
	put := func(r record) { text, lines = appendRecord(text, r), lines+1 }
	for _, vni := range slices.Sorted(maps.Keys(m.networks)) {
		u := m.networks[vni]
		for _, a := range slices.SortedFunc(maps.Keys(u.released), netip.Addr.Compare) {
			put(record{Free: a, VNI: vni, At: u.released[a].Unix()})
		}
	}
	for _, a := range m.all() {
		put(record{Add: &a})
	}
	return text, lines
}

// all attachments, the oldest first.
func (m *memory) all() []Attachment {
	return slices.SortedFunc(maps.Values(m.attachments), func(a, b Attachment) int {
		if c := a.Made.Compare(b.Made); c != 0 {
			return c
		}
		return strings.Compare(a.String(), b.String())
	})
}
