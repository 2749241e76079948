package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// LastGood is the newest configuration that was put into force, and what goes
// with it.
type LastGood struct {
	// UID of the SwitchConfig, whose generations start again when it is deleted
	// and made anew.
	UID types.UID `json:"uid,omitempty"`
	// Generation of the SwitchConfig.
	Generation int64 `json:"generation"`
	// Paused is Switch.spec.paused.
	Paused bool `json:"paused,omitempty"`
	// Drift is Switch.spec.drift.
	Drift v1alpha1.DriftPolicy `json:"drift,omitempty"`
	// Spec of the SwitchConfig.
	Spec v1alpha1.SwitchConfigSpec `json:"spec"`
}

// header is the first line of the file: the checksum of the rest.
const header = "switchlet last good 1 %08x\n"

func encodeLastGood(g LastGood) ([]byte, error) { return seal(header, g) }

func decodeLastGood(text []byte) (*LastGood, error) {
	var g LastGood
	if err := unseal(header, text, &g); err != nil {
		return nil, err
	}
	return &g, nil
}

// SaveLastGood keeps a configuration, and the one before it as a second copy.
func (s *Store) SaveLastGood(g LastGood) error {
	text, err := encodeLastGood(g)
	if err != nil {
		return fmt.Errorf("save the last good configuration: %w", err)
	}
	if err := s.keepPrevious(); err != nil {
		return fmt.Errorf("save the last good configuration: %w", err)
	}
	if err := replace(s.lastGood(), text); err != nil {
		return fmt.Errorf("save the last good configuration: %w", err)
	}
	return nil
}

// keepPrevious makes the file that is there the previous one too, without a
// moment at which there is none.
func (s *Store) keepPrevious() error {
	temporary := s.previous() + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.Link(s.lastGood(), temporary)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary, s.previous())
}

// loadLastGood reads the last good configuration, or the one before it if that
// is damaged. It returns nil if there is neither, and what it had to set aside.
func (s *Store) loadLastGood() (*LastGood, []string, error) {
	var notes []string
	for _, name := range []string{s.lastGood(), s.previous()} {
		text, err := readFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var g *LastGood
		if err == nil {
			g, err = decodeLastGood(text)
		}
		if err == nil {
			return g, notes, nil
		}
		if !errors.Is(err, errDamaged) {
			return nil, notes, err
		}
		aside, asideErr := setAside(name)
		if asideErr != nil {
			return nil, notes, asideErr
		}
		notes = append(notes, fmt.Sprintf("%s was unusable (%v) and is now %s", name, err, aside))
	}
	return nil, notes, nil
}
