package services

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// Versions of an image differ by their digests, and a registry gives what was pushed.
func TestVersionsOfAnImage(t *testing.T) {
	labtest.Program(t, "vtysh", "frr") // for its user
	labtest.Program(t, "lldpcli", "lldpd")
	for _, service := range []Service{BGP(labtest.FRR10(t)), LLDP(), Agent()} {
		t.Run(service.Name, func(t *testing.T) {
			image, err := Build(t.Context(), service)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
			defer server.Close()
			var references []string
			for _, version := range []string{"v1", "v2", "v1"} {
				reference, err := image.Push(t.Context(), netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://")), version)
				if err != nil {
					t.Fatal(err)
				}
				references = append(references, reference)
			}
			if references[0] == references[1] || references[0] != references[2] {
				t.Errorf("references %q: want two different ones", references)
			}
			_, digest, _ := strings.Cut(references[1], "@")
			var manifest v1.Manifest
			get(t, server.URL+"/v2/"+service.Name+"/manifests/"+digest, &manifest)
			var config v1.ConfigFile
			get(t, server.URL+"/v2/"+service.Name+"/blobs/"+manifest.Config.Digest.String(), &config)
			if config.Config.Labels["org.opencontainers.image.version"] != "v2" || config.Config.Entrypoint[0] != "/"+service.Name {
				t.Errorf("%+v", config.Config)
			}
			for _, l := range manifest.Layers {
				t.Logf("a layer of %d MiB", l.Size>>20)
			}
			if want := map[bool]int{true: 1, false: 2}[service.linked]; len(manifest.Layers) != want {
				t.Errorf("%d layers, want %d", len(manifest.Layers), want)
			}
		})
	}
}

func get(t *testing.T, where string, into any) {
	t.Helper()
	response, err := http.Get(where)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("%s: %s: %v", where, response.Status, err)
	}
}
