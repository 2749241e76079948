package maintenance

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchlet/switchlet/images/store"
)

// registry has some images, fails with others, and is slow with one.
type registry struct {
	mu    sync.Mutex
	errs  map[string]error // by repository
	asked []string
	keeps []store.Reference
	waits chan struct{} // how long "slow" takes
}

func (r *registry) Ensure(ctx context.Context, ref store.Reference, _ uint64, tell func(store.Progress)) (store.Image, error) {
	r.mu.Lock()
	r.asked = append(r.asked, ref.Repository)
	err := r.errs[ref.Repository]
	r.mu.Unlock()
	if strings.HasSuffix(ref.Repository, "/slow") {
		tell(store.Progress{Try: 3, Last: errors.New("connection refused")})
		select {
		case <-r.waits:
		case <-ctx.Done():
			return store.Image{}, ctx.Err()
		}
	}
	return store.Image{}, err
}

func (r *registry) Collect(_ context.Context, keep []store.Reference) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keeps = keep
	return nil, nil
}

func imageOf(name string) string { return "r.example/" + name + "@sha256:" + strings.Repeat("0", 64) }

// What is said of images at each moment, in the words of status.maintenance.
func TestPuller(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "containerd.sock")
	r := &registry{errs: map[string]error{"r.example/none": store.ErrRefused, "r.example/big": store.ErrNoRoom}, waits: make(chan struct{})}
	changed := make(chan struct{}, 100)
	p := &puller{
		images: r, socket: socket, again: time.Millisecond, changed: func() { changed <- struct{}{} },
		log: slog.New(slog.DiscardHandler), news: make(chan struct{}, 1), have: map[string]bool{},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.run(ctx) }()
	says := func(what string, images []string, have int, text string) {
		t.Helper()
		p.ask(images)
		for {
			got, err := p.state()
			if len(got) == have && strings.Contains(err, text) && (err == "") == (text == "") {
				return
			}
			select {
			case <-changed:
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: %q are there, and it says %q", what, got, err)
			}
		}
	}
	a, b := imageOf("a"), imageOf("b")
	says("there is no socket", []string{a}, 0, "containerd's socket is not mounted into it")
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	says("it is there by now", []string{a}, 1, "")
	says("a second one", []string{a, b}, 2, "")
	says("one that is not to be had", []string{a, imageOf("none")}, 1, "image cannot be had")
	says("the disk is full", []string{imageOf("big")}, 0, "not enough room")
	says("no digest", []string{"r.example/a:v1"}, 0, "it has no digest")
	says("the registry is away", []string{imageOf("slow"), a}, 1, "connection refused. It is tried again (2 times so far)")
	says("others are asked for meanwhile", []string{b}, 1, "")
	close(r.waits)
	says("the registry is back", []string{imageOf("slow")}, 1, "")
	p.collect(ctx, []string{a, b})
	if len(r.keeps) != 2 || r.keeps[0].String() != a {
		t.Errorf("kept are %v", r.keeps)
	}
	cancel()
	<-ended
	if !slices.Contains(r.asked, "r.example/slow") {
		t.Errorf("asked for %v", r.asked)
	}
}
