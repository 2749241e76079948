package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"

	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// named is a pod whose network namespace is in the runtime's folder.
func (r *rig) named(name string) *pod {
	r.t.Helper()
	p := r.pod(name)
	must(r.t, os.MkdirAll(r.folder(), 0o755))
	path := filepath.Join(r.folder(), name)
	must(r.t, os.Symlink(p.netns, path))
	p.netns, p.args.NetNS = path, path
	return p
}

func (r *rig) folder() string { return filepath.Join(r.dir, "netns") }

func (r *rig) file() string { return filepath.Join(r.dir, "state", "attachments") }

// restart restarts the agent, which looks for what its journal has lost.
func (r *rig) restart(lose func()) {
	r.t.Helper()
	r.end()
	lose()
	r.start()
	must(r.t, r.service.Recover(r.folder(), r.kernel.Find))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A journal that is lost altogether: pods keep what they have, nobody else gets it,
// and every verb works for them as before.
func TestJournalIsLost(t *testing.T) {
	for _, mode := range []string{"macvlan", "bridge"} {
		t.Run(mode, func(t *testing.T) {
			r := newRig(t)
			r.set(routed())
			net, held := config(t, "1.1.0", byName+`,"defaultRoute":true,"mode":"`+mode+`"`), map[string]string{}
			pods := []*pod{r.named("a"), r.named("b"), r.named("c")}
			for _, p := range pods {
				_, err := r.runtime.AddNetworkList(t.Context(), net, p.args)
				must(t, err)
				held[p.args.ContainerID] = p.shows(t) + "\n" + p.routes(t)
			}
			r.restart(func() { must(t, os.RemoveAll(filepath.Dir(r.file()))) })
			r.set() // the HostConfig is lost too, and comes later
			r.set(routed())
			r.service.Sweep(t.Context(), nobody)
			for _, p := range pods {
				answer, err := r.runtime.AddNetworkList(t.Context(), net, p.args)
				must(t, err)
				if text := fmt.Sprint(answer); !strings.Contains(text, "Gateway:10.1.0.1") || !strings.Contains(text, p.netns) {
					t.Errorf("ADD again: %s", text)
				}
				if got := p.shows(t) + "\n" + p.routes(t); got != held[p.args.ContainerID] {
					t.Errorf("pod %s has %s\nand had %s", p.args.ContainerID, got, held[p.args.ContainerID])
				}
				must(t, r.runtime.CheckNetworkList(t.Context(), net, p.args))
			}
			late := r.named("late")
			_, err := r.runtime.AddNetworkList(t.Context(), net, late.args)
			must(t, err)
			// 10.1.0.5 is reserved
			if got := late.shows(t); !strings.Contains(got, "10.1.0.6/24 fd00::5/64") {
				t.Errorf("another pod has %s", got)
			}
			valid := &libcni.GCArgs{ValidAttachments: []types.GCAttachment{{ContainerID: "c-late", IfName: "net1"}, {ContainerID: "c-b", IfName: "net1"}}}
			must(t, r.runtime.GCNetworkList(t.Context(), net, valid))
			must(t, r.runtime.DelNetworkList(t.Context(), net, pods[1].args))
			r.service.Close() // interfaces are deleted
			for _, p := range pods {
				if got := p.shows(t); !strings.Contains(got, "not found") {
					t.Errorf("pod %s still has %s", p.args.ContainerID, got)
				}
			}
			if all := r.journal.All(); len(all) != 1 || all[0].ContainerID != "c-late" {
				t.Errorf("journal: %v", all)
			}
		})
	}
}

// Whatever a disk makes of the journal: no address is given twice, and no pod loses
// any.
func TestJournalIsDamaged(t *testing.T) {
	r, seed := newRig(t), rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r.set(blue())
	var pods []*pod
	for round := range 10 {
		p := r.named(fmt.Sprint("pod", round))
		if _, err := r.ask(p, byName); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		pods = append(pods, p)
		r.restart(func() {
			text, err := os.ReadFile(r.file())
			must(t, err)
			must(t, os.WriteFile(r.file(), damage(random, text), 0o600))
		})
		r.set(blue())
		r.service.Sweep(t.Context(), nobody)
		holders := map[string]string{}
		for _, p := range pods {
			has := p.shows(t)
			if other, taken := holders[has]; taken || !strings.Contains(has, "10.1.0.") {
				t.Fatalf("round %d: pod %s has %s, which pod %q has", round, p.args.ContainerID, has, other)
			}
			holders[has] = p.args.ContainerID
			if a, ok := r.journal.Get(p.key()); !ok || len(a.Addresses) != 2 || !strings.Contains(has, a.Addresses[0].String()) {
				t.Fatalf("round %d: pod %s has %s, the journal %v", round, p.args.ContainerID, has, a.Addresses)
			}
		}
	}
}

// damage flips a bit, cuts the end off, or takes a line out.
func damage(random *rand.Rand, text []byte) []byte {
	switch random.IntN(3) {
	case 0:
		text[random.IntN(len(text))] ^= 1 << random.IntN(8)
		return text
	case 1:
		return text[:random.IntN(len(text))]
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	i := random.IntN(len(lines))
	return bytes.Join(slices.Delete(lines, i, i+1), nil)
}

// An interface that somebody has taken the mark from, or that an older version of the
// agent has made without, gets it.
func TestMarkComesBack(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	p := r.named("web")
	_, err := r.ask(p, byName)
	must(t, err)
	nettest.In(t, p.netns, func() error { return exec.Command("ip", "link", "set", "net1", "alias", "uplink").Run() })
	r.service.Sweep(t.Context(), nobody)
	r.restart(func() { must(t, os.Remove(r.file())) })
	if a, ok := r.journal.Get(p.key()); !ok || len(a.Addresses) != 2 || a.Pod.Name != "web" || a.Network != "blue-net" {
		t.Errorf("journal: %+v, %t", a, ok)
	}
}

// What is in a pod is the pod's word: an interface that it has made itself is none of
// the agent's, whatever it says, and an address that another has stays the other's.
func TestPodsLie(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	honest, liar := r.named("honest"), r.named("liar")
	for _, p := range []*pod{honest, liar} {
		_, err := r.ask(p, byName)
		must(t, err)
	}
	mark := link.Mark{Key: honest.key(), VNI: 1111, Mode: "macvlan"}
	mark.ContainerID = "c-forged"
	nettest.In(t, liar.netns, func() error {
		return exec.Command("sh", "-c", `ip addr add 10.1.0.2/24 dev net1
			ip link add below type veth peer name other && ip link add link below name forged type macvlan &&
			ip link set forged alias "`+mark.Alias()+`" && ip addr add 10.1.0.9/24 dev forged`).Run()
	})
	r.restart(func() { // all but the first pod is lost
		text, err := os.ReadFile(r.file())
		must(t, err)
		must(t, os.WriteFile(r.file(), bytes.Join(bytes.SplitAfter(text, []byte("\n"))[:2], nil), 0o600))
	})
	var got []string
	for _, a := range r.journal.All() {
		got = append(got, fmt.Sprint(a.ContainerID, " ", a.Addresses))
	}
	if want := []string{"c-honest [10.1.0.2/24 fd00::2/64]", "c-liar [10.1.0.3/24 fd00::3/64]"}; !slices.Equal(got, want) {
		t.Errorf("journal: %s, want %s", got, want)
	}
}
