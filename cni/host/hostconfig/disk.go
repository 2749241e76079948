package hostconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/file"
)

// fileName is the file in the agent's folder.
const fileName = "hostconfig"

// maxSize bounds what is read from disk, in octets. The API server takes objects
// of 1.5 MiB.
const maxSize = 8 << 20

// Disk is the last spec that was taken over, on the disk. Its first line has a
// checksum of the rest.
type Disk struct{ name string }

// NewDisk is in the agent's folder.
func NewDisk(dir string) Disk { return Disk{filepath.Join(dir, fileName)} }

const header = "switchlet hostconfig 1 %08x\n"

func encode(spec v1alpha1.HostConfigSpec) ([]byte, error) {
	text, err := json.Marshal(spec)
	return append(fmt.Appendf(nil, header, checksum(text)), text...), err
}

func decode(text []byte) (spec v1alpha1.HostConfigSpec, err error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if want := fmt.Sprintf(header, checksum(rest)); string(first)+"\n" != want {
		return spec, fmt.Errorf("its first line is %q instead of %q", first, want)
	}
	return spec, json.Unmarshal(rest, &spec)
}

// checksum is CRC-32C (RFC 3720, appendix B.4).
func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

// Load is the spec on the disk, nil if there is none.
func (d Disk) Load() (*v1alpha1.HostConfigSpec, error) {
	text, err := file.Read(d.name, maxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("last known HostConfig: %w", err)
	}
	spec, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("last known HostConfig %s is damaged: %w", d.name, err)
	}
	return &spec, nil
}

// Save puts a spec in place of the one before; nil takes it away. After a crash at
// any moment either one is there.
func (d Disk) Save(spec *v1alpha1.HostConfigSpec) error {
	if err := d.save(spec); err != nil {
		return fmt.Errorf("keep the HostConfig on the disk: %w", err)
	}
	return nil
}

func (d Disk) save(spec *v1alpha1.HostConfigSpec) error {
	if spec == nil {
		err := os.Remove(d.name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	text, err := encode(*spec)
	if err != nil {
		return err
	}
	return file.Replace(d.name, text, 0o600)
}
