package frame_test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/switchlet/switchlet/lldp/frame"
)

// Whatever comes, Decode ends, and what it accepts can be encoded again, means the
// same then, holds no more octets than came, and can be shown.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, pdu []byte) {
		got, err := frame.Decode(pdu)
		if err != nil {
			return
		}
		if held := held(got); held > len(pdu) {
			t.Errorf("%d octets were decoded to %d", len(pdu), held)
		}
		shown := got.String() + got.Capabilities.Supported.String()
		for _, m := range got.Management {
			shown += m.String()
		}
		for _, v := range got.VLANNames() {
			shown += frame.Text(v.Name)
		}
		if i := strings.IndexFunc(shown, unprintable); i >= 0 {
			t.Errorf("%q is not fit to be shown", shown[i:])
		}
		encodeAgain(t, got, len(pdu))
	})
}

func unprintable(r rune) bool { return r != utf8.RuneError && !unicode.IsPrint(r) }

func encodeAgain(t *testing.T, got frame.Frame, size int) {
	t.Helper()
	got.Discarded = nil
	encoded, err := got.MarshalBinary()
	// A management address whose OID has no length gets one.
	if err != nil && size+len(got.Management) > frame.MaxSize {
		return
	}
	if err != nil {
		t.Fatalf("%+v was decoded and cannot be encoded: %v", got, err)
	}
	again, err := frame.Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
}

// held counts the octets that a frame keeps.
func held(f frame.Frame) int {
	n := len(f.ChassisID.ID) + len(f.PortID.ID) + len(f.PortDescription) + len(f.SystemName) + len(f.SystemDescription)
	for _, m := range f.Management {
		n += len(m.Address) + len(m.OID)
	}
	for _, o := range f.Organizational {
		n += len(o.Value)
	}
	for _, t := range append(f.Unknown, f.Discarded...) {
		n += len(t.Value)
	}
	return n
}

// seed gives the fuzzer what testdata has.
func seed(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d files, error %v", len(files), err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if strings.HasSuffix(part.Name, ".hex") {
				f.Add(octets(f, string(part.Data)))
			}
		}
	}
}
