package proof_test

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Three hosts with two NICs each, two leaves, one spine. VPCs blue, green and red have
// the VNIs 1111, 2222 and 3333 because the network team said so; blue has a second
// subnet, so that its hosts reach each other through both leaves' gateways. Green and
// red use blue's addresses, on the same NICs.
func TestDeck(t *testing.T) {
	r := start(t, []string{"--spines", "1", "--leaves", "2", "--hosts", "3"}, nil)
	r.clear()
	r.deck()
	endpoints := r.ready(2 + 4 + 6 + 4)
	r.vnis(map[string]int32{"blue": 1111, "green": 2222, "red": 3333})
	r.gateways()
	r.set("deck", endpoints)
	r.check(endpoints)
	r.content()
}

// deck makes the VPCs: blue/web tagged at host1, blue/db native at host2 and host3,
// green tagged everywhere, red tagged at host1 and host3.
func (r *rig) deck() {
	r.Helper()
	var fabric v1alpha1.Fabric
	r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: "default"}, &fabric))
	fabric.Spec.Pools.VNI.Ranges = []v1alpha1.VNIRange{{First: 1000, Last: 19999}}
	r.ok(r.cluster.Update(r.Context(), &fabric))
	for host, labels := range map[string]map[string]string{
		"host1": {"blue": "web", "green": "yes", "red": "yes"},
		"host2": {"blue": "db", "green": "yes", "red": "no"},
		"host3": {"blue": "db", "green": "yes", "red": "yes"},
	} {
		r.label(host, labels)
	}
	r.apply(
		pin("1111", "blue", ""), pin("2222", "green", ""), pin("3333", "red", ""),
		vpc("blue", dual("web", 1), dual("db", 2)), vpc("green", dual("app", 1)), vpc("red", dual("app", 1)),
		attach("blue-web", "blue", "web", "blue=web", v1alpha1.ModeTagged),
		attach("blue-db", "blue", "db", "blue=db", v1alpha1.ModeNative),
		attach("green", "green", "app", "green=yes", v1alpha1.ModeTagged),
		attach("red", "red", "app", "red=yes", v1alpha1.ModeTagged),
	)
}

// vnis fails if VPCs have other L3 VNIs.
func (r *rig) vnis(want map[string]int32) {
	r.Helper()
	objects, err := r.objects(r.Context())
	r.ok(err)
	for _, v := range objects.VPCs {
		if v.Status.VNI != want[v.Name] {
			r.Errorf("VPC %s has VNI %d, want %d", v.Name, v.Status.VNI, want[v.Name])
		}
	}
}

// gateways asks every subnet's gateway on both leaves for its MAC address, from a host
// that is cabled to both: it has to be the same, that of the Fabric.
func (r *rig) gateways() {
	r.Helper()
	var fabric v1alpha1.Fabric
	r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: "default"}, &fabric))
	objects, err := r.objects(r.Context())
	r.ok(err)
	seen := map[string]bool{}
	for _, a := range objects.Attachments {
		for _, p := range a.Status.Places {
			key := a.Spec.VPC + "/" + a.Spec.Subnet + " " + p.Switch
			if seen[key] {
				continue
			}
			seen[key] = true
			number := 1
			if a.Spec.Subnet == "db" {
				number = 2
			}
			link, plug := p.NIC, "true"
			if a.Spec.Mode != v1alpha1.ModeNative {
				link, plug = "gw", fmt.Sprintf("ip link add link %s name gw type vlan id %d && ip link set gw up", p.NIC, p.VLAN)
			}
			// Who sends to an address asks for its MAC address first (RFC 826, RFC 4861).
			got := r.exec(p.Host, fmt.Sprintf(`%s
ip address add 10.1.%d.250/24 dev %s && ip -6 address add fd00:%d::250/64 dev %s nodad
for try in 1 2 3 4 5 6 7 8 9 10; do
	for gateway in 10.1.%d.1 fd00:%d::1; do echo >/dev/udp/$gateway/9 || true; done
	sleep 0.3
	[ $(ip neigh show dev %s | grep -c lladdr) -ge 2 ] && break
done
ip neigh show dev %s
ip address del 10.1.%d.250/24 dev %s; ip -6 address del fd00:%d::250/64 dev %s; ip link del gw 2>/dev/null || true`,
				plug, number, link, number, link, number, number, link, link, number, link, number, link))
			for _, address := range []string{fmt.Sprintf("10.1.%d.1 ", number), fmt.Sprintf("fd00:%d::1 ", number)} {
				if !strings.Contains(got, address+"lladdr "+fabric.Spec.AnycastMAC) {
					r.Errorf("%s: the gateway %sdoes not answer with %s:\n%s", key, address, fabric.Spec.AnycastMAC, got)
				}
			}
		}
	}
	if len(seen) != 8 {
		r.Errorf("gateways were asked at %v, want those of 4 subnets on 2 leaves", seen)
	}
}

// label gives a host's Node labels, which its Host gets from it.
func (r *rig) label(host string, labels map[string]string) {
	r.Helper()
	r.ok(label(r.Context(), r.cluster, host, labels))
}
