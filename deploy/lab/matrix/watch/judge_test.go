package watch

import (
	"slices"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

func endpoint(host, nic, vpc, subnet string, vlan int) matrix.Endpoint {
	return matrix.Endpoint{Host: host, NIC: nic, VPC: vpc, Subnet: subnet, VLAN: vlan}
}

// host1 and host2 have blue's web and red's app on one NIC each, with tags; host3 has
// blue's db without a tag. The tags of host2 are others: it is cabled to another switch.
func TestVerdicts(t *testing.T) {
	web1, app1 := endpoint("host1", "eth1", "blue", "web", 101), endpoint("host1", "eth1", "red", "app", 102)
	web2, app2 := endpoint("host2", "eth1", "blue", "web", 201), endpoint("host2", "eth1", "red", "app", 202)
	db3 := endpoint("host3", "eth1", "blue", "db", 0)
	all := []matrix.Endpoint{web1, app1, web2, app2, db3}
	j := newJudge()
	j.set(all, matrix.VPCRules().Expect(all))
	for _, test := range []struct {
		name     string
		from, to *matrix.Endpoint
		kind     mark.Kind
		ttl      uint8
		host     string
		vlan     int
		want     string
	}{
		{"a broadcast in its subnet", &web1, nil, mark.Broadcast, 64, "host2", 201, ""},
		{"a broadcast that comes back", &web1, nil, mark.Broadcast, 64, "host1", 101, ""},
		{"a datagram in its subnet", &web1, &web2, mark.Flow, 64, "host2", 201, ""},
		{"a datagram that was flooded", &web1, &db3, mark.Flow, 64, "host2", 201, ""},
		{"a datagram that was routed", &web1, &db3, mark.Flow, 63, "host3", 0, ""},
		{"a datagram that was routed and flooded", &db3, &web1, mark.Flow, 63, "host2", 201, ""},
		{"a datagram that was not routed", &web1, &db3, mark.Flow, 64, "host3", 0, NotRouted},
		{"the answer to an echo", &web1, &db3, mark.Request, 64, "host3", 0, ""},
		{"a datagram for another subnet", &web1, &web2, mark.Flow, 63, "host3", 0, OtherSubnet},
		{"a broadcast of another subnet", &web1, nil, mark.Broadcast, 64, "host3", 0, OtherSubnet},
		{"a stray in its own subnet", &web1, &db3, mark.Stray, 64, "host2", 201, ""},
		{"a stray", &web1, &db3, mark.Stray, 64, "host3", 0, OtherSubnet},
		{"another VPC", &app1, &db3, mark.Forbidden, 63, "host3", 0, OtherVPC},
		{"another VPC's broadcast", &app1, nil, mark.Broadcast, 64, "host3", 0, OtherVPC},
		{"the right subnet with the tag of another VPC", &app1, nil, mark.Broadcast, 64, "host2", 201, OtherTag},
		{"the right subnet with nobody's tag", &app1, nil, mark.Broadcast, 64, "host2", 7, OtherTag},
		{"nobody's tag", &app1, nil, mark.Broadcast, 64, "host3", 7, NotAttached},
		{"a host that is not there", &app1, nil, mark.Broadcast, 64, "host9", 0, NotAttached},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := mark.Heard{Mark: mark.Mark{Kind: test.kind, From: test.from.ID()}, TTL: test.ttl}
			if test.to != nil {
				h.To = test.to.ID()
			}
			if _, _, reason := j.verdict(h, nic{test.host, "eth1"}, test.vlan); reason != test.want {
				t.Errorf("%q, wanted %q", reason, test.want)
			}
		})
	}
	t.Run("of somebody who is not ours", func(t *testing.T) {
		if _, _, reason := j.verdict(mark.Heard{Mark: mark.Mark{From: 7, Kind: mark.Broadcast}}, nic{"host3", "eth1"}, 0); reason != "" {
			t.Errorf("%q", reason)
		}
	})
	t.Run("after the endpoint is gone its NIC still is of its VPC", func(t *testing.T) {
		j.set(all[:4], matrix.VPCRules().Expect(all[:4]))
		h := mark.Heard{Mark: mark.Mark{From: web1.ID(), To: db3.ID(), Kind: mark.Flow}, TTL: 63}
		if _, _, reason := j.verdict(h, nic{"host3", "eth1"}, 0); reason != "" {
			t.Errorf("%q", reason)
		}
		h.From = app1.ID()
		if _, _, reason := j.verdict(h, nic{"host3", "eth1"}, 0); reason != OtherVPC {
			t.Errorf("%q, wanted %q", reason, OtherVPC)
		}
	})
	t.Run("a tag that a host has let go of is nobody's", func(t *testing.T) {
		others := []matrix.Endpoint{web1, web2, db3} // red has gone
		j.set(others, matrix.VPCRules().Expect(others))
		h := mark.Heard{Mark: mark.Mark{From: db3.ID(), Kind: mark.Broadcast}, TTL: 64}
		if _, at, reason := j.verdict(h, nic{"host2", "eth1"}, 202); reason != NotAttached || at != nil {
			t.Errorf("%q of %v, wanted %q of nobody", reason, at, NotAttached)
		}
		h.From = app1.ID()
		if _, _, reason := j.verdict(h, nic{"host2", "eth1"}, 202); reason != "" {
			t.Errorf("%q of its own subnet, which is on its way out", reason)
		}
	})
	t.Run("VPCs that were joined are not told apart any more", func(t *testing.T) {
		expect := matrix.VPCRules().Expect(all)
		expect[matrix.Pair{From: app1.ID(), To: db3.ID()}] = true
		j.set(all, expect)
		h := mark.Heard{Mark: mark.Mark{From: app1.ID(), To: db3.ID(), Kind: mark.Flow}, TTL: 63}
		if _, _, reason := j.verdict(h, nic{"host3", "eth1"}, 0); reason != "" {
			t.Errorf("%q", reason)
		}
	})
	t.Run("an isolated subnet is apart from all, joined or not", func(t *testing.T) {
		alone := app1
		alone.Isolated = true
		expect := matrix.VPCRules().Expect(all)
		expect[matrix.Pair{From: app1.ID(), To: db3.ID()}] = true
		j.set([]matrix.Endpoint{web1, alone, web2, app2, db3}, expect)
		h := mark.Heard{Mark: mark.Mark{From: app1.ID(), To: db3.ID(), Kind: mark.Flow}, TTL: 63}
		if _, _, reason := j.verdict(h, nic{"host3", "eth1"}, 0); reason != OtherVPC {
			t.Errorf("%q, wanted %q", reason, OtherVPC)
		}
	})
}

// A cable was moved to a switch where the subnet has another tag, and frames come before
// anyone says so: once it is said they were none that leaked. Others stay.
func TestWhatWasSaidLaterIsJustified(t *testing.T) {
	before, after := endpoint("host1", "eth1", "blue", "web", 101), endpoint("host1", "eth1", "blue", "web", 201)
	other, red := endpoint("host2", "eth1", "blue", "web", 101), endpoint("host2", "eth1", "red", "app", 102)
	w, err := New(Config{Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.epochs = []Epoch{{Name: "before"}}
	w.judge.set([]matrix.Endpoint{before, other, red}, nil)
	for _, from := range []matrix.Endpoint{other, red} {
		payload := mark.Mark{Kind: mark.Broadcast, From: from.ID()}.Message()
		w.hear(nic{"host1", "eth1"}, 201, payload, len(payload))
	}
	if len(w.leaks) != 2 {
		t.Fatalf("%d leaks, wanted one of each", len(w.leaks))
	}
	w.judge.set([]matrix.Endpoint{after, other, red}, nil)
	w.justify()
	for _, l := range w.leaks {
		if l.From != red.String() || l.Reason != NotAttached {
			t.Errorf("%+v", l)
		}
	}
	if len(w.leaks) != 1 {
		t.Errorf("%d leaks, wanted that of red", len(w.leaks))
	}
}

// The tag of one VPC goes to another one before the host has let go of it: that stays a
// leak, whatever is said later.
func TestTagThatSomebodyHadIsNotJustified(t *testing.T) {
	blue, red := endpoint("host1", "eth1", "blue", "web", 101), endpoint("host1", "eth1", "red", "app", 102)
	sender := endpoint("host2", "eth1", "red", "app", 102)
	w, err := New(Config{Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.epochs = []Epoch{{Name: "before"}}
	w.judge.set([]matrix.Endpoint{blue, red, sender}, nil)
	payload := mark.Mark{Kind: mark.Broadcast, From: sender.ID()}.Message()
	w.hear(nic{"host1", "eth1"}, 101, payload, len(payload))
	red.VLAN = 101
	w.judge.set([]matrix.Endpoint{red, sender}, nil)
	w.justify()
	if len(w.leaks) != 1 {
		t.Errorf("%d leaks, wanted that of red with the tag of blue", len(w.leaks))
	}
}

// A watch that keeps frames does not judge those without a tag, at either end: it says
// what it has seen of them.
func TestFramesWithoutATagAreKept(t *testing.T) {
	tagged, native := endpoint("host1", "eth1", "blue", "web", 101), endpoint("host2", "eth1", "red", "app", 0)
	w, err := New(Config{Rate: 1, Run: 7, Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	w.epochs = []Epoch{{Name: "all"}}
	w.judge.set([]matrix.Endpoint{tagged, native}, nil)
	for _, test := range []struct {
		from  matrix.Endpoint
		place nic
		vlan  int
	}{
		{tagged, nic{"host2", "eth1"}, 0}, {native, nic{"host1", "eth1"}, 101}, {native, nic{"host1", "eth1"}, 7}, {tagged, nic{"host1", "eth1"}, 7},
	} {
		payload := mark.Mark{Kind: mark.Broadcast, From: test.from.ID(), Run: 7, Sent: 42}.Message()
		w.hear(test.place, test.vlan, payload, len(payload))
	}
	frames, endpoints := w.kept()
	want := []Frame{
		{From: tagged.ID(), Kind: mark.Broadcast, Place: "host2/eth1", Sent: 42},
		{From: native.ID(), Kind: mark.Broadcast, Untagged: true, Place: "host1/eth1", VLAN: 101, At: tagged.ID(), Sent: 42},
		{From: native.ID(), Kind: mark.Broadcast, Untagged: true, Place: "host1/eth1", VLAN: 7, Sent: 42},
	}
	for i := range frames {
		frames[i].Heard = 0
	}
	if !slices.Equal(frames, want) || len(endpoints) != 2 {
		t.Errorf("%+v\nwanted %+v", frames, want)
	}
	if len(w.leaks) != 1 {
		t.Errorf("%d leaks, wanted the one whose tags are known at both ends", len(w.leaks))
	}
}
