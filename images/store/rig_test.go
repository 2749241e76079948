package store_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/images/archive"
	"github.com/switchlet/switchlet/images/store"
)

// containerd starts a real one with folders of its own, which ends with the test, and
// returns its socket and how to end it early.
func containerd(t *testing.T) (socket string, stop func()) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs containerd, which -short leaves out")
	}
	if os.Geteuid() != 0 {
		labtest.Missing(t, "containerd needs root: run the tests as root")
	}
	program := labtest.Program(t, "containerd", "containerd")
	dir, err := os.MkdirTemp("", "store-") // the path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "containerd.sock")
	config := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf(`version = 2
root = "%[1]s/root"
state = "%[1]s/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "%[1]s/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
`, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(process.Program{Name: "containerd", Path: program, Args: []string{"--config", config}, Log: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("containerd:\n%s", process.Tail(filepath.Join(dir, "log"), 20))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = p.WaitReady(ctx, func(ctx context.Context) error {
		_, _, err := store.New(store.Config{Socket: socket}).Find(ctx, reference(t, "example.net/none@sha256:"+strings.Repeat("0", 64)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return socket, stop
}

// mirror is a registry in this process whose behaviour can be changed.
type mirror struct {
	t      *testing.T
	server *httptest.Server
	mu     sync.Mutex
	blob   func(w http.ResponseWriter, size int64) bool // instead of a layer, if it returns true
	gets   int
	layers map[string]int64 // sizes by digest
}

func newMirror(t *testing.T) *mirror {
	m := &mirror{t: t, layers: map[string]int64{}}
	content := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	m.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			m.mu.Lock()
			m.gets++
			blob := m.blob
			size, layer := m.layers[path.Base(r.URL.Path)]
			m.mu.Unlock()
			if layer && blob != nil && blob(w, size) {
				return
			}
		}
		content.ServeHTTP(w, r)
	}))
	t.Cleanup(m.server.Close)
	return m
}

// set has layers answered in another way; nil for the usual one.
func (m *mirror) set(blob func(http.ResponseWriter, int64) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blob = blob
}

// push puts an image with a program of that text there.
func (m *mirror) push(repository, text string) store.Reference {
	m.t.Helper()
	dir := m.t.TempDir()
	program, file := filepath.Join(dir, "agent"), filepath.Join(dir, "image.tar")
	fatal(m.t, os.WriteFile(program, []byte(text), 0o600))
	_, err := archive.Write(file, archive.Image{Reference: "switchlet.io/agent:dev", Program: program, Architecture: runtime.GOARCH})
	fatal(m.t, err)
	image, err := tarball.ImageFromPath(file, nil)
	fatal(m.t, err)
	layers, err := image.Layers()
	fatal(m.t, err)
	for _, layer := range layers {
		content, err := layer.Compressed()
		fatal(m.t, err)
		digest, err := layer.Digest()
		fatal(m.t, err)
		m.send(http.MethodPost, repository+"/blobs/uploads/?digest="+digest.String(), "application/octet-stream", content)
		m.layers[digest.String()], err = layer.Size()
		fatal(m.t, err)
	}
	config, err := image.RawConfigFile()
	fatal(m.t, err)
	digest, err := image.ConfigName()
	fatal(m.t, err)
	m.send(http.MethodPost, repository+"/blobs/uploads/?digest="+digest.String(), "application/octet-stream", bytes.NewReader(config))
	manifest, err := image.RawManifest()
	fatal(m.t, err)
	kind, err := image.MediaType()
	fatal(m.t, err)
	digest, err = image.Digest()
	fatal(m.t, err)
	m.send(http.MethodPut, repository+"/manifests/"+digest.String(), string(kind), bytes.NewReader(manifest))
	return reference(m.t, strings.TrimPrefix(m.server.URL, "http://")+"/"+repository+"@"+digest.String())
}

// send is a request of the distribution API that makes something.
func (m *mirror) send(method, path, kind string, content io.Reader) {
	m.t.Helper()
	request, err := http.NewRequestWithContext(m.t.Context(), method, m.server.URL+"/v2/"+path, content)
	fatal(m.t, err)
	request.Header.Set("Content-Type", kind)
	response, err := m.server.Client().Do(request)
	fatal(m.t, err)
	fatal(m.t, response.Body.Close())
	if response.StatusCode != http.StatusCreated {
		m.t.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

// listen has the registry answer again on the address it had.
func listen(t *testing.T, address string, handler http.Handler) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	fatal(t, err)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { fatal(t, server.Close()) })
}

func reference(t *testing.T, text string) store.Reference {
	t.Helper()
	r, err := store.ParseReference(text)
	fatal(t, err)
	return r
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
