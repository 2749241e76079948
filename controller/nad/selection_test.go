package nad

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

func addr(t *testing.T, text string) []netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return []netip.Addr{a}
}

// What the annotation of a pod in namespace "here" names.
func TestParseSelections(t *testing.T) {
	of := func(namespace, name string) Selection {
		return Selection{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
	}
	with := func(s Selection, change func(*Selection)) Selection {
		change(&s)
		return s
	}
	for _, c := range []struct {
		name, text string
		want       []Selection
		err        string
	}{
		{"one name", "web", []Selection{of("here", "web")}, ""},
		{"names with commas", "web, there/db ,cache", []Selection{of("here", "web"), of("there", "db"), of("here", "cache")}, ""},
		{"the same twice, which is two interfaces", "web,web", []Selection{of("here", "web"), of("here", "web")}, ""},
		{"an interface", "there/db@net7", []Selection{with(of("there", "db"), func(s *Selection) { s.Interface = "net7" })}, ""},
		{"JSON", `[{"name": "web"}, {"name": "db", "namespace": "there", "interface": "eth9"}]`,
			[]Selection{of("here", "web"), with(of("there", "db"), func(s *Selection) { s.Interface = "eth9" })}, ""},
		{"JSON with what is not looked at", `[{"name": "web", "bandwidth": {"ingressRate": 1}, "default-route": ["10.1.0.1"]}]`, []Selection{of("here", "web")}, ""},
		{"an address with its network's length", `[{"name": "web", "ips": ["10.1.0.20/24"]}]`, []Selection{with(of("here", "web"), func(s *Selection) { s.IPs = addr(t, "10.1.0.20") })}, ""},
		{"an address without", ` [{"name": "web", "ips": ["fd00::20"]}]`, []Selection{with(of("here", "web"), func(s *Selection) { s.IPs = addr(t, "fd00::20") })}, ""},
		{"a MAC address", `[{"name": "web", "mac": "02-00-00-00-00-0A"}]`, []Selection{with(of("here", "web"), func(s *Selection) { s.MAC = "02:00:00:00:00:0a" })}, ""},
		{"a claim", `[{"name": "web", "ipam-claim-reference": "vm.web"}]`, []Selection{with(of("here", "web"), func(s *Selection) { s.Claim = "vm.web" })}, ""},
		{"nothing", " , ", []Selection{}, ""},
		{"an empty list", "[]", []Selection{}, ""},
		{"half a list", `[{"name": "web"`, nil, "not a JSON list"},
		{"a list of something else", `["web"]`, nil, "not a JSON list"},
		{"a name that is none", "web,Ü", nil, `"Ü" in namespace "here" can be no NetworkAttachmentDefinition`},
		{"no name", `[{"namespace": "there"}]`, nil, "can be no NetworkAttachmentDefinition"},
		{"a path", "../web", nil, "can be no NetworkAttachmentDefinition"},
		{"an interface that is too long", "web@abcdefghijklmnop", nil, `"abcdefghijklmnop" can be no interface`},
		{"an address that is none", `[{"name": "web", "ips": ["10.1.0"]}]`, nil, `web: ips: "10.1.0" is no IP address`},
		{"an address of one link", `[{"name": "web", "ips": ["fe80::1%eth0"]}]`, nil, "is no IP address"},
		{"an address and a claim", `[{"name": "web", "ips": ["10.1.0.20"], "ipam-claim-reference": "vm"}]`, nil, "exclude each other"},
		{"a MAC address that is none", `[{"name": "web", "mac": "02:00"}]`, nil, "is no MAC address"},
		{"too many", strings.Repeat("web,", MaxNetworks+1), nil, "names 129 networks, and 128 are read at most"},
		{"too long", strings.Repeat("w", MaxAnnotation+1), nil, "65537 bytes, and 65536 are read at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseSelections("here", c.text)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %+v, %v; want an error with %q", got, err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The network that is to be the first one counts as well, and a mistake in one
// annotation hides nothing of the other.
func TestBothAnnotations(t *testing.T) {
	got, err := Of("here", map[string]string{DefaultNetworkAnnotation: "there/first", NetworksAnnotation: "web,[", "other": "x"})
	if err == nil || !strings.Contains(err.Error(), "annotation "+NetworksAnnotation) {
		t.Errorf("the error is %v", err)
	}
	if text := fmt.Sprint(got); !strings.Contains(text, "there/first") || len(got) != 1 {
		t.Errorf("got %s", text)
	}
}

// Whatever an annotation is, it comes to a bounded number of names that objects can
// have.
func FuzzParseSelections(f *testing.F) {
	for _, seed := range []string{"web,there/db@net1", `[{"name": "web", "ips": ["10.1.0.20/24"], "mac": "02:00:00:00:00:01"}]`, `[{"name": "web", "ipam-claim-reference": "vm"}]`, "@", "//", "[[]]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseSelections("here", text)
		if err != nil && (got != nil || len(err.Error()) > 1024) {
			t.Errorf("%+v beside an error of %d bytes", got, len(err.Error()))
		}
		if len(got) > MaxNetworks {
			t.Errorf("%d networks", len(got))
		}
		for _, s := range got {
			if !isName(s.Name) || !isName(s.Namespace) || len(s.Interface) > 15 || len(s.IPs) > maxIPs {
				t.Errorf("%+v", s)
			}
			for _, ip := range s.IPs {
				if !ip.IsValid() || ip.Zone() != "" {
					t.Errorf("address %v", ip)
				}
			}
		}
	})
}
