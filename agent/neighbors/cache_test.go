package neighbors

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

func someCache() cached {
	return cached{
		System: system{Name: "leaf1", ChassisID: "52:54:00:5c:00:01", ChassisIDSubtype: v1alpha1.ChassisMACAddress},
		Neighbors: []cachedNeighbor{
			{somebody("Ethernet0", "spine1", "etp1"), start().Unix()},
			{somebody("Ethernet4", "host1", "eth0"), start().Add(-time.Hour).Unix()},
		},
	}
}

func TestCacheFile(t *testing.T) {
	file := newCacheFile(t.TempDir())
	if got, damage, err := file.load(); err != nil || damage != "" || len(got.Neighbors) > 0 {
		t.Fatalf("nothing is there, and it is %v, %q, %v", got, damage, err)
	}
	for range 2 {
		if err := file.save(someCache()); err != nil {
			t.Fatal(err)
		}
	}
	got, damage, err := file.load()
	if diff := cmp.Diff(someCache(), got, cmp.AllowUnexported(cached{})); diff != "" || damage != "" || err != nil {
		t.Errorf("damage %q, error %v (-want +got):\n%s", damage, err, diff)
	}
	if left, err := filepath.Glob(string(file) + ".*"); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// A damaged file is set aside, and neither its contents nor it itself stand in
// the way of anything.
func TestDamagedCacheFile(t *testing.T) {
	text, err := encodeCache(someCache())
	if err != nil {
		t.Fatal(err)
	}
	nameless := someCache()
	nameless.Neighbors[0].PortID = ""
	many := cached{Neighbors: make([]cachedNeighbor, maxTotal+1)}
	for name, test := range map[string]struct{ text, say string }{
		"empty":               {"", "the checksum is wrong"},
		"cut off":             {string(text[:len(text)-5]), "the checksum is wrong"},
		"a bit turned":        {strings.Replace(string(text), "spine1", "spine9", 1), "the checksum is wrong"},
		"not JSON":            {string(sealed([]byte("no JSON"))), "invalid character"},
		"a neighbour of none": {string(must(encodeCache(nameless))), "neighbour 0 is without port or id"},
		"too many":            {string(must(encodeCache(many))), "it has 1025 neighbours, more than 1024"},
		"too large":           {strings.Repeat("x", maxCacheSize+1), "it is larger than 8388608 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			file := newCacheFile(t.TempDir())
			if err := os.WriteFile(string(file), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, damage, err := file.load()
			if err != nil || len(got.Neighbors) > 0 || !strings.Contains(damage, test.say) || !strings.Contains(damage, "neighbors.damaged") {
				t.Errorf("%v, damage %q, error %v", got, damage, err)
			}
			if _, damage, err := file.load(); damage != "" || err != nil {
				t.Errorf("the second time: damage %q, error %v", damage, err)
			}
		})
	}
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

// A switch without a battery starts in 1970, and a wrong clock may have been
// ahead: nobody is forgotten or kept longer because of that.
func TestCacheAndWrongClocks(t *testing.T) {
	c := someCache()
	for name, test := range map[string]struct {
		now  time.Time
		want []string
	}{
		"right":               {start().Add(time.Minute), []string{"spine1", "host1"}},
		"behind":              {time.Unix(0, 0), []string{"spine1", "host1"}},
		"one is a day old":    {start().Add(23*time.Hour + time.Minute), []string{"spine1"}},
		"both are a day old":  {start().Add(24 * time.Hour), nil},
		"far ahead, years on": {start().AddDate(30, 0, 0), nil},
	} {
		t.Run(name, func(t *testing.T) {
			known := newTable(time.Second, 24*time.Hour)
			known.load(test.now, c)
			var got []string
			for _, n := range known.neighbors() {
				got = append(got, n.SystemName)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if next := known.next(); len(got) > 0 && !next.After(test.now) {
				t.Errorf("the next look is at %v, before %v", next, test.now)
			}
		})
	}
}

// Whatever is on the disk: it is usable as a whole, or damaged.
func FuzzCache(f *testing.F) {
	text, err := encodeCache(someCache())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, false)
	_, rest, _ := strings.Cut(string(text), "\n")
	f.Add([]byte(rest), true)
	f.Fuzz(func(t *testing.T, text []byte, seal bool) {
		if seal {
			text = sealed(text)
		}
		c, err := decodeCache(text)
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Errorf("error is %v", err)
			}
			return
		}
		known := newTable(time.Second, time.Hour)
		known.load(start(), c)
		if _, err := encodeCache(known.cache(c.System)); err != nil {
			t.Error(err)
		}
		for _, n := range known.neighbors() {
			if _, ok := neighbor.Fit(n); !ok {
				t.Errorf("%+v does not fit", n)
			}
		}
	})
}
