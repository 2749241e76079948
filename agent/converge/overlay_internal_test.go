package converge

import (
	"fmt"
	"testing"

	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/sonic"
)

// Each case is a port as it is, as it is to be, and as it was lent, and what is sent
// and recorded for it.
func TestLending(t *testing.T) {
	const none, missing = "none", "missing"
	for _, c := range []struct {
		name, is   string
		off        bool
		lent       string // none: it is not
		want, then string
	}{
		{"it goes off", "up", true, none, "[HSET PORT|Ethernet0 admin_status down]", "up"},
		{"without a status", "", true, none, "[HSET PORT|Ethernet0 admin_status down]", ""},
		{"it is off", "down", true, "up", "[]", "up"},
		{"it was off before", "down", true, none, "[]", none},
		{"somebody switched it on, or loaded the configuration", "up", true, "up", "[HSET PORT|Ethernet0 admin_status down]", "up"},
		{"SONiC is loading its configuration", missing, true, "up", "[]", "up"},
		{"a port that there is not", missing, true, none, "[]", none},
		{"it comes back", "down", false, "up", "[HSET PORT|Ethernet0 admin_status up]", none},
		{"without a status", "down", false, "", "[HDEL PORT|Ethernet0 admin_status]", none},
		{"it is back", "up", false, "up", "[]", none},
		{"it is gone", missing, false, "up", "[]", none},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, lent, off := sonic.DB{}, state.Lent{}, map[string]bool{}
			switch c.is {
			case missing:
			case "":
				rows[sonic.Key{Table: "PORT", Name: "Ethernet0"}] = sonic.NewFields("mtu", "9100")
			default:
				rows[sonic.Key{Table: "PORT", Name: "Ethernet0"}] = sonic.NewFields("admin_status", c.is)
			}
			if c.lent != none {
				lent["Ethernet0"] = c.lent
			}
			if c.off {
				off["Ethernet0"] = true
			}
			commands, record := lending(rows, off, lent)
			then, ok := record["Ethernet0"]
			if !ok {
				then = none
			}
			if got := fmt.Sprint(commands); got != c.want || then != c.then {
				t.Errorf("sends %s, want %s; lent is then %q, want %q", got, c.want, then, c.then)
			}
		})
	}
}
