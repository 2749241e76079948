package report_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

const day = 24 * time.Hour

// monday is some moment.
func monday() time.Time { return time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC) }

func condition(name string, status metav1.ConditionStatus, reason, message string, since time.Time) metav1.Condition {
	return metav1.Condition{Type: name, Status: status, ObservedGeneration: 2, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(since)}
}

// Ready is the first condition that is False, and what stays the same keeps its time. A
// change on trial is Unknown: kubectl wait for condition=Confirmed waits for its end.
func TestConditions(t *testing.T) {
	fine := report.State{OK: true, Reason: "Rendered"}
	f := report.Facts{Generation: 2, Rendered: fine, Programmed: report.State{OK: true, Reason: "Converged"}, Confirmed: report.State{OK: true, Reason: "Confirmed"}}
	first := report.ConfigStatus(f, nil, monday())
	want := []metav1.Condition{
		condition("Rendered", "True", "Rendered", "", monday()),
		condition("Programmed", "True", "Converged", "", monday()),
		condition("Confirmed", "True", "Confirmed", "", monday()),
		condition("Ready", "True", "Ready", "", monday()),
	}
	if diff := cmp.Diff(want, first.Conditions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f.Programmed = report.State{Reason: "Paused", Message: "It is paused."}
	second := report.ConfigStatus(f, first.Conditions, monday().Add(day))
	want = []metav1.Condition{
		condition("Rendered", "True", "Rendered", "", monday()),
		condition("Programmed", "False", "Paused", "It is paused.", monday().Add(day)),
		condition("Confirmed", "True", "Confirmed", "", monday()),
		condition("Ready", "False", "Paused", "It is paused.", monday().Add(day)),
	}
	if diff := cmp.Diff(want, second.Conditions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f.Programmed = report.State{OK: true, Reason: "Converged"}
	f.Confirmed = report.State{OK: true, Open: true, Reason: "OnTrial"}
	third := report.ConfigStatus(f, first.Conditions, monday().Add(day))
	want = []metav1.Condition{
		condition("Rendered", "True", "Rendered", "", monday()),
		condition("Programmed", "True", "Converged", "", monday()),
		condition("Confirmed", "Unknown", "OnTrial", "", monday().Add(day)),
		condition("Ready", "True", "Ready", "", monday()),
	}
	if diff := cmp.Diff(want, third.Conditions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAtMost64Problems(t *testing.T) {
	f := report.Facts{Problems: make([]v1alpha1.Problem, 100)}
	if got := len(report.ConfigStatus(f, nil, monday()).Problems); got != 64 {
		t.Errorf("%d problems", got)
	}
}

func TestInventory(t *testing.T) {
	rows := sonic.DB{
		{Table: "DEVICE_METADATA", Name: "localhost"}:                          sonic.NewFields("platform", "p", "hwsku", "h", "mac", "52:54:00:00:00:01"),
		{Table: "PORT", Name: "Ethernet16"}:                                    sonic.NewFields("alias", "Eth5", "speed", "100000", "admin_status", "up"),
		{Table: "PORT", Name: "Ethernet8"}:                                     sonic.NewFields("speed", "fast"),
		{Table: "PORT", Name: "Ethernet4"}:                                     nil,
		{Table: "PORTCHANNEL", Name: "PortChannel0001"}:                        sonic.NewFields("admin_status", "up"),
		{Table: "PORTCHANNEL_MEMBER", Name: "PortChannel0001|Ethernet8"}:       nil,
		{Table: "INTERFACE", Name: "Ethernet4"}:                                nil,
		{Table: "INTERFACE", Name: "Ethernet4|10.0.0.0/31"}:                    nil,
		{Table: "VLAN", Name: "Vlan10"}:                                        sonic.NewFields("vlanid", "10"),
		{Table: "VLAN", Name: "Vlan100"}:                                       sonic.NewFields("vlanid", "100"),
		{Table: "VLAN_MEMBER", Name: "Vlan10|Ethernet16"}:                      sonic.NewFields("tagging_mode", "untagged"),
		{Table: "VLAN_MEMBER", Name: "Vlan100|PortChannel0001"}:                sonic.NewFields("tagging_mode", "untagged"),
		{Table: "VLAN_INTERFACE", Name: "Vlan12"}:                              nil,
		{Table: "VXLAN_TUNNEL", Name: "switchlet"}:                             sonic.NewFields("src_ip", "10.255.0.1"),
		{Table: "VXLAN_TUNNEL", Name: "vtep"}:                                  sonic.NewFields("src_ip", "10.255.0.9"),
		{Table: "VXLAN_TUNNEL_MAP", Name: "switchlet|map_10100_Vlan100"}:       sonic.NewFields("vlan", "Vlan100", "vni", "10100"),
		{Table: "VXLAN_TUNNEL_MAP", Name: "vtep|map_777_Vlan10"}:               sonic.NewFields("vlan", "Vlan10", "vni", "777"),
		{Table: "VRF", Name: "Vrf20001"}:                                       sonic.NewFields("vni", "20001"),
		{Table: "VRF", Name: "VrfMine"}:                                        sonic.NewFields("vni", "0"),
		{Table: "VLAN", Name: "Vlan99999"}:                                     nil,
		{Table: "VLAN_MEMBER", Name: "Vlan100|Ethernet4"}:                      sonic.NewFields("tagging_mode", "tagged"),
		{Table: "VXLAN_TUNNEL_MAP", Name: "vtep|map_99999999999999999_Vlan11"}: sonic.NewFields("vni", "99999999999999999"),
	}
	owned := sonic.Ledger{
		sonic.VLANKey(100): nil, {Table: "VLAN_MEMBER", Name: "Vlan100|PortChannel0001"}: nil, {Table: "VRF", Name: "Vrf20001"}: nil,
		{Table: "VXLAN_TUNNEL", Name: "switchlet"}: nil, {Table: "VXLAN_TUNNEL_MAP", Name: "switchlet|map_10100_Vlan100"}: nil,
	}
	var got report.Inventory
	got.Look(rows, owned)
	want := report.Inventory{
		Metadata: sonic.DeviceMetadata{Platform: "p", HWSKU: "h", MAC: "52:54:00:00:00:01"},
		Ports: []v1alpha1.SwitchPort{
			{Name: "Ethernet4", Use: v1alpha1.PortUseRouted, UsedBy: "INTERFACE|Ethernet4"},
			{Name: "Ethernet8", Use: v1alpha1.PortUsePortChannelMember, UsedBy: "PortChannel0001"},
			{Name: "Ethernet16", Alias: "Eth5", SpeedMbps: 100000, AdminUp: true, NativeVLAN: 10},
			{Name: "PortChannel0001", AdminUp: true},
		},
		ForeignVLANs: []int32{10, 12}, ForeignVNIs: []int32{777}, VNIs: []int32{10100, 20001}, VTEPs: []string{"10.255.0.1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
