package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Config says where images are.
type Config struct {
	// Socket of containerd.
	Socket string
	// Root is the folder that containerd keeps images in, as this process sees it;
	// empty: where containerd says it is.
	Root string
	// Reserve is how many bytes have to stay free there. Default: 512 MiB.
	Reserve uint64
	// Retry is the longest pause between two tries of a pull. Default: 1 min.
	Retry time.Duration
}

const (
	defaultReserve = 512 << 20
	defaultRetry   = time.Minute
	firstRetry     = time.Second
	// unpacked is how much room an image takes at most, by its compressed size: the
	// layers as they came, and unpacked.
	unpacked = 4
)

const (
	imageService   = "/runtime.v1.ImageService/"
	runtimeService = "/runtime.v1.RuntimeService/"
	listTransfers  = "/containerd.services.content.v1.Content/ListStatuses"
)

// Store is the images of one switch.
type Store struct {
	cfg    Config
	client *client
	free   func(folder string) (uint64, error)
}

// New looks at nothing yet.
func New(cfg Config) *Store {
	if cfg.Reserve == 0 {
		cfg.Reserve = defaultReserve
	}
	if cfg.Retry == 0 {
		cfg.Retry = defaultRetry
	}
	return &Store{cfg: cfg, client: newClient(cfg.Socket), free: freeBytes}
}

// Find is the image, if it is on the switch.
func (s *Store) Find(ctx context.Context, r Reference) (Image, bool, error) {
	answer, err := s.client.call(ctx, imageService+"ImageStatus", imageRequest(r.String()))
	if err != nil {
		return Image{}, false, fmt.Errorf("look for image %s: %w", r, err)
	}
	images, err := decodeImages(answer)
	if err != nil {
		return Image{}, false, fmt.Errorf("look for image %s: %w", r, err)
	}
	// An empty image is how old containerds say that there is none.
	if len(images) == 0 || images[0].ID == "" || !slices.Contains(images[0].Digests, r.String()) {
		return Image{}, false, nil
	}
	return images[0], true, nil
}

// Collect removes images that are of the same repositories as those to keep, and
// are neither among them nor in use: what is left of a service is what it runs, and
// what it goes back to. It returns the names of what it removed.
func (s *Store) Collect(ctx context.Context, keep []Reference) ([]string, error) {
	answer, err := s.client.call(ctx, imageService+"ListImages", nil)
	if err != nil {
		return nil, fmt.Errorf("collect images: %w", err)
	}
	images, err := decodeImages(answer)
	if err != nil {
		return nil, fmt.Errorf("collect images: %w", err)
	}
	answer, err = s.client.call(ctx, runtimeService+"ListContainers", nil)
	if err != nil {
		return nil, fmt.Errorf("collect images: %w", err)
	}
	used, err := decodeUsed(answer)
	if err != nil {
		return nil, fmt.Errorf("collect images: %w", err)
	}
	var removed []string
	var failed []error
	for _, image := range superfluous(images, keep, used) {
		if _, err := s.client.call(ctx, imageService+"RemoveImage", imageRequest(image.ID)); err != nil {
			failed = append(failed, fmt.Errorf("remove image %s: %w", image.Digests[0], err))
			continue
		}
		removed = append(removed, image.Digests[0])
	}
	return removed, errors.Join(failed...)
}

// superfluous are the images all of whose names are of repositories of keep, and none
// of which is kept or used.
func superfluous(images []Image, keep []Reference, used map[string]bool) []Image {
	ours, kept := map[string]bool{}, map[string]bool{}
	for _, r := range keep {
		ours[r.Repository], kept[r.String()] = true, true
	}
	var rest []Image
	for _, image := range images {
		theirs := func(name string) bool { return !ours[withoutTag(strings.TrimSuffix(name, digestOf(name)))] }
		if len(image.Digests) == 0 || slices.ContainsFunc(image.Digests, theirs) || slices.ContainsFunc(image.Tags, theirs) {
			continue
		}
		names := append(append([]string{image.ID}, image.Digests...), image.Tags...)
		if !slices.ContainsFunc(names, func(name string) bool { return kept[name] || used[name] }) {
			rest = append(rest, image)
		}
	}
	return rest
}

// digestOf is the part of a name that begins with @, or nothing.
func digestOf(name string) string {
	if _, digest, ok := strings.Cut(name, "@"); ok {
		return "@" + digest
	}
	return ""
}

// freeBytes is the room that root can still use.
func freeBytes(folder string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return 0, fmt.Errorf("free room in %s: %w", folder, err)
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
