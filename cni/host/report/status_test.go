package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/neighbors"
	"github.com/switchlet/switchlet/cni/host/report"
)

// monday is some moment.
func monday() time.Time { return time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC) }

func eth1() []v1alpha1.HostNIC { return []v1alpha1.HostNIC{{Name: "eth1", Up: true}} }

// Ready says the worst that there is to say.
func TestReady(t *testing.T) {
	silent, unsaved := errors.New("the process needs CAP_NET_RAW"), errors.New("disk full")
	for _, c := range []struct {
		facts                   report.Facts
		status, reason, message string
	}{
		{report.Facts{NICs: eth1()}, "True", report.ReasonReady, ""},
		{report.Facts{NICs: eth1(), Unseen: errors.New("no netlink"), View: neighbors.View{Silent: silent}}, "False", report.ReasonNICsUnknown, "no netlink"},
		{report.Facts{View: neighbors.View{Silent: silent}}, "False", report.ReasonNoNICs, "--nics"},
		{report.Facts{NICs: eth1(), View: neighbors.View{Silent: silent, Unsaved: unsaved}}, "False", report.ReasonLLDPSilent, "CAP_NET_RAW"},
		{report.Facts{NICs: eth1(), View: neighbors.View{Unsaved: unsaved}}, "False", report.ReasonNeighborsNotSaved, "disk full"},
		{report.Facts{NICs: eth1(), View: neighbors.View{Unsaved: errors.New(strings.Repeat("x", 2000))}}, "False", report.ReasonNeighborsNotSaved, "xxx"},
	} {
		got := c.facts.Status("host1", 3, nil, monday()).Conditions
		if len(got) != 1 || got[0].Type != "Ready" || string(got[0].Status) != c.status || got[0].Reason != c.reason ||
			got[0].ObservedGeneration != 3 || len(got[0].Message) > 1024 || !strings.Contains(got[0].Message, c.message) {
			t.Errorf("%+v\nis told as %+v", c.facts, got)
		}
	}
}

// The status has what the agent knows, and of the conditions only its own; what
// stays the same keeps its time.
func TestStatus(t *testing.T) {
	heard := []v1alpha1.LLDPNeighbor{{Port: "eth1", ChassisID: "52:54:00:5c:00:01", PortID: "etp1"}}
	facts := report.Facts{NICs: eth1(), View: neighbors.View{Neighbors: heard}}
	since := metav1.NewTime(monday())
	previous := []metav1.Condition{
		{Type: v1alpha1.HostCabled, Status: metav1.ConditionTrue, Reason: "Cabled"},
		{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Ready", LastTransitionTime: since},
	}
	want := v1alpha1.HostStatus{
		NICs: eth1(), NICNames: "eth1", SystemName: "host1", ChassisID: "host1", Neighbors: heard,
		Conditions: []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Ready", LastTransitionTime: since}},
	}
	if diff := cmp.Diff(want, facts.Status("host1", 0, previous, monday().Add(time.Hour))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// kubectl get hosts shows all NICs of a host, up to the width of a screen.
func TestNamesOfNICs(t *testing.T) {
	for n, want := range map[int]string{
		0:  "",
		2:  "eth0,eth1",
		8:  "eth0,eth1,eth2,eth3,eth4,eth5,eth6,eth7",
		10: "eth0,eth1,eth2,eth3,eth4,eth5,eth6,eth7 and 2 more",
	} {
		var nics []v1alpha1.HostNIC
		for i := range n {
			nics = append(nics, v1alpha1.HostNIC{Name: fmt.Sprint("eth", i)})
		}
		if got := (report.Facts{NICs: nics}).Status("host1", 0, nil, monday()).NICNames; got != want {
			t.Errorf("%d NICs are shown as %q, want %q", n, got, want)
		}
	}
}
