// Package services makes the images of the services that switches run as pods: FRR 10 and
// this machine's lldpd, with all libraries that they need, and a program that stands in
// for the supervisor in SONiC's images; and the agent, which needs nothing else.
package services

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/switchlet/switchlet/deploy/lab/frr10"
	"github.com/switchlet/switchlet/deploy/lab/lldpservice"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/lab/routing"
)

// Service is what a service's image is made of.
type Service struct {
	// Name of the service, and of its program.
	Name string
	// folder of the source tree that the program is built from.
	folder string
	// linked: the version is linked into the program, which is built for each.
	linked bool
	// root that the programs are of: this machine's, or a folder that is laid out so.
	root string
	// programs, and modules that they load.
	programs []string
	// data is a folder that the programs read.
	data  string
	users func() (passwd, group string, err error)
}

// Agent is the product's own.
func Agent() Service { return Service{Name: "agent", folder: "./agent", linked: true} }

// BGP is FRR 10.
func BGP(frr frr10.Root) Service {
	return Service{
		Name: "bgp", folder: "./deploy/lab/services/bgp", root: frr.Dir, users: routing.Users,
		programs: []string{
			"/usr/lib/frr/mgmtd", "/usr/lib/frr/zebra", "/usr/lib/frr/bgpd", "/usr/bin/vtysh",
			libraries + "/frr/modules/zebra_fpm.so", libraries + "/frr/modules/dplane_fpm_nl.so", libraries + "/security/pam_permit.so",
		},
		data: "/usr/share/yang/modules/libyang",
	}
}

// LLDP is lldpd.
func LLDP() Service {
	return Service{
		Name: "lldp", folder: "./deploy/lab/services/lldp", root: "/", users: lldpservice.User,
		programs: []string{"/usr/sbin/lldpd", "/usr/sbin/lldpcli", "/usr/bin/true"},
	}
}

// Image is what can be had in versions.
type Image struct {
	service Service
	base    v1.Image
}

// Build builds what all versions of a service have in common.
func Build(ctx context.Context, s Service) (*Image, error) {
	image, err := mutate.MediaType(empty.Image, types.OCIManifestSchema1), error(nil)
	if s.users != nil {
		var machine *layer
		if machine, err = s.machine(); err == nil {
			image, err = appended(image, machine)
		}
	}
	if err == nil && !s.linked {
		image, err = s.add(ctx, image, "")
	}
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", s.Name, err)
	}
	return &Image{s, image}, nil
}

// add adds the service's program, which calls itself by a version, if one is said.
func (s Service) add(ctx context.Context, image v1.Image, version string) (v1.Image, error) {
	program, err := s.build(ctx, version)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(filepath.Dir(program))
	own := &layer{}
	own.file("/"+s.Name, program)
	return appended(image, own)
}

func appended(image v1.Image, l *layer) (v1.Image, error) {
	compressed, err := l.compressed()
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(image, compressed)
}

// build builds the program into a folder of its own.
func (s Service) build(ctx context.Context, version string) (program string, err error) {
	root, err := repo.Root()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "switchlet-service-")
	if err != nil {
		return "", err
	}
	program = filepath.Join(dir, s.Name)
	flags := "-s -w"
	if version != "" {
		flags += " -X main.version=" + version
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", flags, "-buildvcs=false", "-o", program, s.folder)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("build its program: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return program, nil
}

// machine is the layer of what is not the project's own.
func (s Service) machine() (*layer, error) {
	passwd, group, err := s.users()
	if err != nil {
		return nil, err
	}
	l := &layer{}
	for _, link := range [][2]string{{"/bin", "usr/bin"}, {"/sbin", "usr/sbin"}, {"/lib", "usr/lib"}, {"/lib64", "usr/lib64"}, {"/var/run", "/run"}} {
		l.link(link[0], link[1])
	}
	for _, dir := range []string{"/run", "/tmp", "/var/log", "/var/tmp"} {
		l.folder(dir)
	}
	l.text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"+passwd)
	l.text("/etc/group", "root:x:0:\n"+group)
	l.text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
	needed, err := closure(s.root, s.programs)
	if err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(needed)) {
		l.file(path, needed[path])
	}
	if s.data == "" {
		return l, nil
	}
	files, err := os.ReadDir(filepath.Join(s.root, s.data))
	for _, file := range files {
		path := filepath.Join(s.data, file.Name())
		l.file(path, filepath.Join(s.root, path))
	}
	return l, err
}

// Push brings a version of the image to a registry, and returns how it is called by its
// digest. Versions differ in their label, in the environment of the program, and in the
// program where the version is linked into it.
func (i *Image) Push(ctx context.Context, registry netip.AddrPort, version string, env ...string) (string, error) {
	base, err := i.base, error(nil)
	if i.service.linked {
		if base, err = i.service.add(ctx, base, version); err != nil {
			return "", fmt.Errorf("service %s %s: %w", i.service.Name, version, err)
		}
	}
	config, err := base.ConfigFile()
	if err != nil {
		return "", err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = []string{"/" + i.service.Name}
	config.Config.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/usr/lib/frr"}, env...)
	config.Config.Labels = map[string]string{"org.opencontainers.image.version": version}
	image, err := mutate.ConfigFile(base, config)
	if err != nil {
		return "", err
	}
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	called, err := name.NewDigest(registry.String()+"/"+i.service.Name+"@"+digest.String(), name.Insecure) // without TLS
	if err != nil {
		return "", err
	}
	if err := remote.Write(called, image, remote.WithContext(ctx)); err != nil {
		return "", fmt.Errorf("push %s %s: %w", called, version, err)
	}
	return called.String(), nil
}
