package cache

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"slices"
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// ErrDamaged is wrapped when a file is there and its contents make no sense.
var ErrDamaged = errors.New("damaged")

// MaxNeighbors is how many are kept: eight on each of 512 links.
const MaxNeighbors = 4096

// header is the first line of the file: the checksum of the rest, CRC-32C (RFC 3720,
// appendix B.4).
const header = "switchlet lldp neighbours 1 %08x\n"

// record is a neighbour in the file.
type record struct {
	Interface   string    `json:"interface"`
	Source      string    `json:"source"`
	Destination string    `json:"destination"`
	FirstSeen   time.Time `json:"firstSeen"`
	LastSeen    time.Time `json:"lastSeen"`
	LLDPDU      []byte    `json:"lldpdu"`
}

// Encode is the contents of the file. If there are too many neighbours, those heard
// last are kept. One that cannot be said in LLDP again is left out.
func Encode(neighbors []wire.Neighbor) ([]byte, error) {
	kept := slices.Clone(neighbors)
	if len(kept) > MaxNeighbors {
		slices.SortStableFunc(kept, func(a, b wire.Neighbor) int { return b.LastSeen.Compare(a.LastSeen) })
		kept = kept[:MaxNeighbors]
		slices.SortStableFunc(kept, func(a, b wire.Neighbor) int { return cmp.Compare(a.Interface, b.Interface) })
	}
	records := []record{}
	for _, n := range kept {
		pdu, err := n.Frame.MarshalBinary()
		if err != nil {
			continue
		}
		records = append(records, record{
			Interface:   n.Interface,
			Source:      n.Source.String(),
			Destination: n.Destination.String(),
			FirstSeen:   n.FirstSeen.UTC(),
			LastSeen:    n.LastSeen.UTC(),
			LLDPDU:      pdu,
		})
	}
	text, err := json.Marshal(records)
	if err != nil {
		return nil, err
	}
	return append(fmt.Appendf(nil, header, checksum(text)), text...), nil
}

func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

// Decode is the reverse of Encode for those who were heard within maxAge; all of them
// are stale. A clock that has gone back since makes nobody older.
func Decode(text []byte, now time.Time, maxAge time.Duration) ([]wire.Neighbor, error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if string(first)+"\n" != fmt.Sprintf(header, checksum(rest)) {
		return nil, fmt.Errorf("%w: the checksum is wrong", ErrDamaged)
	}
	var records []record
	if err := json.Unmarshal(rest, &records); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if len(records) > MaxNeighbors {
		return nil, fmt.Errorf("%w: it has %d neighbours, more than %d", ErrDamaged, len(records), MaxNeighbors)
	}
	var neighbors []wire.Neighbor
	for i, r := range records {
		n, err := r.neighbor()
		if err != nil {
			return nil, fmt.Errorf("%w: neighbour %d on %q: %w", ErrDamaged, i, r.Interface, err)
		}
		if now.Sub(n.LastSeen) <= maxAge {
			neighbors = append(neighbors, n.notAfter(now))
		}
	}
	return neighbors, nil
}

// restored is a neighbour of the file.
type restored wire.Neighbor

func (r record) neighbor() (restored, error) {
	f, frameErr := frame.Decode(r.LLDPDU)
	source, sourceErr := parseMAC(r.Source)
	destination, destinationErr := parseMAC(r.Destination)
	var timeErr error
	if r.FirstSeen.Unix() < 0 || r.LastSeen.Unix() < 0 {
		timeErr = errors.New("it was heard before 1970")
	}
	return restored{
		Interface:   r.Interface,
		Source:      source,
		Destination: destination,
		Frame:       f,
		FirstSeen:   r.FirstSeen,
		LastSeen:    r.LastSeen,
		Stale:       true,
	}, errors.Join(frameErr, sourceErr, destinationErr, timeErr)
}

func (r restored) notAfter(now time.Time) wire.Neighbor {
	if r.LastSeen.After(now) {
		r.LastSeen = now
	}
	if r.FirstSeen.After(r.LastSeen) {
		r.FirstSeen = r.LastSeen
	}
	return wire.Neighbor(r)
}

func parseMAC(text string) (wire.MAC, error) {
	mac, err := net.ParseMAC(text)
	if err != nil {
		return wire.MAC{}, err
	}
	if len(mac) != len(wire.MAC{}) {
		return wire.MAC{}, fmt.Errorf("address %s is not one of Ethernet", text)
	}
	return wire.MAC(mac), nil
}
