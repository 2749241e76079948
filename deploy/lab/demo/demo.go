// Package demo shows what Switchlet does, on a lab that runs: it deploys the
// product as a user would, waits until the cables are found and the switches route
// over them, makes two VPCs, re-cables a host, deletes one of the VPCs, and checks
// after each step what is in the switches' CONFIG_DBs, who reaches whom through
// switches that forward, and in the end what SONiC's daemons made of it. Another
// story is that of a change that cuts a leaf off.
package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/manifests"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/screen"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// patience is how long any one step may take on a slow machine.
const patience = 3 * time.Minute

// Demo is a demonstration on one lab.
type Demo struct {
	lab     state.Lab
	product string // the folder deploy of the source tree
	screen  *screen.Screen
	kubectl kubectl
	reach   *reach // nil if the lab forwards nothing
}

// New is a demonstration of what is in the folder product, which is the folder
// deploy of the source tree.
func New(lab state.Lab, product string, screen *screen.Screen) *Demo {
	return &Demo{lab: lab, product: product, screen: screen, kubectl: kubectl{
		program: filepath.Join(lab.Binaries, "kubectl"), kubeconfig: lab.Kubeconfig(),
	}}
}

// Run goes through the whole demonstration. It fails if anything is not as it
// has to be.
func (d *Demo) Run(ctx context.Context) (err error) {
	if err := d.begin(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.endMatrix(ctx)) }()
	before, err := d.snapshot(ctx)
	if err != nil {
		return err
	}
	fresh, err := d.askDaemons(ctx)
	if err != nil {
		return err
	}
	if err := d.Deploy(ctx); err != nil {
		return err
	}
	if err := d.BringUpFabric(ctx); err != nil {
		return err
	}
	underlay, err := d.snapshot(ctx)
	if err != nil {
		return err
	}
	both, err := d.makeVPCs(ctx)
	if err != nil {
		return err
	}
	if err := d.show(ctx, underlay.minus(before), both.minus(underlay)); err != nil {
		return err
	}
	if err := d.showDaemons(ctx, fresh); err != nil {
		return err
	}
	return d.change(ctx, before, both)
}

// begin sees to it that the lab is one that can be shown.
func (d *Demo) begin() error {
	if d.lab.Leaves < 2 || d.lab.Hosts < 2 {
		return fmt.Errorf("the lab has %d leaves and %d hosts: the demonstration needs two of each, host1 for the web and host2 for its database", d.lab.Leaves, d.lab.Hosts)
	}
	return d.prepareMatrix()
}

// change changes what is there: a cable, then the VPCs.
func (d *Demo) change(ctx context.Context, before, both rows) error {
	if err := d.findEndpoints(ctx, 2*d.ofOneVPC(), anywhere); err != nil {
		return err
	}
	if err := d.showMatrix(ctx, "Who reaches whom through the switches", matrix.VPCRules()); err != nil {
		return err
	}
	settled, err := d.recable(ctx, both)
	if err != nil {
		return err
	}
	after, err := d.deleteRed(ctx, settled)
	if err != nil {
		return err
	}
	rules := append(matrix.Rules{gone("tenant-b/red")}, matrix.VPCRules()...)
	if err := d.showMatrix(ctx, "Who reaches whom now: red is gone, and blue is as before", rules); err != nil {
		return err
	}
	if err := d.checkUntouched(before, after); err != nil {
		return err
	}
	return d.checkDaemons(ctx)
}

// ofOneVPC is how many endpoints each of the VPCs has: all NICs of all hosts.
func (d *Demo) ofOneVPC() int { return d.lab.Hosts * cabling.NICs }

// Deploy applies the product's manifests and waits until everything runs.
func (d *Demo) Deploy(ctx context.Context) error {
	if err := d.waitNodes(ctx); err != nil {
		return err
	}
	if err := d.Apply(ctx); err != nil {
		return err
	}
	return d.waitPods(ctx)
}

// Apply applies the product's manifests. There need not be any nodes yet.
func (d *Demo) Apply(ctx context.Context) error {
	folder := d.manifest("")
	if err := manifests.Write(folder, d.product, d.lab.SwitchPods); err != nil {
		return err
	}
	if _, err := d.kubectl.run(ctx, "apply", "--server-side", "-k", filepath.Join(folder, "deploy")); err != nil {
		return err
	}
	d.screen.Step("applied deploy/: CRDs, RBAC, controller Deployment, DaemonSets of the agents on switches and hosts")
	return nil
}

// Await waits until everything that Apply made runs on all nodes.
func (d *Demo) Await(ctx context.Context) error {
	if err := d.waitNodes(ctx); err != nil {
		return err
	}
	return d.waitPods(ctx)
}

func (d *Demo) waitPods(ctx context.Context) error {
	d.screen.Progress("waiting for the pods of controller and agents")
	group, waiting := errgroup.WithContext(ctx)
	for _, object := range []string{"daemonset/switchlet-agent", "daemonset/switchlet-host-agent", "deployment/switchlet-controller"} {
		group.Go(func() error {
			_, err := d.kubectl.run(waiting, "rollout", "status", object, "-n", "switchlet-system", timeout())
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	d.screen.Step("controller and agents run")
	return nil
}

// waitNodes waits until all nodes of the lab are Ready.
func (d *Demo) waitNodes(ctx context.Context) error {
	nodes, err := d.lab.Nodes()
	if err != nil {
		return err
	}
	d.screen.Progress("waiting for %d nodes", len(nodes))
	err = until(ctx, "not all nodes are Ready", func(ctx context.Context) (string, error) {
		var have corev1.NodeList
		if err := d.kubectl.list(ctx, "nodes", &have); err != nil {
			return "", err
		}
		ready := 0
		for _, n := range have.Items {
			if slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
				return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
			}) {
				ready++
			}
		}
		if ready < len(nodes) {
			return fmt.Sprintf("%d of %d are", ready, len(nodes)), nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	d.screen.Step("%d nodes are Ready", len(nodes))
	return nil
}

// BringUpFabric says which identifiers there are and waits for what follows from the
// cables: all of them are found, and every switch routes over those to others.
func (d *Demo) BringUpFabric(ctx context.Context) error {
	if err := d.apply(ctx, manifests.Fabric); err != nil {
		return err
	}
	if err := d.showCables(ctx); err != nil {
		return err
	}
	return d.showUnderlay(ctx)
}

// makeVPCs makes blue, then red, and returns the rows after that.
func (d *Demo) makeVPCs(ctx context.Context) (rows, error) {
	if err := d.makeVPC(ctx, manifests.VPCBlue, "tenant-a"); err != nil {
		return nil, err
	}
	if err := d.makeVPC(ctx, manifests.VPCRed, "tenant-b"); err != nil {
		return nil, err
	}
	return d.snapshot(ctx)
}

func (d *Demo) makeVPC(ctx context.Context, file, namespace string) error {
	begin := time.Now()
	if err := d.apply(ctx, file); err != nil {
		return err
	}
	d.screen.Progress("waiting for %s to be Ready", file)
	// A VPC without attachments is Ready, so these come first.
	for _, kind := range []string{"vpcattachments", "vpcs"} {
		if _, err := d.kubectl.run(ctx, "wait", "--for=condition=Ready", kind, "--all", "-n", namespace, timeout()); err != nil {
			return err
		}
	}
	d.screen.Step("applied %s: Ready after %s", file, since(begin))
	return nil
}

func (d *Demo) apply(ctx context.Context, file string) error {
	_, err := d.kubectl.run(ctx, "apply", "--server-side", "-f", d.manifest(file))
	return err
}

// deleteRed deletes a VPC and waits until what it had brought is gone and
// everything else is as it was.
func (d *Demo) deleteRed(ctx context.Context, both rows) (rows, error) {
	d.screen.Title("An operator adds a VLAN by hand on leaf1. Then a tenant deletes VPC red")
	byHand := box.Rows{
		"VLAN|Vlan12":                   {"vlanid": "12", "description": "added by hand"},
		"VLAN_MEMBER|Vlan12|Ethernet24": {"tagging_mode": "tagged"},
	}
	if err := box.Write(ctx, d.lab.Socket("leaf1"), byHand); err != nil {
		return nil, err
	}
	want := both.without("tenant-b")
	maps.Copy(want["leaf1"], byHand)

	begin := time.Now()
	if _, err := d.kubectl.run(ctx, "delete", "vpc", "red", "-n", "tenant-b", timeout()); err != nil {
		return nil, err
	}
	after, err := d.waitRows(ctx, want)
	if err != nil {
		return nil, err
	}
	d.screen.Step("its rows are gone after %s, and nothing else changed", since(begin))
	gone := both.minus(after)
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		if len(gone[name]) > 0 {
			d.screen.Title("Rows that went from %s", name)
			d.screen.Text(gone[name].String())
		}
	}
	return after, nil
}

// waitRows waits until the switches have exactly these rows.
func (d *Demo) waitRows(ctx context.Context, want rows) (rows, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		have, err := d.snapshot(ctx)
		if err != nil {
			return nil, err
		}
		tooMany, missing := have.minus(want), want.minus(have)
		if tooMany.empty() && missing.empty() {
			return have, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("the rows are not as they have to be: %w\ntoo many, or changed:\n%smissing, or changed:\n%s",
				context.Cause(ctx), tooMany, missing)
		}
	}
}

// checkUntouched checks that every row there was before Switchlet came is the
// same byte for byte.
func (d *Demo) checkUntouched(before, after rows) error {
	if changed := before.minus(after); !changed.empty() {
		return fmt.Errorf("rows that were there before are gone or changed:\n%s", changed)
	}
	count := 0
	for _, rows := range before {
		count += len(rows)
	}
	d.screen.Title("Checked")
	d.screen.Text(fmt.Sprintf("%d rows on %d switches that Switchlet did not make are byte for byte as before.", count, len(before)))
	return nil
}

func (d *Demo) manifest(name string) string { return filepath.Join(d.lab.Dir, "manifests", name) }

func timeout() string { return "--timeout=" + patience.String() }
