package dataplane

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/deploy/lab/swss"
	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

const (
	// interval of the counters, as that of SONiC's flex counters of ports.
	interval = time.Second
	// quietly is how long links are left alone before they are looked at: several
	// changes come at once.
	quietly = 10 * time.Millisecond
)

// Run follows cables, and tells of carriers and counters, until ctx is done.
func (p *Plane) Run(ctx context.Context, to live.Reports) {
	var group errgroup.Group
	group.Go(func() error { p.follow(ctx, to); return nil })
	group.Go(func() error { p.count(ctx, to); return nil })
	group.Go(func() error { p.keepRouters(ctx); return nil })
	group.Go(func() error { p.announce(ctx); return nil })
	_ = group.Wait()
}

// follow looks at the links whenever the kernel tells of one.
func (p *Plane) follow(ctx context.Context, to live.Reports) {
	for ctx.Err() == nil {
		news, err := p.subscribe(ctx)
		if err != nil {
			p.log.Error("the data plane cannot follow its cables", "error", err)
			news = nil
		}
		for open := true; open && ctx.Err() == nil; {
			if err := p.look(ctx, to); err != nil && ctx.Err() == nil {
				p.log.Error("a cable was plugged or pulled, and the data plane does not follow", "error", err)
			}
			pause(ctx, quietly)
			open = await(ctx, news)
		}
	}
}

// await waits for news and takes all there is; false if there will be no more.
func await[T any](ctx context.Context, news <-chan T) bool {
	if news == nil {
		pause(ctx, interval)
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case _, open := <-news:
		for open && len(news) > 0 {
			_, open = <-news
		}
		return open
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (p *Plane) subscribe(ctx context.Context) (<-chan netlink.LinkUpdate, error) {
	updates := make(chan netlink.LinkUpdate, 256)
	err := netlink.LinkSubscribeWithOptions(updates, ctx.Done(), netlink.LinkSubscribeOptions{
		Namespace: p.kernel.namespace(), ErrorCallback: func(err error) {
			if ctx.Err() == nil {
				p.log.Warn("the kernel no longer tells of links, and is asked again", "error", err)
			}
		},
	})
	return updates, err
}

// look makes the devices right and tells which ports have a carrier.
func (p *Plane) look(ctx context.Context, to live.Reports) error {
	if err := p.again(); err != nil {
		return err
	}
	links, err := p.links()
	if err != nil {
		return err
	}
	up := map[string]bool{}
	for _, link := range links {
		up[link.Attrs().Name] = link.Attrs().OperState == netlink.OperUp
	}
	return to.SetLinks(ctx, up)
}

// links are those of ports.
func (p *Plane) links() ([]netlink.Link, error) {
	all, err := p.kernel.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	var ports []netlink.Link
	for _, link := range all {
		if strings.HasPrefix(link.Attrs().Name, portPrefix) {
			ports = append(ports, link)
		}
	}
	return ports, nil
}

// count writes the counters of all ports.
func (p *Plane) count(ctx context.Context, to live.Reports) {
	for ctx.Err() == nil {
		links, err := p.links()
		if err == nil && len(links) > 0 {
			err = to.Put(ctx, counters(links)...)
		}
		if err != nil && ctx.Err() == nil {
			p.log.Error("counters of ports", "error", err)
		}
		pause(ctx, interval)
	}
}

// counters are the rows of COUNTERS_DB for ports (sonic-swss orchagent/portsorch.cpp;
// names of saiport.h).
func counters(links []netlink.Link) []swss.Write {
	names := swss.Row{}
	writes := []swss.Write{{DB: swss.CountersDB, Key: "COUNTERS_PORT_NAME_MAP", Fields: names}}
	for _, link := range links {
		a := link.Attrs()
		names[a.Name] = oid(a.Name)
		if a.Statistics != nil {
			writes = append(writes, swss.Write{DB: swss.CountersDB, Key: "COUNTERS:" + oid(a.Name), Fields: counted(a.Statistics)})
		}
	}
	return writes
}

// counted are the kernel's counters in SAI's words. A veth pair does not tell
// unicast from multicast packets that it sends.
func counted(s *netlink.LinkStatistics) swss.Row {
	row := swss.Row{}
	for name, value := range map[string]uint64{
		"IN_OCTETS": s.RxBytes, "OUT_OCTETS": s.TxBytes,
		"IN_UCAST_PKTS": s.RxPackets - s.Multicast, "IN_NON_UCAST_PKTS": s.Multicast,
		"OUT_UCAST_PKTS": s.TxPackets, "OUT_NON_UCAST_PKTS": 0,
		"IN_ERRORS": s.RxErrors, "OUT_ERRORS": s.TxErrors,
		"IN_DISCARDS": s.RxDropped, "OUT_DISCARDS": s.TxDropped,
	} {
		row["SAI_PORT_STAT_IF_"+name] = strconv.FormatUint(value, 10)
	}
	return row
}
