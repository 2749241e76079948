package sonic

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// A long walk takes `go test ./sonic -run Walk -walk 20000`.
var (
	walkLength = flag.Int("walk", 2000, "transitions of the random walk")
	walkSeed   = flag.Uint64("walk-seed", 0, "seed of the random walk; 0 for a new one")
)

// walker is a CONFIG_DB in memory with SONiC's daemons on it, and a writer that
// carries out plans as the agent does.
type walker struct {
	t       *testing.T
	random  *rand.Rand
	have    DB
	owned   Ledger
	daemons *swss.Daemons
	trace   strings.Builder
}

func newWalker(t *testing.T, random *rand.Rand) *walker {
	w := &walker{t: t, random: random, have: parse(t, ports), owned: Ledger{}}
	w.have[Key{"DEVICE_METADATA", "localhost"}] = NewFields("mac", "52:54:00:00:00:01")
	w.daemons = swss.New(swss.Config{
		Read: w.read, Manager: 50 * time.Millisecond, Orchagent: 50 * time.Millisecond, Rand: random,
	})
	var keys []string
	for key := range w.have {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	if err := w.daemons.Start(keys); err != nil {
		t.Fatal(err)
	}
	w.settle()
	return w
}

func (w *walker) read(keys []string) ([]swss.Row, error) {
	rows := make([]swss.Row, len(keys))
	for i, name := range keys {
		key, _ := ParseKey(name)
		fields, ok := w.have[key]
		if !ok {
			continue
		}
		rows[i] = swss.Row{}
		for _, field := range fields {
			rows[i][field.Name] = field.Value
		}
		if len(fields) == 0 {
			rows[i][null] = null
		}
	}
	return rows, nil
}

func (w *walker) settle() {
	if _, err := w.daemons.Settle(time.Minute); err != nil {
		w.t.Fatal(err)
	}
}

// send carries out commands, with the events that Redis announces.
func (w *walker) send(commands ...Command) {
	for _, c := range commands {
		fmt.Fprintln(&w.trace, c)
		w.have.Apply(c)
		event := map[Op]string{Create: "hset", Extend: "hset", Set: "hset", Unset: "hdel", Delete: "del"}[c.Op]
		w.daemons.Event(c.Key.String(), event)
	}
}

// pass lets a little time pass.
func (w *walker) pass(d time.Duration) {
	if _, err := w.daemons.Advance(d); err != nil {
		w.t.Fatal(err)
	}
}

// await waits for markers, and reports whether they came.
func (w *walker) await(markers []Marker, patience time.Duration) bool {
	for waited := time.Duration(0); ; waited += 20 * time.Millisecond {
		if !slices.ContainsFunc(markers, func(m Marker) bool { return !w.met(m) }) {
			return true
		}
		if waited > patience {
			return false
		}
		w.pass(20 * time.Millisecond)
	}
}

func (w *walker) met(m Marker) bool {
	row, there := w.daemons.Rows(m.DB)[m.Key]
	if m.Field != "" {
		return row[m.Field] == m.Value
	}
	return there != m.Gone
}

// carryOut is what the agent does with a plan. It may be stopped before any
// command, as if killed.
func (w *walker) carryOut(p Plan) (whole bool) {
	for key, names := range p.Own {
		w.owned[key] = names
	}
	stop := -1
	if w.random.IntN(4) == 0 {
		stop = w.random.IntN(p.Commands() + 1)
	}
	for _, stage := range p.Stages {
		for _, c := range stage.Commands {
			if stop == 0 {
				fmt.Fprintln(&w.trace, "# killed")
				return false
			}
			w.send(c)
			stop--
		}
		patience := 10 * time.Second
		if stage.Soft {
			patience = 2 * time.Second
		}
		for _, m := range stage.Await {
			fmt.Fprintln(&w.trace, "WAIT", m)
		}
		if !w.await(stage.Await, patience) && !stage.Soft {
			w.fail("a marker does not come")
		}
	}
	w.owned.Apply(p)
	if w.random.IntN(2) == 0 && !w.await(p.Accepted(), 10*time.Second) {
		w.fail("not all was taken")
	}
	return true
}

func (w *walker) fail(why string) {
	w.t.Helper()
	w.t.Fatalf("%s\ndaemons:\n%s\nmistakes:\n%s\nerrors:\n%s\ncommands:\n%s", why, w.daemons.Dump(),
		swss.Report(w.daemons.Mistakes()), strings.Join(w.daemons.Errors(), "\n"), w.trace.String())
}

// step goes to another fabric.
func (w *walker) step(want DB) {
	w.trace.Reset()
	for tries := 0; ; tries++ {
		p := Diff(w.have, want, w.owned)
		if len(p.Conflicts) > 0 {
			w.fail(fmt.Sprintf("conflicts: %v", conflictTexts(p)))
		}
		if w.carryOut(p) {
			break
		}
		w.pass(time.Duration(w.random.IntN(300)) * time.Millisecond)
	}
	if len(w.daemons.Mistakes())+len(w.daemons.Errors()) > 0 {
		w.fail("the writer made mistakes")
	}
}

// Between random fabrics, from any to any, interrupted at random, SONiC's
// daemons find nothing to complain of, and end with what the last fabric means.
func TestWalk(t *testing.T) {
	seed := *walkSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d transitions, -walk-seed %d", *walkLength, seed)
	random := rand.New(rand.NewPCG(seed, 1))
	w := newWalker(t, random)
	empty := w.daemons.Dump()
	for range *walkLength {
		w.step(randomFabric(random))
	}
	w.step(DB{})
	w.settle()
	if got := w.daemons.Dump(); got != empty {
		t.Errorf("the daemons still have:\n%s\nwant:\n%s", got, empty)
	}
	w.step(leaf(blue()))
	w.settle()
	fresh := newWalker(t, rand.New(rand.NewPCG(seed, 2)))
	fresh.step(leaf(blue()))
	fresh.settle()
	if got, want := objects(w), objects(fresh); !maps.Equal(got, want) {
		t.Errorf("objects after the walk %v, on a fresh switch %v", got, want)
	}
}

// objects counts what is in the ASIC.
func objects(w *walker) map[string]int {
	n := map[string]int{}
	for key := range w.daemons.Rows(swss.AsicDB) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(key, "ASIC_STATE:"), ":")
		n[kind]++
	}
	return n
}

// randomFabric is what a leaf might have to be: no tenants at all, or some with
// identifiers from so small a pool that they change hands.
func randomFabric(random *rand.Rand) DB {
	if random.IntN(10) == 0 {
		return DB{}
	}
	sag := random.IntN(2) == 0
	vlans, vnis := random.Perm(5), random.Perm(6)
	uplinked := random.IntN(4) == 0 // Ethernet4 goes to a switch now
	var tenants []tenant
	for i := range random.IntN(4) {
		l3 := random.IntN(2)
		t := tenant{l3vni: 20001 + i + 3*l3, l3vlan: 3001 + (i+random.IntN(2)*3)%6, vni: 10000 + vnis[i], vlan: 100 + vlans[i], sag: sag}
		if slices.ContainsFunc(tenants, func(other tenant) bool { return other.l3vlan == t.l3vlan }) {
			continue
		}
		for _, port := range []string{"Ethernet0", "Ethernet4", "PortChannel0001"} {
			if random.IntN(2) == 0 && (!uplinked || port != "Ethernet4") {
				t.ports = append(t.ports, VLANMember{t.vlan, port, false})
			}
		}
		tenants = append(tenants, t)
	}
	if len(tenants) > 0 && random.IntN(2) == 0 {
		tenants[0].ports = []VLANMember{{tenants[0].vlan, "Ethernet0", true}}
	}
	fabric := leaf(tenants...)
	if uplinked {
		row := Uplink{Port: "Ethernet4"}.Row()
		fabric[row.Key] = row.Fields
	}
	return fabric
}
