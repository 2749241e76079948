package wire

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
)

// Defaults of IEEE 802.1AB-2016, table 11-2 (msgTxInterval, msgTxHold).
const (
	defaultInterval = 30 * time.Second
	defaultHold     = 4
)

// ethernetOverhead is what a frame has besides its MTU: header and checksum.
const ethernetOverhead = 18

// Config says who this machine is and where it says so.
type Config struct {
	// Chassis is the machine's ID, the same on all links. A frame with this ID is
	// one of its own. Required.
	Chassis frame.ChassisID

	SystemName, SystemDescription string
	Capabilities                  frame.SystemCapabilities
	Management                    []frame.ManagementAddress

	// Interval is the time between two frames on a link; 0 is 30 s.
	Interval time.Duration
	// Hold is how many intervals a frame may be believed; 0 is 4.
	Hold int

	// Select says on which links to speak; nil is Physical. Links that are not
	// Ethernet are never asked about.
	Select func(Link) bool
	// Describe may change what is said on a link: port ID (the name), description
	// (the alias), the largest frame, and if the link is in a bond, the number of
	// that; nil changes nothing. TTL and chassis ID are what they are.
	Describe func(Link, *frame.Frame)

	// Log is for what goes wrong and is tried again; nil is nowhere.
	Log *slog.Logger
}

// complete checks a Config and fills in the defaults.
func (c Config) complete() (Config, error) {
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Hold == 0 {
		c.Hold = defaultHold
	}
	if c.Select == nil {
		c.Select = Physical
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if c.Interval < time.Second || c.Interval > time.Hour {
		err = fmt.Errorf("interval %v has to be from 1s to 1h", c.Interval)
	}
	if c.Hold < 1 || c.Hold > 100 {
		err = errors.Join(err, fmt.Errorf("hold %d has to be from 1 to 100 intervals", c.Hold))
	}
	if _, e := c.describe(Link{Name: "any"}).MarshalBinary(); e != nil {
		err = errors.Join(err, e)
	}
	if err != nil {
		return c, fmt.Errorf("LLDP: %w", err)
	}
	return c, nil
}

// ttl is Interval times Hold in whole seconds.
func (c Config) ttl() time.Duration {
	return min(c.Interval*time.Duration(c.Hold), frame.MaxTTL).Truncate(time.Second)
}

// describe is what is said on a link without Config.Describe.
func (c Config) describe(l Link) frame.Frame {
	f := frame.Frame{
		ChassisID:         c.Chassis,
		PortID:            frame.PortByName(l.Name),
		TTL:               c.ttl(),
		PortDescription:   l.Alias,
		SystemName:        c.SystemName,
		SystemDescription: c.SystemDescription,
		Capabilities:      c.Capabilities,
		Management:        slices.Clip(c.Management), // Describe may append
	}
	if size := l.MTU + ethernetOverhead; l.MTU > 0 && size <= 0xffff {
		f.Organizational = append(f.Organizational, frame.MaxFrameSizeTLV(uint16(size)))
	}
	if l.Bonded {
		f.Organizational = append(f.Organizational,
			frame.LinkAggregationTLV(frame.LinkAggregation{Capable: true, Enabled: true, Port: uint32(l.Master)}))
	}
	return f
}

// announcement is what is said on a link, and what takes it back, as Ethernet
// frames.
func (c Config) announcement(l Link) (say, goodbye []byte, err error) {
	f := c.describe(l)
	if c.Describe != nil {
		c.Describe(l, &f)
		f.ChassisID, f.TTL = c.Chassis, c.ttl()
	}
	if say, err = f.Append(header(NearestBridge(), l.MAC)); err != nil {
		return nil, nil, err
	}
	if size := len(say) - headerSize; l.MTU > 0 && size > l.MTU {
		return nil, nil, fmt.Errorf("the LLDPDU has %d octets, more than the MTU of %d: say less", size, l.MTU)
	}
	goodbye, err = f.Goodbye().Append(header(NearestBridge(), l.MAC))
	return say, goodbye, err
}
