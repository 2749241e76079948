package maintenance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Counters reads COUNTERS_DB (sonic-swss, portsorch.cpp; sonic-sairedis, FlexCounter.cpp).
type Counters interface {
	Hash(ctx context.Context, database, key string) (map[string]string, error)
	Rows(ctx context.Context, database, table string, names []string) (map[string]map[string]string, error)
}

const (
	countersDB  = "COUNTERS_DB"
	portNameMap = "COUNTERS_PORT_NAME_MAP"
	counters    = "COUNTERS"
	octetsIn    = "SAI_PORT_STAT_IF_IN_OCTETS"
	octetsOut   = "SAI_PORT_STAT_IF_OUT_OCTETS"
)

// octets that a port has received and sent.
type octets struct{ in, out uint64 }

var errNoCounters = errors.New("COUNTERS_DB has no counters of the switch's ports: look at counterpoll show, and the syncd container")

// readOctets reads the counters of ports.
func readOctets(ctx context.Context, c Counters, ports []string) (map[string]octets, error) {
	ids, err := c.Hash(ctx, countersDB, portNameMap)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, port := range ports {
		if ids[port] == "" {
			return nil, fmt.Errorf("%s: %w", port, errNoCounters)
		}
		names = append(names, ids[port])
	}
	rows, err := c.Rows(ctx, countersDB, counters, names)
	if err != nil {
		return nil, err
	}
	all := make(map[string]octets, len(ports))
	for _, port := range ports {
		in, err1 := strconv.ParseUint(rows[ids[port]][octetsIn], 10, 64)
		out, err2 := strconv.ParseUint(rows[ids[port]][octetsOut], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("%s: %w", port, errNoCounters)
		}
		all[port] = octets{in, out}
	}
	return all, nil
}

// traffic says whether any is left, by what ports counted at several moments.
type traffic struct {
	last  map[string]octets
	at    time.Time
	quiet time.Time // since when all ports are below the limit; zero if they are not
	loud  string
	rates map[string]float64 // in bytes a second by port, when it was last looked
}

// see takes what the ports have counted by now. Ports that are not told of any more
// have no say. limit is in bits per second. SONiC reads the counters every poll: what
// is seen sooner would look like silence.
func (t *traffic) see(now time.Time, counted map[string]octets, limit uint64, poll time.Duration) {
	if t.last == nil || !samePorts(t.last, counted) {
		*t = traffic{last: counted, at: now}
		return
	}
	elapsed := now.Sub(t.at)
	if elapsed < poll || elapsed <= 0 {
		return
	}
	var loud []string
	t.rates = make(map[string]float64, len(counted))
	for port, is := range counted {
		was := t.last[port]
		if is.in < was.in || is.out < was.out {
			loud = append(loud, port+" (its counters were cleared)")
			continue
		}
		t.rates[port] = float64(max(is.in-was.in, is.out-was.out)) / elapsed.Seconds()
		if rate := uint64(t.rates[port] * 8); rate > limit {
			loud = append(loud, fmt.Sprintf("%s %s", port, bits(rate)))
		}
	}
	slices.Sort(loud)
	t.last, t.at, t.loud = counted, now, strings.Join(loud[:min(len(loud), maxLoud)], ", ")
	if len(loud) > maxLoud {
		t.loud += fmt.Sprintf(" and %d more", len(loud)-maxLoud)
	}
	switch {
	case len(loud) > 0:
		t.quiet = time.Time{}
	case t.quiet.IsZero():
		t.quiet = now.Add(-elapsed)
	}
}

// maxLoud is how many ports are named.
const maxLoud = 8

// silent says whether it was quiet for long enough.
func (t *traffic) silent(now time.Time, enough time.Duration) bool {
	return !t.quiet.IsZero() && now.Sub(t.quiet) >= enough
}

func samePorts(a, b map[string]octets) bool {
	if len(a) != len(b) {
		return false
	}
	for port := range a {
		if _, ok := b[port]; !ok {
			return false
		}
	}
	return true
}

func bits(rate uint64) string {
	switch {
	case rate >= 1e9:
		return fmt.Sprintf("%.1f Gbit/s", float64(rate)/1e9)
	case rate >= 1e6:
		return fmt.Sprintf("%.1f Mbit/s", float64(rate)/1e6)
	}
	return fmt.Sprintf("%.0f kbit/s", float64(rate)/1e3)
}
