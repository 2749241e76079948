package maintenance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/atomicfile"
)

// Level is how far a drain is.
type Level string

// The levels, in their order.
const (
	InService Level = ""
	Leaving   Level = "Leaving"
	Shut      Level = "Shut"
	Returning Level = "Returning"
)

// Record is what has to outlive a restart.
type Record struct {
	// Request is what was last asked for; nil for nothing. Since is when its Step
	// was seen first.
	Request *v1alpha1.SwitchMaintenance `json:"request,omitempty"`
	Since   time.Time                   `json:"since,omitzero"`
	// ByHand is spec.drained of the Switch, as last seen.
	ByHand bool `json:"byHand,omitempty"`
	// Level of the drain, and whether no traffic was left.
	Level   Level `json:"level,omitempty"`
	Drained bool  `json:"drained,omitempty"`
	// Begun is when the drain began, which is not over before all is as it was.
	Begun time.Time `json:"begun,omitzero"`
	// Spare are the ports that stay up, and Routed says that a neighbour in BGP
	// was there, since the drain began.
	Spare  []string `json:"spare,omitempty"`
	Routed bool     `json:"routed,omitempty"`
	// Returned is the Step for which traffic was let back because nobody went on.
	Returned string `json:"returned,omitempty"`
	// Before has the values of checks from before, of one pass.
	Pass   string                            `json:"pass,omitempty"`
	Before map[v1alpha1.SwitchCheck][]string `json:"before,omitempty"`
	// Images that were asked for, of each repository the last and the one before.
	Images []string `json:"images,omitempty"`
}

// recordHeader is the first line of the file: the checksum of the rest.
const recordHeader = "switchlet maintenance 1 %08x\n"

// maxRecord bounds what is read; the record of a full switch has some ten KiB.
const maxRecord = 4 << 20

var errDamaged = errors.New("damaged")

func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

// save writes the record so that after a crash the old or the new one is there.
func (r Record) save(name string) error {
	text, err := json.Marshal(r)
	if err == nil {
		err = atomicfile.Write(name, append(fmt.Appendf(nil, recordHeader, checksum(text)), text...), 0o600)
	}
	if err != nil {
		return fmt.Errorf("record the maintenance: %w", err)
	}
	return nil
}

// load reads the record. damage tells, for people, what was unusable.
func load(name string) (r Record, damage string, err error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, "", nil
	}
	var text []byte
	if err == nil && info.Size() <= maxRecord {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return Record{}, "", fmt.Errorf("read the maintenance: %w", err)
	}
	r, err = decode(text)
	if err == nil {
		return r, "", nil
	}
	aside := name + ".damaged"
	if err := os.Rename(name, aside); err != nil {
		return Record{}, "", fmt.Errorf("set the maintenance aside: %w", err)
	}
	return Record{}, fmt.Sprintf("%s was unusable (%v) and is now %s; a switch that was drained gets its traffic back, unless it is asked to be drained", name, err, aside), nil
}

func decode(text []byte) (Record, error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if string(first)+"\n" != fmt.Sprintf(recordHeader, checksum(rest)) {
		return Record{}, fmt.Errorf("%w: the checksum is wrong", errDamaged)
	}
	var r Record
	if err := json.Unmarshal(rest, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return r, nil
}
