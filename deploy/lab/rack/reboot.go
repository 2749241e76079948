package rack

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/patch"
)

// ErrNoReboot says that a node cannot be started again by itself.
var ErrNoReboot = errors.New("only hosts with a kubelet can be rebooted: what runs on other nodes is started from outside")

// Reboot takes the power from a host and gives it back: all that runs on it ends at
// once, its files stay but for what is in memory, and it boots anew, with the cables that
// it had. It returns when the host is about to start its kubelet.
func (r *Rack) Reboot(ctx context.Context, name string) error {
	i := slices.IndexFunc(r.cfg.Members, func(m Member) bool { return m.Spec.Name == name })
	if i < 0 {
		return r.has(name)
	}
	m := r.cfg.Members[i]
	if !m.Host || !m.Spec.Kubelet {
		return fmt.Errorf("%s: %w", name, ErrNoReboot)
	}
	if err := r.replace(m); err != nil {
		return fmt.Errorf("reboot %s: %w", name, err)
	}
	if err := r.boot(ctx, name); err != nil {
		return fmt.Errorf("reboot %s: %w", name, err)
	}
	return r.Go(name)
}

// replace ends a host and starts it again. Nobody changes cables meanwhile.
func (r *Rack) replace(m Member) error {
	r.cables.Lock()
	defer r.cables.Unlock()
	cables, err := r.unplug(m.Spec.Name)
	if err != nil {
		return err
	}
	if err := r.end(m.Spec.Name); err != nil {
		return err
	}
	if err := r.startNode(m); err != nil {
		return err
	}
	return r.plugIn([]Member{m}, cables)
}

// unplug pulls all cables of a host: who loses its power has no carrier.
func (r *Rack) unplug(name string) (cables []cabling.Cable, err error) {
	panel, err := r.open()
	if err != nil {
		return nil, err
	}
	defer panel.Close()
	all, err := panel.Status()
	if err != nil {
		return nil, err
	}
	for _, s := range slices.DeleteFunc(all, func(s patch.Status) bool { return s.End.Node != name || s.Far == cabling.End{} }) {
		if err := panel.Pull(s.End); err != nil {
			return nil, err
		}
		cables = append(cables, cabling.New(s.End, s.Far))
	}
	return cables, nil
}

// end ends a node without anybody being told.
func (r *Rack) end(name string) error {
	r.mu.Lock()
	n := r.nodes[name]
	delete(r.nodes, name)
	r.mu.Unlock()
	if n == nil {
		return fmt.Errorf("%s does not run", name)
	}
	if err := n.Kill(); err != nil {
		return err
	}
	<-n.ended
	return network.Remove(name) // the kernel may take its time for it
}
