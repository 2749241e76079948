package dataplane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
)

// FRR 8.4 hears of links and of addresses from the kernel by two sockets, and forgets an
// address whose link it has not heard of yet (FRRouting/frr#13288): the gateway's subnet
// is never announced then. Releases in SONiC hear both by one, and intfmgrd starts a
// program for each step besides. So addresses that are new are told once more, which
// changes nothing in the kernel.

// retell is when new addresses are told again, after they were made and after that: a
// daemon that is busy reads late.
func retell() []time.Duration { return []time.Duration{200 * time.Millisecond, 2 * time.Second} }

// madeAddresses are the steps that made some.
func madeAddresses(steps []Step) []Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return s.Verb != AddAddress })
}

// announce tells new addresses again, until ctx is done.
func (p *Plane) announce(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case made := <-p.addressed:
			for _, wait := range retell() {
				pause(ctx, wait)
				if err := p.tell(made); err != nil && ctx.Err() == nil {
					p.log.Warn("addresses were not told of again", "error", err)
				}
			}
		}
	}
}

// tell has the kernel tell of those that are still wanted.
func (p *Plane) tell(made []Step) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	var problems []error
	for _, s := range made {
		if !slices.Contains(p.want[s.Name].Addresses, s.Address) {
			continue
		}
		link, err := p.kernel.LinkByName(s.Name)
		var gone netlink.LinkNotFoundError
		if errors.As(err, &gone) {
			continue
		}
		if err == nil {
			err = p.kernel.AddrReplace(link, address(s))
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", s, err))
		}
	}
	return errors.Join(problems...)
}
