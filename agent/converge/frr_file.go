package converge

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/frr"
)

// splitUnified is the mode in which SONiC leaves frr.conf to others and FRR reads
// it when the bgp container starts (sonic-buildimage,
// dockers/docker-fpm-frr/docker_init.sh).
const splitUnified = "split-unified"

// frrFile is what is known of frr.conf.
type frrFile struct {
	name    string
	mode    string  // DEVICE_METADATA|localhost docker_routing_config_mode
	written *target // what it has
	err     error
	retry   time.Time // when to try again after err
}

// keepFRRFile puts what FRR has into frr.conf once it is confirmed, so that FRR
// has it from its next start on. SONiC makes that file itself in other modes.
func (c *Converger) keepFRRFile(now time.Time) {
	r := &c.routing
	f := &r.file
	f.mode, _ = c.session.mirror.Rows()[sonic.Key{Table: sonic.TableDeviceMetadata, Name: "localhost"}].Get("docker_routing_config_mode")
	t := r.settled
	if t == nil || c.trial.open() || f.name == "" || f.mode != splitUnified || f.written == t && f.err == nil {
		return
	}
	if f.err != nil && now.Before(f.retry) {
		return
	}
	changed, err := f.write(t)
	if f.err = err; err != nil {
		f.retry = now.Add(persistRetry) // at the next occasion: FRR is asked again soon
		return
	}
	f.written = t
	if changed {
		c.cfg.Log.Info("FRR's configuration was saved", "file", f.name)
	}
}

// write leaves a file alone that has nothing of the agent's as long as there is
// nothing to be put into it.
func (f *frrFile) write(t *target) (bool, error) {
	if t.empty() {
		text, err := os.ReadFile(f.name)
		if err != nil || !strings.Contains(string(text), frrFileMark) {
			return false, nil //nolint:nilerr // what cannot be read has nothing of the agent's
		}
	}
	return frr.WriteFile(f.name, frr.File(t.config, t.tree))
}

// frrFileMark is in the first line of the agent's part of frr.conf.
const frrFileMark = "! BEGIN Switchlet"

// told says for how long FRR has what it was told.
func (f *frrFile) told() report.State {
	ok := report.State{OK: true, Reason: "Routed", Message: "FRR has what the spec says, apart from status.problems."}
	switch {
	case f.name == "":
	case f.mode != splitUnified:
		mode := "not set"
		if f.mode != "" {
			mode = fmt.Sprintf("%q", f.mode)
		}
		ok.Message += fmt.Sprintf(" It forgets that when the bgp container restarts, and is then told again: docker_routing_config_mode of DEVICE_METADATA|localhost is %s. Set it to %s, and restart the bgp container, so that FRR starts with it.", mode, splitUnified)
	case f.err != nil:
		return report.State{Reason: "WriteFailed", Message: fmt.Sprintf("%v. FRR has what the spec says, but will not when the bgp container restarts, until it is told again. The agent tries again. Mount the folder of %s into the agent, or make room.", f.err, f.name)}
	}
	return ok
}
