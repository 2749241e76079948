package neighbors

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Config is what a Watcher is made of.
type Config struct {
	// DatabaseConfig is SONiC's database_config.json. Required.
	DatabaseConfig string
	// StateDir is the agent's folder on the switch's disk. Required.
	StateDir string
	// OwnFrames lets the agent send and hear frames of its own where SONiC's lldp
	// service is absent. That takes CAP_NET_RAW and the switch's network namespace.
	OwnFrames bool
	Log       *slog.Logger

	// Poll is how often SONiC is asked, if Redis announces nothing. Default 5 s: SONiC's
	// lldp service looks every 10 s itself.
	Poll time.Duration
	// Gap is how long a neighbour may be missing for before it counts as silent.
	// Default 2 s: SONiC deletes a row and writes it anew when it has changed.
	Gap time.Duration
	// Forget is how long a silent neighbour is kept for. Default 24 h.
	Forget time.Duration
	// Silence is how long SONiC's lldp service has to be absent before the agent
	// speaks in its place. Default 2 min, which is how long others remember what
	// it said.
	Silence time.Duration
	// Settle is the time from a change to its update, which takes along what else
	// changes meanwhile. Default 200 ms.
	Settle time.Duration
	// Apart is the time between updates at least. Default 2 s.
	Apart time.Duration

	// open and speak are other than in production in tests only.
	open  func() (looker, error)
	speak func(self) (speaker, error)
}

// looker looks into a switch's databases.
type looker interface {
	look(ctx context.Context, now time.Time) (sight, error)
	// announced has a value when it may be worth to look at once.
	announced() <-chan struct{}
	close()
}

func (cfg Config) withDefaults() Config {
	cfg.Poll, cfg.Gap = cmp.Or(cfg.Poll, 5*time.Second), cmp.Or(cfg.Gap, 2*time.Second)
	cfg.Forget, cfg.Silence = cmp.Or(cfg.Forget, 24*time.Hour), cmp.Or(cfg.Silence, 2*time.Minute)
	cfg.Settle, cfg.Apart = cmp.Or(cfg.Settle, 200*time.Millisecond), cmp.Or(cfg.Apart, 2*time.Second)
	if cfg.open == nil {
		cfg.open = func() (looker, error) { return openSource(cfg.DatabaseConfig) }
	}
	if cfg.speak == nil {
		cfg.speak = func(s self) (speaker, error) { return newOwnFrames(s, cfg.Log) }
	}
	return cfg
}

// View is what the Switch says of the switch's cables.
type View struct {
	// SystemName and ChassisID are what the switch sends by LLDP; empty until
	// they are known.
	SystemName string
	ChassisID  string
	// Neighbors in natural order of their ports, at most 8 for a port and 1024 in
	// all. Nobody may change them.
	Neighbors []v1alpha1.LLDPNeighbor
	// Own: the frames on the wire are the agent's.
	Own bool
}

func (v View) equal(other View) bool {
	return v.SystemName == other.SystemName && v.ChassisID == other.ChassisID && v.Own == other.Own &&
		slices.Equal(v.Neighbors, other.Neighbors)
}
