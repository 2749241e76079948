package lldpsyncd_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
	"github.com/switchlet/switchlet/deploy/lab/lldpsyncd"
)

// said is what an lldpd says.
type said struct{ neighbors []lldpcli.Interface }

func (s said) Neighbors(context.Context) ([]lldpcli.Interface, error) { return s.neighbors, nil }

func (s said) Chassis(context.Context) (lldpcli.Chassis, error) {
	return lldpcli.Chassis{ID: lldpcli.ID{Type: "mac", Value: "52:54:00:5c:00:01"}, Name: "leaf1"}, nil
}

// Neighbours come to a switch's APPL_DB, and go from it, also over a reboot of
// the switch; its other rows stay.
func TestNeighborsComeAndGo(t *testing.T) {
	b := labtest.Box(t, box.Config{NoDaemons: true})
	appl := redis.NewClient(&redis.Options{Network: "unix", Addr: b.Socket()})
	defer appl.Close()
	name := func(port string) string {
		return appl.HGet(t.Context(), "LLDP_ENTRY_TABLE:"+port, "lldp_rem_sys_name").Val()
	}
	if err := appl.HSet(t.Context(), "PORT_TABLE:Ethernet0", "oper_status", "up").Err(); err != nil {
		t.Fatal(err)
	}
	spine := said{[]lldpcli.Interface{{Name: "Ethernet120", RID: "1", Chassis: lldpcli.Chassis{
		ID: lldpcli.ID{Type: "mac", Value: "52:54:00:5c:00:03"}, Name: "spine1",
	}}}}
	for _, step := range []struct {
		name string
		said said
		want string
		do   func() error
	}{
		{"nobody", said{}, "", nil},
		{"a spine", spine, "spine1", nil},
		{"still the spine", spine, "spine1", nil},
		{"nobody any more", said{}, "", nil},
		{"the spine again", spine, "spine1", nil},
		{"after a reboot", spine, "spine1", func() error { return b.Restart(t.Context()) }},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.do != nil {
				if err := step.do(); err != nil {
					t.Fatal(err)
				}
			}
			if err := lldpsyncd.Sync(t.Context(), step.said, appl); err != nil {
				t.Fatal(err)
			}
			if got := name("Ethernet120"); got != step.want {
				t.Errorf("neighbour at Ethernet120 = %q, want %q", got, step.want)
			}
			if got := appl.HGet(t.Context(), "LLDP_LOC_CHASSIS", "lldp_loc_sys_name").Val(); got != "leaf1" {
				t.Errorf("lldp_loc_sys_name = %q, want leaf1", got)
			}
			if step.do == nil && appl.Exists(t.Context(), "PORT_TABLE:Ethernet0").Val() != 1 {
				t.Error("PORT_TABLE:Ethernet0 is gone")
			}
		})
	}
}
