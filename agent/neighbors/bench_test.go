package neighbors

import (
	"fmt"
	"testing"
	"time"
)

// One look at a switch with 64 ports and as many neighbours, as there is one
// every 5 s.
func BenchmarkLook(b *testing.B) {
	sonic := newBox(b)
	for i := range 64 {
		name := fmt.Sprintf("Ethernet%d", 2*i)
		sonic.set(configDB, "PORT|"+name, map[string]string{"alias": fmt.Sprint("Eth", i+1), "lanes": fmt.Sprint(i)})
		sonic.set(applDB, "LLDP_ENTRY_TABLE:"+name, spine(fmt.Sprint("host", i), "eth1"))
	}
	source, err := openSource(sonic.DatabaseConfig())
	if err != nil {
		b.Fatal(err)
	}
	defer source.close()
	known, now := newTable(2*time.Second, time.Hour), start()
	for b.Loop() {
		seen, err := source.look(b.Context(), now)
		if err != nil || len(seen.heard) < 64 {
			b.Fatalf("%d neighbours, error %v", len(seen.heard), err)
		}
		known.observe(now, seen.heard)
		if len(known.neighbors()) < 64 {
			b.Fatal("neighbours are missing")
		}
	}
}
