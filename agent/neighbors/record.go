package neighbors

import (
	"log/slog"
	"time"
)

// saveApart spares the switch's flash disk where a cable comes and goes.
const saveApart = 30 * time.Second

// record says when to write the file.
type record struct {
	file  cacheFile
	every time.Duration // that it is written anew, so that it knows who is still heard
	apart time.Duration // between two times, at least
	log   *slog.Logger

	saved time.Time // zero if it was not yet
	due   time.Time // zero for never
	said  once
}

// changed notes that the file is out of date.
func (r *record) changed(now time.Time) {
	at := now
	if next := r.saved.Add(r.apart); !r.saved.IsZero() && next.After(now) {
		at = next
	}
	r.due = earliest(r.due, at)
}

// save writes the file. If that fails it is tried again.
func (r *record) save(now time.Time, c cached) {
	err := r.file.save(c)
	if r.said.anew(err) && err != nil {
		r.log.Warn("neighbours are not saved, trying again", "error", err)
	}
	r.saved, r.due = now, now.Add(r.every)
	if err != nil {
		r.due = now.Add(r.apart)
	}
}

// once keeps what is tried again and again from being complained about each time.
type once struct{ text string }

// anew reports whether the outcome is another one than the last time.
func (o *once) anew(err error) bool {
	text := ""
	if err != nil {
		text = err.Error()
	}
	was := o.text
	o.text = text
	return text != was
}
