package frr

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/frrtest"
)

func TestTenantOfTheKernel(t *testing.T) { frrtest.OnEach(t, testTenantOfTheKernel) }

// testTenantOfTheKernel takes a tenant away whose VRF and L3 VNI the kernel has,
// so that bgpd knows of the VNI, as on a switch.
func testTenantOfTheKernel(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	if out, err := exec.Command("ip", "-n", r.namespace, "link", "add", "Vrf20001", "type", "vrf", "table", "1001").CombinedOutput(); err != nil {
		t.Skipf("this kernel has no VRF devices, the one of Debian's user-mode-linux does: %s", strings.TrimSpace(string(out)))
	}
	for _, line := range []string{
		"link set Vrf20001 up",
		"addr add 10.255.0.1/32 dev lo",
		"link add br3001 type bridge", "link set br3001 master Vrf20001", "link set br3001 up",
		"link add vx20001 type vxlan id 20001 local 10.255.0.1 dstport 4789 nolearning",
		"link set vx20001 master br3001", "link set vx20001 up",
	} {
		ip(t, append([]string{"-n", r.namespace}, strings.Fields(line)...)...)
	}
	a := newAgent(t, Sockets{Dir: r.Dir})
	a.converge(leaf(2))
	r.knows(t, 1)
	started := time.Now()
	a.converge(leaf(0))
	t.Logf("taken away in %v", time.Since(started))
	have, err := a.s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if have.find("vrf Vrf20002") != nil {
		t.Errorf("the VRF that the kernel does not have is left over:\n%s", have)
	}
	a.converge(leaf(2))
	ip(t, "-n", r.namespace, "link", "delete", "vx20001")
	ip(t, "-n", r.namespace, "link", "delete", "Vrf20001")
	a.converge(&Config{})
}

// knows waits until bgpd has heard of some L3 VNIs.
func (r *router) knows(t testing.TB, vnis int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		text, err := Sockets{Dir: r.Dir}.Show(t.Context(), "bgpd", "show bgp l2vpn evpn vni json")
		if err == nil && strings.Contains(text, fmt.Sprintf(`"numL3Vnis":%d`, vnis)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("bgpd does not know %d L3 VNIs: %s, %v", vnis, text, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
