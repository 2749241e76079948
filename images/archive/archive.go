// Package archive makes container images from static programs, without Docker
// and without a registry: a file that `ctr images import`, `docker load` and
// `podman load` take. The same program gives the same bytes.
package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is an image with programs in it and nothing else.
type Image struct {
	// Reference of the image, with a tag: "switchlet.io/agent:dev".
	Reference string
	// Program is the path of a static executable for linux. In the image it
	// lies in / under the same name, and is the entry point.
	Program string
	// Others are the paths of programs that lie beside it.
	Others []string
	// User that the program runs as, "uid:gid"; empty for root.
	User string
	// Architecture as Go names it, such as "amd64".
	Architecture string
}

// Write writes the image to a file, which is either complete afterwards or as
// it was, and returns the digest of the image's configuration: its image id.
func Write(file string, image Image) (digest string, err error) {
	digest, err = image.write(file)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", image.Reference, err)
	}
	return digest, nil
}

func (i Image) write(file string) (string, error) {
	tag, err := name.NewTag(i.Reference, name.StrictValidation)
	if err != nil {
		return "", err
	}
	built, err := i.build()
	if err != nil {
		return "", err
	}
	digest, err := built.ConfigName()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".")
	if err != nil {
		return "", err
	}
	err = errors.Join(tarball.Write(tag, built, temporary), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(temporary.Name()))
	}
	return digest.String(), nil
}

func (i Image) build() (v1.Image, error) {
	content, err := i.layer()
	if err != nil {
		return nil, err
	}
	// Not compressed: it is read once, on this machine.
	image, err := mutate.AppendLayers(empty.Image, static.NewLayer(content, types.DockerUncompressedLayer))
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", i.Architecture
	config.Config.Entrypoint = []string{"/" + filepath.Base(i.Program)}
	config.Config.User = i.User
	return mutate.ConfigFile(image, config)
}

// layer is a tar file with the programs, and with nothing of the time or the
// machine it was made on.
func (i Image) layer() ([]byte, error) {
	var content bytes.Buffer
	writer := tar.NewWriter(&content)
	for _, name := range append([]string{i.Program}, i.Others...) {
		if err := add(writer, name); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

func add(to *tar.Writer, name string) error {
	program, err := os.Open(name)
	if err != nil {
		return err
	}
	defer program.Close()
	info, err := program.Stat()
	if err != nil {
		return err
	}
	err = to.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: filepath.Base(name), Size: info.Size(), Mode: 0o755,
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(to, program)
	return err
}
