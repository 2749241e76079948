package neighbors

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/switchlet/switchlet/lldp/wire"
)

// fileName is the file in the agent's folder.
const fileName = "lldp-neighbors"

const (
	// saveApart spares the disk where neighbours come and go: one change in this
	// time is written, and saveBurst more at once, which are those of a day when
	// somebody plugs cables in. What is not written is lost in a crash.
	saveApart = 30 * time.Second
	saveBurst = 20
	// saveEvery is how often it is written who is still heard, and retryEvery how
	// often it is tried again when that failed.
	saveEvery  = time.Hour
	retryEvery = 30 * time.Second
)

// disk is where neighbours are kept over a restart. It is told the time.
type disk struct {
	file string
	due  time.Time
	err  error // of the last time
	// spent is when as many changes as were written would be saveApart from each
	// other.
	spent time.Time
}

// openDisk reads what was kept. What cannot be read is said in the disk's error,
// and nobody is known then.
func openDisk(dir string, now time.Time, forget time.Duration) (*disk, []wire.Neighbor) {
	d := &disk{file: filepath.Join(dir, fileName), due: now.Add(saveEvery)}
	known, err := load(d.file, now, forget)
	if err != nil {
		d.err, d.due = err, now // written anew it is sound again
	}
	return d, known
}

// changed notes that the file is out of date.
func (d *disk) changed(now time.Time) {
	at := later(now, d.spent.Add(-saveBurst*saveApart))
	if at.Before(d.due) {
		d.due = at
	}
}

// save writes the file. If that fails it is tried again.
func (d *disk) save(now time.Time, all []wire.Neighbor) {
	err := os.MkdirAll(filepath.Dir(d.file), 0o700)
	if err = errors.Join(err, save(d.file, all)); err != nil {
		err = fmt.Errorf("--state-dir: %w", err)
	}
	d.spent = later(now, d.spent).Add(saveApart)
	d.due, d.err = now.Add(saveEvery), err
	if err != nil {
		d.due = now.Add(retryEvery)
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
