package proof_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/dataplane"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
	"github.com/switchlet/switchlet/deploy/lab/node"
)

// segment is a subnet of a VPC.
type segment struct{ vpc, subnet string }

func (s segment) String() string { return s.vpc + "/" + s.subnet }

// spell is a time in which a place was of a segment. Where it is not known to the
// instant when that began or ended, it is the longest that it can have been.
type spell struct {
	from, until time.Time // until is zero if it has not ended
	segment
}

// port is one of a switch.
type port struct{ node, name string }

// ports is what the switches had at their ports, and who the VNIs belong to. It only
// computes.
type ports struct {
	moments map[string][]dataplane.Moment // by switch
	cables  map[string]port               // by NIC, such as "host1/eth1"
	holders map[int]map[segment]bool      // by VNI: all that ever had it
}

// spells are those of the untagged frames at the port that a NIC is cabled to.
func (p *ports) spells(nic string) ([]spell, error) {
	at := p.cables[nic]
	var all []spell
	moments := p.moments[at.node]
	for i, m := range moments {
		vlan, ok := m.Native[at.name]
		if !ok {
			continue
		}
		who, err := p.owner(at.node, i, vlan)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", at.node, at.name, err)
		}
		s := spell{from: m.Began, segment: who}
		if i+1 < len(moments) {
			s.until = moments[i+1].Ended
		}
		all = append(all, s)
	}
	return all, nil
}

// owner is whose a VLAN of a switch was at a moment: its tunnel says it, which may come
// later than its ports and go earlier.
func (p *ports) owner(node string, i, vlan int) (segment, error) {
	moments := p.moments[node]
	there := func(j int) (vni int, ok bool) {
		if j < 0 || j >= len(moments) {
			return 0, false
		}
		vni, ok = moments[j].VNIs[vlan]
		return vni, ok
	}
	for _, direction := range []int{1, -1} {
		for j := i; ; j += direction {
			vni, ok := there(j)
			if !ok {
				break
			}
			if vni == 0 {
				continue
			}
			if n := len(p.holders[vni]); n != 1 {
				return segment{}, fmt.Errorf("VNI %d had %d holders: %v", vni, n, p.holders[vni])
			}
			for s := range p.holders[vni] {
				return s, nil
			}
		}
	}
	return segment{}, nil // nobody's: it has no tunnel all the time
}

// crossing says what is wrong with a frame that had no tag where it was sent or where it
// came: nothing if the port that it went in by and the one that it came out of were of one
// broadcast domain, or of one VPC if a gateway was on its way, at some moments between
// when it was sent and when it was heard. tagged are the segments that a tag had at a
// NIC, as its host was told.
func (p *ports) crossing(f watch.Frame, from *matrix.Endpoint, tagged func(f watch.Frame) []segment) (string, error) {
	in := []spell{{segment: segment{from.VPC, from.Subnet}}}
	var out []spell
	var err error
	if f.Untagged {
		if in, err = p.spells(from.Place()); err != nil {
			return "", err
		}
	}
	if f.VLAN == 0 {
		if out, err = p.spells(f.Place); err != nil {
			return "", err
		}
	} else {
		for _, s := range tagged(f) {
			out = append(out, spell{segment: s})
		}
	}
	sent, heard := time.Unix(0, f.Sent), time.Unix(0, f.Heard)
	in, out = during(in, sent, heard), during(out, sent, heard)
	for _, a := range in {
		for _, b := range out {
			inOrder := b.until.IsZero() || !a.from.After(b.until)
			if inOrder && (a.segment == b.segment || f.Routed && a.vpc == b.vpc) {
				return "", nil
			}
		}
	}
	return fmt.Sprintf("sent at %s, heard at %s after %v: it went in where there was %v and came out where there was %v",
		sent.Format(clockFormat), heard.Format(clockFormat), heard.Sub(sent), in, out), nil
}

const clockFormat = "15:04:05.000"

// during are the spells that were at some moment between two.
func during(all []spell, from, until time.Time) []spell {
	return slices.DeleteFunc(slices.Clone(all), func(s spell) bool {
		return s.from.After(until) || !s.until.IsZero() && s.until.Before(from)
	})
}

// readPorts reads the journals of all switches.
func (r *rig) readPorts(holders map[int]map[segment]bool) *ports {
	r.Helper()
	p := &ports{moments: map[string][]dataplane.Moment{}, cables: map[string]port{}, holders: holders}
	for _, name := range r.leaves {
		text, err := os.ReadFile(filepath.Join(r.lab.NodeDir(name), node.PortsJournal))
		r.ok(err)
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, len(text)+1)
		for lines.Scan() {
			var m dataplane.Moment
			r.ok(json.Unmarshal(lines.Bytes(), &m))
			p.moments[name] = append(p.moments[name], m)
		}
	}
	cables, err := r.rack.Cables(r.Context())
	r.ok(err)
	for _, c := range cables {
		p.cables[c.End.String()] = port{c.Far.Node, c.Far.Port}
	}
	return p
}
