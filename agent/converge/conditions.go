package converge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/redis"
)

// note turns the outcome of a step into conditions. Where it is not certain
// that the connection is sound, the next step makes a new one.
func (c *Converger) note(err error) {
	var disk diskError
	var violation violationError
	switch {
	case err == nil, errors.Is(err, errAgain):
		return
	case errors.Is(err, redis.ErrChanged):
		c.facts.Programmed = report.State{Reason: v1alpha1.ReasonProgressing, Message: "Somebody else is changing CONFIG_DB too. The agent looks at it again."}
		return
	case errors.As(err, &violation):
		c.facts.Programmed = report.State{Reason: render.ReasonSchemaViolation, Message: fmt.Sprintf("%v. Nothing is written.", err)}
		return
	case errors.As(err, &disk):
		c.facts.StateSaved = report.State{Reason: "WriteFailed", Message: fmt.Sprintf("%v. Nothing is written to CONFIG_DB before it can be recorded on the disk. Make room or repair the disk.", err)}
		c.facts.Programmed = report.State{Reason: "WriteFailed", Message: c.facts.StateSaved.Message}
		return
	case errors.Is(err, redis.ErrNotInitialized):
		c.drift.reloaded = true
		c.facts.Connected = report.State{Reason: "ConfigDBNotInitialized", Message: "CONFIG_DB_INITIALIZED is not 1: SONiC is starting or reloading its configuration. The agent waits and then puts its rows back."}
	case errors.Is(err, redis.ErrMultiASIC):
		c.facts.Connected = report.State{Reason: "UnsupportedPlatform", Message: err.Error() + ". Take this switch out of the fabric."}
	case errors.Is(err, errModels):
		c.facts.Connected = report.State{Reason: "ModelsUnreadable", Message: fmt.Sprintf("%v. Nothing is written without them. Mount /usr/local/yang-models of the switch into the agent.", err)}
	default:
		c.facts.Connected = report.State{Reason: "ConfigDBUnreachable", Message: fmt.Sprintf("%v. The agent tries again. Look at SONiC's database container if this lasts.", err)}
		c.disconnect()
	}
	c.facts.Programmed = report.State{Reason: "NotConnected", Message: c.facts.Connected.Message}
}

// logChanges says what is new in the conditions: nothing is logged twice.
func (c *Converger) logChanges(before report.Facts) {
	for _, condition := range []struct {
		name    string
		was, is report.State
	}{
		{v1alpha1.SwitchConnected, before.Connected, c.facts.Connected},
		{v1alpha1.SwitchStateSaved, before.StateSaved, c.facts.StateSaved},
		{v1alpha1.SwitchPersisted, before.Persisted, c.facts.Persisted},
		{v1alpha1.ConfigRendered, before.Rendered, c.facts.Rendered},
		{v1alpha1.ConfigProgrammed, before.Programmed, c.facts.Programmed},
		{v1alpha1.ConfigConfirmed, before.Confirmed, c.facts.Confirmed},
		{v1alpha1.ConfigRouted, before.Routed, c.facts.Routed},
	} {
		if condition.was == condition.is {
			continue
		}
		level := slog.LevelInfo
		if !condition.is.OK && condition.is.Reason != v1alpha1.ReasonConverging {
			level = slog.LevelWarn
		}
		c.cfg.Log.Log(context.Background(), level, "condition", "type", condition.name, "status", condition.is.Status(),
			"reason", condition.is.Reason, "message", condition.is.Message)
	}
	for _, problem := range c.facts.Problems {
		if !slices.Contains(before.Problems, problem) {
			c.cfg.Log.Warn("problem", "owner", problem.Owner.String(), "reason", problem.Reason, "message", problem.Message)
		}
	}
}
