package frame_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/lldp/frame"
)

// Each file of testdata has LLDPDUs in hexadecimal, a line for each TLV, and what
// they say. "PAIR*N" repeats octets.
func TestLLDPDUs(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		got := &txtar.Archive{Comment: archive.Comment}
		for _, f := range archive.Files {
			if !strings.HasSuffix(f.Name, ".hex") {
				continue
			}
			said := txtar.File{Name: strings.TrimSuffix(f.Name, ".hex") + " says", Data: []byte(say(t, octets(t, string(f.Data))))}
			got.Files = append(got.Files, f, said)
		}
		return got
	})
}

// octets reads hexadecimal with comments.
func octets(t testing.TB, text string) []byte {
	t.Helper()
	var all []byte
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for word := range strings.FieldsSeq(line) {
			digits, count, repeated := strings.Cut(word, "*")
			n := 1
			if repeated {
				if _, err := fmt.Sscan(count, &n); err != nil {
					t.Fatalf("%q: %v", word, err)
				}
			}
			b, err := hex.DecodeString(strings.Repeat(digits, n))
			if err != nil {
				t.Fatalf("%q: %v", word, err)
			}
			all = append(all, b...)
		}
	}
	return all
}

// say is all that an LLDPDU says, as text that may be shown.
func say(t *testing.T, pdu []byte) string {
	t.Helper()
	f, err := frame.Decode(pdu)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n", f)
	fmt.Fprintf(&b, "chassis (%d) %v, port (%d) %v, TTL %v\n", f.ChassisID.Subtype, f.ChassisID, f.PortID.Subtype, f.PortID, f.TTL)
	sayText(&b, "port description", f.PortDescription)
	sayText(&b, "system name", f.SystemName)
	sayText(&b, "system description", f.SystemDescription)
	if c := f.Capabilities; c != (frame.SystemCapabilities{}) {
		fmt.Fprintf(&b, "can be %v; is %v\n", c.Supported, c.Enabled)
	}
	for _, m := range f.Management {
		fmt.Fprintf(&b, "managed at %v, interface (%d) %d, OID %x\n", m, m.InterfaceSubtype, m.Interface, m.OID)
	}
	for _, o := range f.Organizational {
		fmt.Fprintf(&b, "organizational %v/%d %x\n", o.OUI, o.Subtype, o.Value)
	}
	sayViews(&b, f)
	for _, u := range f.Unknown {
		fmt.Fprintf(&b, "unknown %v %x\n", u.Type, u.Value)
	}
	for _, d := range f.Discarded {
		fmt.Fprintf(&b, "discarded %v %.20x\n", d.Type, d.Value)
	}
	return b.String()
}

func sayText(b *strings.Builder, name, text string) {
	if text != "" {
		fmt.Fprintf(b, "%s %s\n", name, frame.Text(text))
	}
}

func sayViews(b *strings.Builder, f frame.Frame) {
	if id, ok := f.PortVLAN(); ok {
		fmt.Fprintf(b, "port VLAN %d\n", id)
	}
	for _, v := range f.VLANNames() {
		fmt.Fprintf(b, "VLAN %d is called %s\n", v.ID, frame.Text(v.Name))
	}
	if a, ok := f.LinkAggregation(); ok {
		fmt.Fprintf(b, "link aggregation: capable %t, enabled %t, port %d\n", a.Capable, a.Enabled, a.Port)
	}
	if m, ok := f.MACPHY(); ok {
		fmt.Fprintf(b, "autonegotiation: supported %t, enabled %t, advertised %#04x, MAU %d\n",
			m.AutonegotiationSupported, m.AutonegotiationEnabled, m.Advertised, m.MAU)
	}
	if octets, ok := f.MaxFrameSize(); ok {
		fmt.Fprintf(b, "frames of up to %d octets\n", octets)
	}
}
