package rack

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
)

// setLink switches the link at an end on or off, as ip link does.
func (r *Rack) setLink(end cabling.End, up bool) (err error) {
	if err := r.has(end.Node); err != nil {
		return err
	}
	there, err := netns.GetFromPath(r.Namespace(end.Node))
	if err != nil {
		return fmt.Errorf("network namespace of %s: %w", end.Node, err)
	}
	defer func() { err = errors.Join(err, there.Close()) }()
	handle, err := netlink.NewHandleAt(there)
	if err != nil {
		return err
	}
	defer handle.Close()
	link, err := handle.LinkByName(end.Port)
	if err != nil {
		return fmt.Errorf("%s: %w", end, err)
	}
	change := handle.LinkSetDown
	if up {
		change = handle.LinkSetUp
	}
	if err := change(link); err != nil {
		return fmt.Errorf("%s: %w", end, err)
	}
	return nil
}
