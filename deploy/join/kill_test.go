package join_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kills is how many of the places a test tries; all of them take minutes:
// SWITCHLET_TEST_KILLS=all.
const kills = 4

// places are some of n places, or all if they are asked for.
func places(t *testing.T, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i + 1
	}
	if os.Getenv("SWITCHLET_TEST_KILLS") == "all" {
		return all
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, kills)]
}

// steps is how many commands that change something a run has.
func (s *sonic) steps(args ...string) int {
	s.t.Helper()
	output, err := s.run(append([]string{"BASH_ENV=/var/standin/kill.sh", "--", "bash", "/root/join.sh"}, args...)...)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, output)
	}
	n, err := strconv.Atoi(strings.TrimSpace(s.read("var/standin/count")))
	s.must(err)
	return n
}

// kill runs the script until before its nth change, where kill -9 ends it.
func (s *sonic) kill(n int, args ...string) {
	s.t.Helper()
	output, err := s.run(append([]string{"BASH_ENV=/var/standin/kill.sh", "KILL_AT=" + strconv.Itoa(n), "--", "bash", "/root/join.sh"}, args...)...)
	if err == nil || strings.Contains(output, "join.sh: ") {
		s.t.Fatalf("join.sh was not killed at change %d: %v\n%s", n, err, output)
	}
}

func TestAJoinThatIsKilledAnywhereIsFinishedByTheNext(t *testing.T) {
	whole := newSwitch(t)
	untouched := whole.tree()
	steps := whole.steps("--settings", "/root/settings")
	want := whole.tree()
	t.Logf("%d changes", steps)
	for _, n := range places(t, steps) {
		s := newSwitch(t)
		s.kill(n, "--settings", "/root/settings")
		for name, text := range s.tree() {
			scratch := strings.HasSuffix(name, ".new") || strings.Contains(name, ".partial") || name == "/etc/sonic/switchlet/pending"
			if !scratch && text != "folder" && text != want[name] && text != untouched[name] && !early(name, text) {
				t.Errorf("killed at change %d, %s is %q", n, name, text)
			}
		}
		s.join("--settings", "/root/settings")
		if diff := cmp.Diff(want, s.tree()); diff != "" {
			t.Errorf("killed at change %d and run again (-at once +again):\n%s", n, diff)
		}
		if fresh := s.join("--settings", "/root/settings"); !strings.Contains(fresh, "nothing to change") {
			t.Errorf("killed at change %d, run again and again:\n%s", n, fresh)
		}
	}
}

// early is whether a file has what it has before the certificate is there.
func early(name, text string) bool {
	switch name {
	case "/etc/sonic/switchlet/settings", "/etc/sonic/switchlet/bootstrap.kubeconfig":
		return strings.HasSuffix(text, "\n")
	case "/proc/sys/vm/panic_on_oom":
		return slices.Contains([]string{"-rw-r--r-- 1\n", "-rw-r--r-- 0\n"}, text)
	}
	return false
}

func TestLeavingThatIsKilledAnywhereIsFinishedByTheNext(t *testing.T) {
	whole := newSwitch(t)
	want := whole.tree()
	whole.join("--settings", "/root/settings")
	steps := whole.steps("--leave")
	t.Logf("%d changes", steps)
	for _, n := range places(t, steps) {
		s := newSwitch(t)
		s.join("--settings", "/root/settings")
		s.kill(n, "--leave")
		s.join("--leave")
		if diff := cmp.Diff(want, s.tree()); diff != "" {
			t.Errorf("killed at change %d and left again (-before +after):\n%s", n, diff)
		}
	}
}

func TestTheGuardFinishesAJoinThatWasKilled(t *testing.T) {
	whole := newSwitch(t)
	steps := whole.steps("--settings", "/root/settings")
	s := newSwitch(t)
	s.kill(steps-10, "--settings", "/root/settings")
	s.join("--guard")
	if diff := cmp.Diff(whole.tree(), s.tree()); diff != "" {
		t.Errorf("(-at once +by the guard):\n%s", diff)
	}
}
