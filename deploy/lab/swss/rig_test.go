package swss_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// rig is a CONFIG_DB in memory with daemons on it.
type rig struct {
	t testing.TB
	*swss.Memory
}

func newRig(t testing.TB, cfg swss.Config) *rig { return &rig{t, swss.NewMemory(cfg)} }

// boot starts the daemons on rows in the form "KEY field=value …".
func (r *rig) boot(text string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		r.Set(words[0], fieldsOf(words[1:]))
	}
	r.start()
}

func (r *rig) start() {
	if err := r.Boot(); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

func fieldsOf(words []string) swss.Row {
	row := swss.Row{}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		row[name] = value
	}
	if len(row) == 0 {
		row["NULL"] = "NULL"
	}
	return row
}

func (r *rig) settle() {
	if _, err := r.Settle(time.Minute); err != nil {
		r.t.Fatal(err)
	}
}

// do carries out a line of a script.
func (r *rig) do(line string) error {
	words := strings.Fields(line)
	if len(words) < 2 {
		words = append(words, "")
	}
	switch words[0] {
	case "HSET":
		r.Set(words[1], fieldsOf(words[2:]))
	case "HDEL":
		r.Unset(words[1], words[2:]...)
	case "DEL":
		r.Delete(words[1])
	case "wait":
		r.settle()
	case "advance":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			return err
		}
		if _, err := r.Advance(d); err != nil {
			return err
		}
	case "stop":
		r.Stop()
	case "start":
		r.start()
	case "hang":
		r.Hang(words[1])
	case "slow":
		d, err := time.ParseDuration(words[2])
		if err != nil {
			return err
		}
		r.Slow(words[1], d)
	case "heal":
		r.Heal(words[1])
	case "unplug":
		r.SetLink(words[1], false)
	default:
		return fmt.Errorf("%q is no command", line)
	}
	return nil
}

func file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
