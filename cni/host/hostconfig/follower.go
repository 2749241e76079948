package hostconfig

import (
	"log/slog"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/networks"
)

// Follower takes over specs: from the disk at first, then from the API server.
type Follower struct {
	disk Disk
	set  func(networks.Set, []v1alpha1.Problem)
	log  *slog.Logger

	uid        types.UID
	generation int64
}

// NewFollower hands networks to set, and the problems of those that make no sense.
func NewFollower(disk Disk, set func(networks.Set, []v1alpha1.Problem), log *slog.Logger) *Follower {
	return &Follower{disk: disk, set: set, log: log}
}

// Start takes over what is on the disk. What cannot be read there is waited for.
func (f *Follower) Start() {
	spec, err := f.disk.Load()
	if err != nil {
		f.log.Warn("the HostConfig is waited for", "error", err)
	}
	if spec != nil {
		f.log.Info("last known HostConfig", "revision", spec.Revision, "networks", len(spec.Networks))
		f.set(networks.Compile(*spec))
	}
}

// Saw takes over the HostConfig as it is at the API server, nil if there is none.
// One goroutine at a time may call it.
func (f *Follower) Saw(config *v1alpha1.HostConfig) {
	if config == nil {
		f.uid, f.generation = "", 0
		f.log.Warn("the HostConfig was deleted: no pod is attached any more, those that are stay")
		f.keep(nil)
		f.set(networks.Set{}, nil)
		return
	}
	if config.UID == f.uid && config.Generation == f.generation {
		return // its status has changed
	}
	f.uid, f.generation = config.UID, config.Generation
	f.keep(&config.Spec)
	f.log.Info("HostConfig", "revision", config.Spec.Revision, "networks", len(config.Spec.Networks))
	f.set(networks.Compile(config.Spec))
}

func (f *Follower) keep(spec *v1alpha1.HostConfigSpec) {
	if err := f.disk.Save(spec); err != nil {
		f.log.Warn("after a restart without the API server the host knows an older HostConfig", "error", err)
	}
}
