package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Progress is how far an image is.
type Progress struct {
	// Done and Total are the bytes of the layers that are being fetched right now.
	Done, Total int64
	// Try counts from 1; Last is why the one before failed.
	Try  int
	Last error
}

// ErrNoRoom: the disk would be too full. Remove something, and try again.
var ErrNoRoom = errors.New("not enough room for images")

// ErrRefused: trying again will not help. The image is not in the registry, may not
// be read, or is not what its digest says.
var ErrRefused = errors.New("image cannot be had")

// progressEvery is how often a pull is looked at, also for the room it leaves.
const progressEvery = 250 * time.Millisecond

// Ensure has the image on the switch when it returns. size is the image's in the
// registry, 0 if unknown: that much room has to be there beforehand, and the reserve
// has to stay while it comes. As long as the registry or containerd is away it tries
// again; ctx ends that. tell, if not nil, is told how it goes.
func (s *Store) Ensure(ctx context.Context, r Reference, size uint64, tell func(Progress)) (Image, error) {
	if tell == nil {
		tell = func(Progress) {}
	}
	progress := Progress{Try: 1}
	for pause := min(firstRetry, s.cfg.Retry); ; pause = min(2*pause, s.cfg.Retry) {
		image, err := s.try(ctx, r, size, func(done, total int64) {
			progress.Done, progress.Total = done, total
			tell(progress)
		})
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrNoRoom) || errors.Is(err, ErrRefused) {
			return image, err
		}
		progress = Progress{Try: progress.Try + 1, Last: err}
		tell(progress)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Image{}, fmt.Errorf("%w; last: %w", ctx.Err(), err)
		}
	}
}

func (s *Store) try(ctx context.Context, r Reference, size uint64, tell func(done, total int64)) (Image, error) {
	if image, ok, err := s.Find(ctx, r); err != nil || ok {
		return image, err
	}
	root, err := s.root(ctx)
	if err != nil {
		return Image{}, err
	}
	if err := s.room(root, size*unpacked); err != nil {
		return Image{}, fmt.Errorf("image %s: %w", r, err)
	}
	if err := s.pull(ctx, r, root, tell); err != nil {
		return Image{}, fmt.Errorf("pull image %s: %w", r, err)
	}
	image, ok, err := s.Find(ctx, r)
	if err == nil && !ok {
		return Image{}, fmt.Errorf("pull image %s: %w: containerd has it under another digest", r, ErrRefused)
	}
	return image, err
}

// pull pulls, and gives up when the room gets short.
func (s *Store) pull(ctx context.Context, r Reference, root string, tell func(done, total int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pulled := make(chan error, 1)
	go func() {
		_, err := s.client.call(ctx, imageService+"PullImage", imageRequest(r.String()))
		pulled <- err
	}()
	look := time.NewTicker(progressEvery)
	defer look.Stop()
	for {
		select {
		case err := <-pulled:
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return refusal(err)
		case <-look.C:
			if err := s.room(root, 0); err != nil {
				cancel(err)
				continue
			}
			s.tell(ctx, tell)
		}
	}
}

// tell passes on how far containerd is. An old containerd that does not say is no
// reason to stop.
func (s *Store) tell(ctx context.Context, tell func(done, total int64)) {
	answer, err := s.client.call(ctx, listTransfers, nil)
	if err != nil {
		return
	}
	if done, total, err := decodeTransfers(answer); err == nil && total > 0 {
		tell(done, total)
	}
}

// root is where images are kept.
func (s *Store) root(ctx context.Context) (string, error) {
	if s.cfg.Root != "" {
		return s.cfg.Root, nil
	}
	answer, err := s.client.call(ctx, imageService+"ImageFsInfo", nil)
	if err != nil {
		return "", fmt.Errorf("where images are kept: %w", err)
	}
	root, err := decodeRoot(answer)
	if err == nil && root == "" {
		err = errors.New("containerd does not say")
	}
	if err != nil {
		return "", fmt.Errorf("where images are kept: %w", err)
	}
	return root, nil
}

func (s *Store) room(root string, need uint64) error {
	free, err := s.free(root)
	if err != nil {
		return err
	}
	if free < need+s.cfg.Reserve {
		return fmt.Errorf("%w: %s has %d MiB free, needed are %d and a reserve of %d",
			ErrNoRoom, root, free>>20, need>>20, s.cfg.Reserve>>20)
	}
	return nil
}

// refusal marks what trying again will not mend. containerd says it by code
// (not found, permission denied, unauthenticated) or, for what the registry says, in
// its text only.
func refusal(err error) error {
	var status *StatusError
	if !errors.As(err, &status) {
		return err
	}
	text := strings.ToLower(status.Message)
	final := status.Code == 5 || status.Code == 7 || status.Code == 16
	for _, sign := range []string{"401 unauthorized", "403 forbidden", "insufficient_scope", "unexpected commit digest"} {
		final = final || strings.Contains(text, sign)
	}
	if final {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
