package cache_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/lldp/cache"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

func start() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) }

func heard(name string, ago time.Duration) wire.Neighbor {
	return wire.Neighbor{
		Interface:   "eth0",
		Source:      wire.MAC{2, 0, 0, 0, 0, 1},
		Destination: wire.NearestBridge(),
		Frame: frame.Frame{
			ChassisID:  frame.ChassisByName(name),
			PortID:     frame.PortID{Subtype: frame.PortMACAddress, ID: "\x00\xff\xfe\x80\x0a\x22"},
			TTL:        2 * time.Minute,
			SystemName: "\xff not UTF-8 \x00",
		},
		FirstSeen: start().Add(-24 * time.Hour),
		LastSeen:  start().Add(-ago),
	}
}

func stale(n wire.Neighbor) wire.Neighbor {
	n.Stale = true
	return n
}

// Who was heard is known again, stale; who was not for too long is not.
func TestEncodedIsDecoded(t *testing.T) {
	a, b, old := heard("leaf1", time.Minute), heard("leaf2", time.Hour), heard("leaf3", time.Hour+1)
	text, err := cache.Encode([]wire.Neighbor{a, b, old})
	if err != nil {
		t.Fatal(err)
	}
	got, err := cache.Decode(text, start(), time.Hour)
	if diff := cmp.Diff([]wire.Neighbor{stale(a), stale(b)}, got); err != nil || diff != "" {
		t.Errorf("error %v (-encoded +decoded):\n%s", err, diff)
	}
}

// A clock that was set back since makes nobody older, and nobody younger than now.
func TestClockWentBack(t *testing.T) {
	text, err := cache.Encode([]wire.Neighbor{heard("leaf1", 0)})
	if err != nil {
		t.Fatal(err)
	}
	then := start().Add(-48 * time.Hour)
	got, err := cache.Decode(text, then, time.Hour)
	if err != nil || len(got) != 1 || !got[0].LastSeen.Equal(then) || !got[0].FirstSeen.Equal(then) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever is damaged, nobody is known.
func TestDamaged(t *testing.T) {
	good, err := cache.Encode([]wire.Neighbor{heard("leaf1", 0)})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"empty":        nil,
		"cut off":      good[:len(good)-10],
		"one bit":      bytes.Replace(good, []byte("eth0"), []byte("eth1"), 1),
		"no header":    good[bytes.IndexByte(good, '\n')+1:],
		"other format": []byte("[]"),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := cache.Decode(text, start(), time.Hour); !errors.Is(err, cache.ErrDamaged) || got != nil {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// The file is bounded: those heard last are kept.
func TestBounded(t *testing.T) {
	var all []wire.Neighbor
	for i := range cache.MaxNeighbors + 10 {
		all = append(all, heard(fmt.Sprint(i), time.Duration(i)*time.Millisecond))
	}
	text, err := cache.Encode(all)
	if err != nil {
		t.Fatal(err)
	}
	got, err := cache.Decode(text, start(), time.Hour)
	if err != nil || len(got) != cache.MaxNeighbors || got[len(got)-1].Frame.ChassisID.ID != fmt.Sprint(cache.MaxNeighbors-1) {
		t.Errorf("%d neighbours, %v", len(got), err)
	}
}

// Whatever is in the file, Decode ends, and what it gives can be saved.
func FuzzDecode(f *testing.F) {
	good, err := cache.Encode([]wire.Neighbor{heard("leaf1", 0), heard("leaf2", time.Minute)})
	if err != nil {
		f.Fatal(err)
	}
	_, records, _ := bytes.Cut(good, []byte("\n"))
	f.Add(records)
	f.Fuzz(func(t *testing.T, records []byte) {
		checksum := crc32.Checksum(records, crc32.MakeTable(crc32.Castagnoli))
		text := append(fmt.Appendf(nil, "switchlet lldp neighbours 1 %08x\n", checksum), records...)
		got, err := cache.Decode(text, start(), time.Hour)
		if err != nil {
			return
		}
		again, err := cache.Encode(got)
		if err != nil {
			t.Fatal(err)
		}
		same, err := cache.Decode(again, start(), time.Hour)
		if diff := cmp.Diff(got, same); err != nil || diff != "" {
			t.Errorf("error %v (-first +second):\n%s", err, diff)
		}
	})
}
