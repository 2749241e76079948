package neighbors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// cached is what is kept on the disk over a restart.
type cached struct {
	// System is the switch as it was last sent.
	System system `json:"system"`
	// Neighbors, at most maxTotal.
	Neighbors []cachedNeighbor `json:"neighbors"`
}

type cachedNeighbor struct {
	v1alpha1.LLDPNeighbor
	// Heard is when, in seconds since 1970 by the switch's clock.
	Heard int64 `json:"heard"`
}

// cacheHeader is the first line of the file: the CRC-32C of the rest.
const cacheHeader = "switchlet neighbors 1 %08x\n"

// errDamaged says that what was on the disk makes no sense.
var errDamaged = errors.New("damaged")

func encodeCache(c cached) ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return sealed(text), nil
}

// sealed is a text with its checksum before it.
func sealed(text []byte) []byte {
	return append(fmt.Appendf(nil, cacheHeader, checksum(text)), text...)
}

func decodeCache(text []byte) (c cached, err error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if string(first)+"\n" != fmt.Sprintf(cacheHeader, checksum(rest)) {
		return cached{}, fmt.Errorf("%w: the checksum is wrong", errDamaged)
	}
	if err := json.Unmarshal(rest, &c); err != nil {
		return cached{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if len(c.Neighbors) > maxTotal {
		return cached{}, fmt.Errorf("%w: it has %d neighbours, more than %d", errDamaged, len(c.Neighbors), maxTotal)
	}
	for i, n := range c.Neighbors {
		clean, ok := neighbor.Fit(n.LLDPNeighbor)
		if !ok {
			return cached{}, fmt.Errorf("%w: neighbour %d is without port or id", errDamaged, i)
		}
		c.Neighbors[i].LLDPNeighbor = clean
	}
	return c, nil
}

func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

// cache is what of the table is to be kept.
func (t *table) cache(s system) cached {
	c := cached{System: s, Neighbors: []cachedNeighbor{}}
	for _, e := range t.all() {
		c.Neighbors = append(c.Neighbors, cachedNeighbor{e.LLDPNeighbor, e.heard.Unix()})
	}
	return c
}

// load puts in what was kept. A switch without a battery for its clock may
// believe that it wrote the file in the future, or long ago: how old something
// is counts from now on by a clock that does not jump.
func (t *table) load(now time.Time, c cached) {
	for _, n := range c.Neighbors {
		age := max(now.Sub(time.Unix(n.Heard, 0)), 0)
		if age < t.forget {
			t.restore(n.LLDPNeighbor, now.Add(-age))
		}
	}
}
