package nad

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// What configurations of NetworkAttachmentDefinitions in namespace "here" mean.
func TestParseConfig(t *testing.T) {
	web := Network{VPC: types.NamespacedName{Namespace: "here", Name: "blue"}, Subnet: "web"}
	for _, c := range []struct {
		name, config string
		want         Network
		err          string // a part of the message; "foreign": it is none of ours
	}{
		{"a subnet of a VPC", `{"cniVersion": "1.0.0", "name": "web", "type": "switchlet", "vpc": "blue", "subnet": "web"}`, web, ""},
		{"a list", `{"cniVersion": "1.0.0", "name": "web", "plugins": [{"type": "switchlet", "vpc": "blue", "subnet": "web"}]}`, web, ""},
		{"chained behind another plugin", `{"plugins": [{"type": "macvlan", "vpc": 7}, {"type": "switchlet", "vpc": "blue", "subnet": "web"}]}`, web, ""},
		{"a field of the wrong kind", `{"type": "switchlet", "vpc": 7}`, Network{}, "not the JSON"},
		{"chained before and behind others", `{"plugins": [{"type": "sriov"}, {"type": "switchlet", "vpc": "blue", "subnet": "web"}, {"type": "tuning", "mtu": 9000}]}`, web, ""},
		{"a VPC of another namespace", `{"type": "switchlet", "vpc": "blue", "subnet": "web", "vpcNamespace": "there"}`,
			Network{VPC: types.NamespacedName{Namespace: "there", Name: "blue"}, Subnet: "web"}, ""},
		{"the only subnet of a VPC", `{"type": "switchlet", "vpc": "blue"}`, Network{VPC: web.VPC}, ""},
		{"a VNI as a string", `{"cniVersion": "0.3.0", "type": "switchlet", "VNI": "1111"}`, Network{VNI: 1111}, ""},
		{"a VNI as a number", `{"type": "switchlet", "VNI": 16777215}`, Network{VNI: 16777215}, ""},
		{"at one NIC", `{"type": "switchlet", "vpc": "blue", "subnet": "web", "master": "eth1"}`, Network{VPC: web.VPC, Subnet: "web", Master: "eth1"}, ""},
		{"a VNI at a bond", `{"type": "switchlet", "VNI": 1111, "master": "bond0"}`, Network{VNI: 1111, Master: "bond0"}, ""},
		{"another plugin's NIC", `{"plugins": [{"type": "macvlan", "master": "eth1"}, {"type": "switchlet", "vpc": "blue", "subnet": "web"}]}`, web, ""},
		{"a NIC that can be none", `{"type": "switchlet", "VNI": 1111, "master": "../eth1"}`, Network{}, `master: "../eth1" can be no NIC`},
		{"a NIC with a name that is too long", `{"type": "switchlet", "vpc": "blue", "master": "enp129s0f0np0v12"}`, Network{}, "15 bytes"},
		{"no VNI after all", `{"type": "switchlet", "VNI": null, "vpc": "blue", "subnet": "web"}`, web, ""},
		{"somebody else's", `{"type": "bridge", "bridge": "br0"}`, Network{}, "foreign"},
		{"somebody else's list", `{"plugins": [{"type": "bridge"}, {"type": "tuning"}]}`, Network{}, "foreign"},
		{"somebody else's mistake", `{"type": "bridge", `, Network{}, "foreign"},
		{"nothing", ``, Network{}, "foreign"},
		{"our mistake", `{"type": "switchlet", `, Network{}, "spec.config is not the JSON of a CNI configuration"},
		{"no subnet at all", `{"type": "switchlet"}`, Network{}, `name the subnet by "vpc" and "subnet", or by "VNI"`},
		{"two ways at once", `{"type": "switchlet", "VNI": 1111, "vpc": "blue"}`, Network{}, "VNI stands alone"},
		{"twice in a list", `{"plugins": [{"type": "switchlet", "VNI": 1}, {"type": "switchlet", "VNI": 2}]}`, Network{}, "2 plugins are of type switchlet"},
		{"VNI 0", `{"type": "switchlet", "VNI": 0}`, Network{}, `VNI: "0" is not a number from 1 to 16777215`},
		{"a VNI of more than 24 bits", `{"type": "switchlet", "VNI": 16777216}`, Network{}, "is not a number"},
		{"a VNI that is no number", `{"type": "switchlet", "VNI": "red"}`, Network{}, `"red" is not a number`},
		{"a VNI that is half a number", `{"type": "switchlet", "VNI": 1.5}`, Network{}, "is not a number"},
		{"a VNI that is a list", `{"type": "switchlet", "VNI": [1]}`, Network{}, "is not a number"},
		{"a name that is none", `{"type": "switchlet", "vpc": "Blue!", "subnet": "web"}`, Network{}, `vpc: "Blue!" can be nobody's name`},
		{"too long", `{"type": "switchlet", "vpc": "` + strings.Repeat("b", maxConfig) + `"}`, Network{}, "bytes, and 65536 are read at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseConfig("here", c.config)
			switch {
			case c.err == "foreign":
				if !errors.Is(err, ErrForeign) {
					t.Errorf("got %+v, %v; want it to be somebody else's", got, err)
				}
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) || errors.Is(err, ErrForeign) {
					t.Errorf("got %+v, %v; want an error with %q", got, err, c.err)
				}
			case err != nil || got != c.want:
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

// Whatever a configuration is, it means one subnet, or says why not, in few words.
func FuzzParseConfig(f *testing.F) {
	f.Add(`{"type": "switchlet", "vpc": "blue", "subnet": "web"}`)
	f.Add(`{"plugins": [{"type": "macvlan"}, {"type": "switchlet", "VNI": "1111"}]}`)
	f.Add(`{"type": "switchlet", "VNI": 1e3}`)
	f.Add(`{"type": "switchlet", "VNI": 1, "master": "bond0"}`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseConfig("here", text)
		switch {
		case err != nil && n != Network{}:
			t.Errorf("%+v beside the error %v", n, err)
		case err != nil && len(err.Error()) > 1024:
			t.Errorf("a message of %d bytes", len(err.Error()))
		case err == nil && (n.VNI == 0) == (n.VPC.Name == ""):
			t.Errorf("%+v means no one subnet", n)
		case err == nil && (len(n.Master) > 15 || strings.ContainsAny(n.Master, "/: ")):
			t.Errorf("master %q", n.Master)
		case err == nil && (n.VNI < 0 || n.VNI > 1<<24-1):
			t.Errorf("VNI %d", n.VNI)
		}
	})
}
