package journal_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchlet/switchlet/cni/host/journal"
)

// childDir tells this program to be the one that is killed, and where.
const childDir = "SWITCHLET_JOURNAL_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// child gives and releases addresses, eight at a time, and says on stdout what it
// has given when that counts, and what it will release before it does.
func child(dir string) {
	s, _, err := journal.Open(dir)
	if err != nil {
		panic(err)
	}
	base := int(time.Now().UnixNano() % 1e9)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for n := base*1000 + worker; ; n += 8 {
				a, commit, err := s.Add(attachment(n), slice(254))
				if err != nil || commit.Wait() != nil {
					return
				}
				fmt.Printf("+ %s %s\n", a.Key, a.Addresses[0])
				if n%3 == 0 {
					fmt.Printf("- %s %s\n", a.Key, a.Addresses[0])
					s.Remove(a.Key, now.Add(-time.Hour))
				}
			}
		})
	}
	all.Wait()
	os.Exit(0)
}

// Kill -9 at any moment: what was given is there, and nobody else has it.
func TestKill(t *testing.T) {
	dir, seed := t.TempDir(), rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	live := map[string]string{} // what the child said, by key
	for round := range 25 {
		runAndKill(t, dir, random.IntN(8), live)
		s := open(t, dir)
		holders := map[string]string{}
		for _, a := range s.All() {
			k, address := a.String(), a.Addresses[0].String()
			if other := holders[address]; other != "" {
				t.Fatalf("round %d: %s and %s have %s", round, k, other, address)
			}
			holders[address] = k
		}
		for k, address := range live {
			if holders[address] != k {
				t.Fatalf("round %d: %s was given to %s, and %q has it", round, address, k, holders[address])
			}
		}
	}
	if len(live) == 0 {
		t.Error("nothing was ever given")
	}
}

func runAndKill(t *testing.T, dir string, after int, live map[string]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		switch words := strings.Fields(lines.Text()); words[0] {
		case "+":
			live[words[1]] = words[2]
		case "-":
			delete(live, words[1])
		}
	}
	_ = cmd.Wait() // it was killed
}
