package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/images/store"
)

func TestAnImageIsPulledOnceAndFoundAgain(t *testing.T) {
	socket, _ := containerd(t)
	m := newMirror(t)
	r := m.push("switchlet/agent", "one")
	s := store.New(store.Config{Socket: socket})
	if _, ok, err := s.Find(t.Context(), r); ok || err != nil {
		t.Fatalf("before it was pulled: found %v, %v", ok, err)
	}
	image, err := s.Ensure(t.Context(), r, 0, nil)
	fatal(t, err)
	if !slices.Contains(image.Digests, r.String()) || !strings.HasPrefix(image.ID, "sha256:") || image.Size == 0 {
		t.Errorf("the image is %+v", image)
	}
	gets := m.gets
	m.server.Close() // what is there needs no registry
	again, err := s.Ensure(t.Context(), r, 0, nil)
	if err != nil || again.ID != image.ID || m.gets != gets {
		t.Errorf("the second time %+v, %v, after %d requests", again, err, m.gets-gets)
	}
}

func TestARegistryThatIsAwayIsWaitedFor(t *testing.T) {
	socket, _ := containerd(t)
	m := newMirror(t)
	r := m.push("switchlet/agent", "one")
	address, handler := m.server.Listener.Addr().String(), m.server.Config.Handler
	m.server.Close()
	s := store.New(store.Config{Socket: socket, Retry: 10 * time.Millisecond})
	var failed error
	_, err := s.Ensure(t.Context(), r, 0, func(p store.Progress) {
		if p.Try == 2 && failed == nil {
			failed = p.Last
			listen(t, address, handler)
		}
	})
	if err != nil || failed == nil || !strings.Contains(failed.Error(), "connection refused") {
		t.Errorf("Ensure: %v; the try before failed with: %v", err, failed)
	}
}

func TestContainerdThatIsAwayIsWaitedFor(t *testing.T) {
	socket, stop := containerd(t)
	stop()
	s := store.New(store.Config{Socket: socket, Retry: 10 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	r := reference(t, "127.0.0.1:1/switchlet/agent@sha256:"+strings.Repeat("1", 64))
	_, err := s.Ensure(ctx, r, 0, func(p store.Progress) {
		if p.Try == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "containerd.sock") {
		t.Errorf("Ensure: %v", err)
	}
}

func TestAPullCanBeCancelledAndTellsHowFarItIs(t *testing.T) {
	socket, _ := containerd(t)
	m := newMirror(t)
	noise := make([]byte, 3<<20) // which cannot be compressed
	rand.NewChaCha8([32]byte{}).Read(noise)
	r := m.push("switchlet/agent", string(noise))
	gone := make(chan struct{})
	m.set(func(w http.ResponseWriter, size int64) bool { // half of a layer, and then nothing more
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		w.Write(make([]byte, size/2)) //nolint:errcheck // the client may leave
		w.(http.Flusher).Flush()
		<-gone
		return true
	})
	t.Cleanup(func() { close(gone) })
	ctx, cancel := context.WithCancel(t.Context())
	var seen store.Progress
	_, err := store.New(store.Config{Socket: socket}).Ensure(ctx, r, 0, func(p store.Progress) {
		if p.Done > 0 {
			seen = p
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || seen.Total < seen.Done || seen.Try != 1 {
		t.Errorf("Ensure: %v, after %+v", err, seen)
	}
}

func TestContentThatIsNotWhatTheDigestSaysIsRefused(t *testing.T) {
	socket, _ := containerd(t)
	m := newMirror(t)
	r := m.push("switchlet/agent", "one")
	m.set(func(w http.ResponseWriter, size int64) bool {
		w.Write(make([]byte, size)) //nolint:errcheck // the client may leave
		return true
	})
	s := store.New(store.Config{Socket: socket})
	if _, err := s.Ensure(t.Context(), r, 0, nil); !errors.Is(err, store.ErrRefused) {
		t.Errorf("Ensure: %v", err)
	}
	if _, ok, err := s.Find(t.Context(), r); ok || err != nil {
		t.Errorf("it is there: %v, %v", ok, err)
	}
}

func TestATransferThatBreaksOffIsTriedAgain(t *testing.T) {
	socket, _ := containerd(t)
	m := newMirror(t)
	r := m.push("switchlet/agent", "one")
	m.set(func(w http.ResponseWriter, size int64) bool {
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		w.Write(make([]byte, size/2)) //nolint:errcheck // the client may leave
		m.set(nil)
		panic(http.ErrAbortHandler)
	})
	if _, err := store.New(store.Config{Socket: socket, Retry: time.Millisecond}).Ensure(t.Context(), r, 0, nil); err != nil {
		t.Errorf("Ensure: %v", err)
	}
}

func TestWhatTheRegistryLacksIsNotTriedAgain(t *testing.T) {
	socket, _ := containerd(t)
	m := newMirror(t)
	m.push("switchlet/agent", "one")
	r := reference(t, strings.TrimPrefix(m.server.URL, "http://")+"/switchlet/agent@sha256:"+strings.Repeat("2", 64))
	_, err := store.New(store.Config{Socket: socket}).Ensure(t.Context(), r, 0, nil)
	if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "not found") {
		t.Errorf("Ensure: %v", err)
	}
}

func TestADiskWithoutRoomIsLeftAlone(t *testing.T) {
	socket, _ := containerd(t)
	m := newMirror(t)
	r := m.push("switchlet/agent", "one")
	_, err := store.New(store.Config{Socket: socket}).Ensure(t.Context(), r, 1<<50, nil)
	if !errors.Is(err, store.ErrNoRoom) || m.gets > 0 {
		t.Errorf("Ensure: %v, after %d requests", err, m.gets)
	}
}

func TestOlderImagesOfAServiceAreCollected(t *testing.T) {
	socket, _ := containerd(t)
	m := newMirror(t)
	s := store.New(store.Config{Socket: socket})
	var agents []store.Reference
	for _, text := range []string{"one", "two", "three"} {
		agents = append(agents, m.push("switchlet/agent", text))
	}
	other := m.push("switchlet/telemetry", "four")
	for _, r := range append(agents, other) {
		_, err := s.Ensure(t.Context(), r, 0, nil)
		fatal(t, err)
	}
	removed, err := s.Collect(t.Context(), agents[1:]) // the last good one, and the new one
	if err != nil || !slices.Equal(removed, []string{agents[0].String()}) {
		t.Errorf("Collect: %q, %v; want %s", removed, err, agents[0])
	}
	for i, r := range append(agents, other) {
		if _, ok, err := s.Find(t.Context(), r); ok != (i > 0) || err != nil {
			t.Errorf("image %d is there: %v, %v", i, ok, err)
		}
	}
	if removed, err := s.Collect(t.Context(), agents[1:]); len(removed) > 0 || err != nil {
		t.Errorf("Collect again: %q, %v", removed, err)
	}
}
