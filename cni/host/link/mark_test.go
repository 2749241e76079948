package link_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/request"
)

// id is a container's, as containerd makes them.
var id = strings.Repeat("0123456789abcdef", 4)

// What an interface says of itself fits into its alias.
func TestMark(t *testing.T) {
	full := link.Mark{
		Key: request.Key{ContainerID: id, IfName: "net1"}, VNI: 1111, Mode: request.Macvlan, Network: "web",
		Pod: request.Pod{Namespace: "blue", Name: "web-0", UID: "5c4c9f7e-1f1f-4f3a-9f60-6d5a1b0c0d0e"},
	}
	long := full
	long.Pod.Name = strings.Repeat("x", 253)
	unnamed := full
	unnamed.Pod.Namespace, unnamed.Pod.Name = "", ""
	vf := full
	vf.Mode, vf.Device, vf.Default = request.SRIOV, "0000:3b:02.1", true
	for _, c := range []struct {
		mark, want link.Mark
		alias      string
	}{
		{full, full, "switchlet/1 " + id + " 1111 macvlan - 5c4c9f7e-1f1f-4f3a-9f60-6d5a1b0c0d0e web blue/web-0"},
		{vf, vf, "switchlet/1 " + id + " 1111 sriov+default 0000:3b:02.1 5c4c9f7e-1f1f-4f3a-9f60-6d5a1b0c0d0e web blue/web-0"},
		{long, unnamed, "switchlet/1 " + id + " 1111 macvlan - 5c4c9f7e-1f1f-4f3a-9f60-6d5a1b0c0d0e web -"},
	} {
		if got := c.mark.Alias(); got != c.alias {
			t.Errorf("alias %s\nwant  %s", got, c.alias)
		}
		if got, ok := link.ParseMark(c.alias, "net1"); !ok || !cmp.Equal(got, c.want) {
			t.Errorf("%s is %+v, %t", c.alias, got, ok)
		}
	}
}

// What others write into an alias is no mark.
func TestNoMark(t *testing.T) {
	for _, alias := range []string{
		"", "switchlet", "switchlet blue/blue/web (VNI 1111)", "switchlet/2 c 1111 macvlan - - - -", "switchlet/1 - 1111 macvlan - - - -",
		"switchlet/1 c 0 macvlan - - - -", "switchlet/1 c 16777216 macvlan - - - -", "switchlet/1 c 1111 chained - - - -", "switchlet/1 c 1111 macvlan - - - - -",
	} {
		if got, ok := link.ParseMark(alias, "net1"); ok {
			t.Errorf("%q is %+v", alias, got)
		}
	}
}

// Whatever a pod and its network are called: the kernel takes the alias, and what is
// needed to find the pod again comes back.
func TestMarksComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z0-9.\-/ ]{0,120}`)
		m := link.Mark{
			Key: request.Key{ContainerID: rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_.\-]{1,127}`).Draw(t, "container"), IfName: "net1"},
			VNI: rapid.Int32Range(1, 1<<24-1).Draw(t, "vni"), Mode: rapid.SampledFrom([]request.Mode{request.Macvlan, request.Bridge}).Draw(t, "mode"),
			Default: rapid.Bool().Draw(t, "default"), Network: text.Draw(t, "network"),
			Pod: request.Pod{Namespace: text.Draw(t, "namespace"), Name: text.Draw(t, "name"), UID: text.Draw(t, "uid")},
		}
		alias := m.Alias()
		got, ok := link.ParseMark(alias, "net1")
		if len(alias) > 255 || !ok || got.Key != m.Key || got.VNI != m.VNI || got.Mode != m.Mode || got.Default != m.Default {
			t.Fatalf("%+v is %q, of %d octets, which is %+v", m, alias, len(alias), got)
		}
	})
}

func FuzzParseMark(f *testing.F) {
	f.Add("switchlet/1 c 1111 macvlan - - - blue/web-0")
	f.Fuzz(func(t *testing.T, alias string) {
		if m, ok := link.ParseMark(alias, "net1"); ok && (m.VNI <= 0 || !m.Valid()) {
			t.Errorf("%q is %+v", alias, m)
		}
	})
}
