package services

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layer is a layer of an image, as a tar file in memory. What goes wrong is told at last.
type layer struct {
	content bytes.Buffer
	writer  *tar.Writer
	failed  []error
}

func (l *layer) add(header *tar.Header, content []byte) {
	if l.writer == nil {
		l.writer = tar.NewWriter(&l.content)
	}
	header.Name, header.Size = strings.TrimPrefix(header.Name, "/"), int64(len(content))
	l.failed = append(l.failed, l.writer.WriteHeader(header))
	_, err := l.writer.Write(content)
	l.failed = append(l.failed, err)
}

func (l *layer) folder(path string) {
	l.add(&tar.Header{Typeflag: tar.TypeDir, Name: path + "/", Mode: 0o755}, nil)
}

func (l *layer) link(path, to string) {
	l.add(&tar.Header{Typeflag: tar.TypeSymlink, Name: path, Linkname: to, Mode: 0o777}, nil)
}

func (l *layer) text(path, text string) {
	l.add(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644}, []byte(text))
}

// file is what a file of this machine has.
func (l *layer) file(path, source string) {
	content, err := os.ReadFile(source)
	if err != nil {
		l.failed = append(l.failed, err)
		return
	}
	l.add(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o755}, content)
}

// compressed is the layer as it goes over the network: to a switch in User-Mode Linux
// each byte of that costs more than to unpack three.
func (l *layer) compressed() (v1.Layer, error) {
	if err := errors.Join(append(l.failed, l.writer.Close())...); err != nil {
		return nil, err
	}
	content := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(l.content.Bytes())), nil }
	return tarball.LayerFromOpener(content, tarball.WithCompressedCaching, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestSpeed))
}
