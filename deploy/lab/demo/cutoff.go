package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/manifests"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/rack"
)

// cutOff is the leaf that is cut off; management is its port of the management network.
const cutOff, management = "leaf1", "eth0"

// CutOff shows what becomes of a change that cuts a leaf off from everyone, the API
// server too: the leaf takes it back by itself.
func (d *Demo) CutOff(ctx context.Context) (err error) {
	if !d.lab.FRR || d.lab.Spines == 0 {
		return errors.New("the lab has no spines, or no FRR: a change that cuts a leaf off needs both")
	}
	if err := d.begin(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.endMatrix(ctx)) }()
	before, err := d.snapshot(ctx)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{d.Deploy, d.BringUpFabric, d.serveBlue, d.makeMistake, d.reconnect, d.correct} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	after, err := d.snapshot(ctx)
	if err != nil {
		return err
	}
	if err := d.checkUntouched(before, after); err != nil {
		return err
	}
	return d.checkDaemons(ctx)
}

// serveBlue makes a VPC, and waits until the leaf has come to trust it: what it can
// fall back on.
func (d *Demo) serveBlue(ctx context.Context) error {
	if err := d.makeVPC(ctx, manifests.VPCBlue, "tenant-a"); err != nil {
		return err
	}
	d.screen.Progress("waiting until the change has stood its trial of 10 s")
	if err := d.waitConfirmed(ctx, "Confirmed"); err != nil {
		return err
	}
	if err := d.findEndpoints(ctx, d.ofOneVPC(), anywhere); err != nil {
		return err
	}
	return d.showMatrix(ctx, "Who reaches whom before the change", matrix.VPCRules())
}

// waitConfirmed waits until the leaf gives a reason for what became of its last change.
func (d *Demo) waitConfirmed(ctx context.Context, reason string) error {
	_, err := d.kubectl.run(ctx, "wait", `--for=jsonpath={.status.conditions[?(@.type=="Confirmed")].reason}=`+reason, "switchconfig/"+cutOff, timeout())
	return err
}

// makeMistake gives the leaf the ASN of the spine: whoever has one's own ASN is no
// external neighbour, and BGP ends on all uplinks. The lab's management network is out
// of band; so that the leaf loses the API server as it would in band, its port there
// goes down with the last session. Then it waits until the sessions are back.
func (d *Demo) makeMistake(ctx context.Context) error {
	uplinks, err := d.uplinks(ctx)
	if err != nil {
		return err
	}
	asn, err := d.kubectl.run(ctx, "get", "switchconfig", "spine1", "-o", "jsonpath={.spec.bgp.asn}")
	if err != nil {
		return err
	}
	patch := fmt.Sprintf(`{"spec":{"bgp":{"asn":%s}}}`, asn)
	d.screen.Title("$ kubectl patch switch %s --type=merge -p '%s'    # by mistake the ASN of spine1", cutOff, patch)
	if _, err := d.kubectl.run(ctx, "patch", "switch", cutOff, "--type=merge", "-p", patch); err != nil {
		return err
	}
	begin := time.Now()
	d.screen.Progress("waiting until %s is cut off", cutOff)
	if err := d.waitSessions(ctx, nil); err != nil {
		return err
	}
	if err := d.setManagement(ctx, false); err != nil {
		return err
	}
	d.screen.Step("%s has lost BGP on all uplinks after %s, and its management port is down with them: nobody can tell it anything", cutOff, since(begin))
	if err := d.waitSessions(ctx, uplinks[cutOff]); err != nil {
		return err
	}
	d.screen.Step("%s has BGP on all uplinks again %s after the mistake: it took the change back without the API server", cutOff, since(begin))
	return d.showMatrix(ctx, "Who reaches whom while "+cutOff+" cannot be managed yet", matrix.VPCRules())
}

// waitSessions waits until the leaf has BGP sessions over these ports and no others.
func (d *Demo) waitSessions(ctx context.Context, ports []string) error {
	return until(ctx, "BGP is not as it should be", func(ctx context.Context) (string, error) {
		sessions, err := d.sessions(ctx, []string{cutOff})
		if have := established(sessions[cutOff]); err == nil && !slices.Equal(have, ports) {
			return fmt.Sprintf("%s has sessions over %v, and should over %v", cutOff, have, ports), nil
		}
		return "", err
	})
}

// setManagement switches the leaf's port of the management network on or off.
func (d *Demo) setManagement(ctx context.Context, up bool) error {
	client, err := rack.Of(d.lab)
	if err != nil {
		return err
	}
	return client.SetLink(ctx, cabling.End{Node: cutOff, Port: management}, up)
}

// reconnect lets the leaf speak to the API server again, and shows what it says.
func (d *Demo) reconnect(ctx context.Context) error {
	if err := d.setManagement(ctx, true); err != nil {
		return err
	}
	begin := time.Now()
	d.screen.Progress("waiting for what %s says", cutOff)
	if err := d.waitConfirmed(ctx, "RolledBack"); err != nil {
		return err
	}
	d.screen.Step("the management port is up again, and %s says after %s what it did", cutOff, since(begin))
	return d.showOutputs(ctx, `get switchconfig `+cutOff+` -o custom-columns=SWITCH:.metadata.name,CONFIRMED:.status.conditions[?(@.type=="Confirmed")].message`,
		`get switch `+cutOff+` -o custom-columns=SWITCH:.metadata.name,UNDERLAY:.status.conditions[?(@.type=="Underlay")].message`)
}

// correct takes the mistake away: what the leaf has becomes what it should have.
func (d *Demo) correct(ctx context.Context) error {
	const patch = `[{"op":"remove","path":"/spec/bgp"}]`
	d.screen.Title("$ kubectl patch switch %s --type=json -p '%s'", cutOff, patch)
	if _, err := d.kubectl.run(ctx, "patch", "switch", cutOff, "--type=json", "-p", patch); err != nil {
		return err
	}
	begin := time.Now()
	d.screen.Progress("waiting until %s is Ready", cutOff)
	err := until(ctx, cutOff+" is not Ready", func(ctx context.Context) (string, error) {
		text, err := d.kubectl.run(ctx, "get", "switchconfig", cutOff, "-o",
			`jsonpath={.metadata.generation} {.status.appliedGeneration} {.status.conditions[?(@.type=="Ready")].status}`)
		state := strings.Fields(text)
		if err == nil && (len(state) != 3 || state[0] != state[1] || state[2] != "True") {
			return "generation, applied generation and Ready are " + text, nil
		}
		return "", err
	})
	if err != nil {
		return err
	}
	d.screen.Step("%s is Ready with the corrected change after %s", cutOff, since(begin))
	return d.showMatrix(ctx, "Who reaches whom now", matrix.VPCRules())
}
