package maintenance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/switchlet/switchlet/images/store"
)

// Images has images fetched.
type Images interface {
	Ensure(ctx context.Context, r store.Reference, size uint64, tell func(store.Progress)) (store.Image, error)
	Collect(ctx context.Context, keep []store.Reference) ([]string, error)
}

const (
	// pullAgain is the pause after an image could not be had.
	pullAgain = 30 * time.Second
	// pullCheck is how often it is looked whether images are still there: the
	// kubelet takes away what no container runs when the disk gets full.
	pullCheck = time.Minute
	// collectLimit is how long the removal of older images may take.
	collectLimit = 30 * time.Second
)

// puller fetches images, one after the other.
type puller struct {
	images  Images
	socket  string // of containerd
	again   time.Duration
	changed func()
	log     *slog.Logger

	news chan struct{}
	mu   sync.Mutex
	want []string
	have map[string]bool
	err  string
}

// ask says which images are wanted from now on.
func (p *puller) ask(images []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Equal(p.want, images) {
		return
	}
	p.want, p.err = slices.Clone(images), ""
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// state is which of the wanted images are there, and why another one is not.
func (p *puller) state() (have []string, err string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, image := range p.want {
		if p.have[image] {
			have = append(have, image)
		}
	}
	return have, p.err
}

func (p *puller) wanted() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.want
}

// note keeps what has become of an image, and tells if that is new.
func (p *puller) note(image string, have bool, err string) {
	p.mu.Lock()
	same := p.have[image] == have && p.err == err
	p.have[image], p.err = have, err
	p.mu.Unlock()
	if same {
		return
	}
	if err != "" {
		p.log.Warn("image is not there", "image", image, "error", err)
	}
	p.changed()
}

// run fetches until ctx is done.
func (p *puller) run(ctx context.Context) {
	for ctx.Err() == nil {
		round, cancel := context.WithCancel(ctx)
		ended := make(chan bool, 1)
		go func() { ended <- p.round(round, p.wanted()) }()
		var pause <-chan time.Time
		for waits := true; waits; {
			select {
			case failed := <-ended:
				switch {
				case len(p.wanted()) == 0:
				case failed:
					pause = time.After(p.again)
				default:
					pause = time.After(pullCheck)
				}
				ended = nil
			case <-p.news:
				waits = false
			case <-pause:
				waits = false
			case <-ctx.Done():
				waits = false
			}
		}
		cancel()
		if ended != nil {
			<-ended
		}
	}
}

// round has all images there, and reports whether one could not be had.
func (p *puller) round(ctx context.Context, images []string) (failed bool) {
	for _, image := range images {
		err := p.fetch(ctx, image)
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			p.note(image, false, cut(err.Error(), maxMessage))
			return true
		}
		p.note(image, true, "")
	}
	return false
}

// errNoSocket says that the agent was not given the means to fetch images.
var errNoSocket = errors.New("the agent may not fetch images: containerd's socket is not mounted into it. Add the component deploy/agent/images to the DaemonSet, which makes the agent root on its switch, or fetch the images yourself")

func (p *puller) fetch(ctx context.Context, image string) error {
	r, err := store.ParseReference(image)
	if err != nil {
		return err
	}
	if _, err := os.Stat(p.socket); errors.Is(err, fs.ErrNotExist) || p.images == nil {
		return fmt.Errorf("%w (%s)", errNoSocket, p.socket)
	}
	_, err = p.images.Ensure(ctx, r, 0, func(g store.Progress) {
		if g.Last != nil && ctx.Err() == nil {
			p.note(image, false, cut(fmt.Sprintf("%v. It is tried again (%d times so far).", g.Last, g.Try-1), maxMessage))
		}
	})
	return err
}

// collect takes older images of the same services away.
func (p *puller) collect(ctx context.Context, keep []string) {
	var refs []store.Reference
	for _, image := range keep {
		if r, err := store.ParseReference(image); err == nil {
			refs = append(refs, r)
		}
	}
	if _, err := os.Stat(p.socket); err != nil || p.images == nil || len(refs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, collectLimit)
	defer cancel()
	gone, err := p.images.Collect(ctx, refs)
	if err != nil {
		p.log.Warn("older images are left", "error", err)
	}
	if len(gone) > 0 {
		p.log.Info("older images were removed", "images", gone)
	}
}
