package plan

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// sending is a HostConfig with networks, such as "eth0/100/10101", of which "-/-/10101"
// has no uplink.
func sending(generation int64, was string, tags ...string) *v1alpha1.HostConfig {
	c := &v1alpha1.HostConfig{ObjectMeta: metav1.ObjectMeta{Name: "host1", Generation: generation, Annotations: map[string]string{SentAnnotation: was}}}
	c.Spec.Revision = fmt.Sprint("r", generation)
	for _, text := range tags {
		s, ok := parseSent(strings.ReplaceAll(text, "-/-", "-/0") + "@0")
		if !ok {
			panic(text)
		}
		n := v1alpha1.HostNetwork{VNI: s.VNI}
		if s.NIC != "-" {
			n.Uplinks = []v1alpha1.HostUplink{{NIC: s.NIC, VLAN: s.VLAN}}
		}
		c.Spec.Networks = append(c.Spec.Networks, n)
	}
	return c
}

// reporting has a host say what it has put into force, and what it sends.
func reporting(c *v1alpha1.HostConfig, generation int64, tags ...string) *v1alpha1.HostConfig {
	c.Status = v1alpha1.HostConfigStatus{ObservedGeneration: generation, AppliedRevision: fmt.Sprint("r", generation)}
	for _, text := range tags {
		s, ok := parseSent(text + "@0")
		if !ok {
			panic(text)
		}
		c.Status.Networks = append(c.Status.Networks, v1alpha1.HostNetworkStatus{VNI: s.VNI, Tags: []v1alpha1.HostTag{{NIC: s.NIC, VLAN: s.VLAN}}})
	}
	return c
}

// What a host may send, which was told something else before.
func TestTagsOf(t *testing.T) {
	applying := reporting(sending(5, "eth0/100/10101@4"), 5)
	applying.Status.AppliedRevision = "r4"
	for _, c := range []struct {
		name   string
		config *v1alpha1.HostConfig
		want   string
	}{
		{"what its spec says", sending(4, "", "eth0/100/10101", "eth1/0/10102"), "eth0/100/10101 eth1/0/10102"},
		{"what it said, as long as the host has not seen that", reporting(sending(5, "eth0/100/10101@4"), 4), "eth0/100/10101"},
		{"… or has seen it and not put it into force", applying, "eth0/100/10101"},
		{"nothing any more", reporting(sending(5, "eth0/100/10101@4"), 5), ""},
		{"what it says that it sends", reporting(sending(5, ""), 5, "eth0/100/10101"), "eth0/100/10101"},
		{"… beside what it shall send", reporting(sending(5, "", "eth0/200/10101"), 5, "eth0/200/10101", "eth0/0/10101"), "eth0/200/10101 eth0/0/10101"},
		{"… once", reporting(sending(5, "eth0/100/10101@4", "eth0/200/10101"), 4, "eth0/100/10101"), "eth0/200/10101 eth0/100/10101"},
		{"a host without agent has attached no pod", sending(5, "eth0/100/10101@4"), ""},
		{"a damaged annotation says nothing", reporting(sending(5, "eth0/100@4 /// eth0/9999/1@4 eth0/1/1"), 4), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, tag := range TagsOf(c.config) {
				got = append(got, fmt.Sprintf("%s/%d/%d", tag.NIC, tag.VLAN, tag.VNI))
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("it may send %q, want %q", text, c.want)
			}
		})
	}
}

// What is written down when a HostConfig changes.
func TestSent(t *testing.T) {
	for _, c := range []struct {
		name   string
		before *v1alpha1.HostConfig
		after  []string
		want   string
	}{
		{"nothing goes", reporting(sending(4, "", "eth0/100/10101"), 4), []string{"eth0/100/10101"}, ""},
		{"one goes", reporting(sending(4, "", "eth0/100/10101", "eth0/101/10102"), 4), []string{"eth0/101/10102"}, "eth0/100/10101@4"},
		{"two go, before the host has let go of the first", reporting(sending(5, "eth0/100/10101@4", "eth0/101/10102"), 4), nil, "eth0/100/10101@4 eth0/101/10102@5"},
		{"… and after that", reporting(sending(5, "eth0/100/10101@4", "eth0/101/10102"), 5), nil, "eth0/101/10102@5"},
		{"it comes back", reporting(sending(5, "eth0/100/10101@4"), 4), []string{"eth0/100/10101"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Sent(c.before, &sending(6, "", c.after...).Spec); got != c.want {
				t.Errorf("the annotation is %q, want %q", got, c.want)
			}
		})
	}
}

// A port gets a subnet only when no host there may send frames of another one that would
// be taken for its own.
func TestPortsWaitForHosts(t *testing.T) {
	port := v1alpha1.PortReference{Switch: "leaf1", Name: "Ethernet8"}
	for _, c := range []struct {
		name  string
		mode  v1alpha1.AttachmentMode
		tag   Tag // what the host may send; the subnet is Vlan100 of VNI 10101
		had   []string
		waits bool
	}{
		{"the same id for another subnet", v1alpha1.ModeTagged, Tag{VLAN: 100, VNI: 20202}, nil, true},
		{"the same id for this one", v1alpha1.ModeTagged, Tag{VLAN: 100, VNI: 10101}, nil, false},
		{"another id", v1alpha1.ModeTagged, Tag{VLAN: 101, VNI: 20202}, nil, false},
		{"untagged, and the subnet is tagged", v1alpha1.ModeTagged, Tag{VNI: 20202}, nil, false},
		{"untagged, and the subnet is too", v1alpha1.ModeNative, Tag{VNI: 20202}, nil, true},
		{"tagged, and the subnet is native: switches take both", v1alpha1.ModeNative, Tag{VLAN: 100, VNI: 20202}, nil, true},
		{"what is in force stays", v1alpha1.ModeTagged, Tag{VLAN: 100, VNI: 20202}, []string{"Ethernet8 100"}, false},
		{"another port of it is another port", v1alpha1.ModeTagged, Tag{VLAN: 100, VNI: 20202}, []string{"Ethernet4 100"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Inputs{Tags: map[v1alpha1.PortReference][]Tag{port: {c.tag}}, Configs: map[string]*v1alpha1.SwitchConfig{"leaf1": carrying(c.had...)}}
			a := &v1alpha1.VPCAttachment{Spec: v1alpha1.VPCAttachmentSpec{VPC: "blue", Subnet: "web", Port: port, Mode: c.mode}}
			p := inTheWay(in, attachment{Placement: Named(a), l2VNI: 10101}, 100)
			if (p != nil) != c.waits || p != nil && p.Reason != VLANInUse {
				t.Errorf("the problem is %+v, want one: %t", p, c.waits)
			}
		})
	}
}

// Whoever changes annotations by hand does not stop the controller.
func FuzzTagsOf(f *testing.F) {
	f.Add("eth0/100/10101@4 eth1/0/10102@5")
	f.Add("eth0/100/10101@")
	f.Fuzz(func(t *testing.T, text string) {
		c := reporting(sending(5, text), 4)
		first := Sent(c, &c.Spec)
		if again := Sent(reporting(sending(5, first), 4), &c.Spec); again != first {
			t.Errorf("%q became %q, and then %q", text, first, again)
		}
	})
}
