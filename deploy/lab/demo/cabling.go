package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/rack"
)

// showCables waits until LLDP has found every cable, and nothing else.
func (d *Demo) showCables(ctx context.Context) error {
	begin := time.Now()
	d.screen.Progress("waiting until LLDP has found the cables")
	cables, err := d.cables(ctx)
	if err != nil {
		return err
	}
	err = until(ctx, "the Links are not the cables", func(ctx context.Context) (string, error) {
		var links v1alpha1.LinkList
		if err := d.kubectl.list(ctx, "links", &links); err != nil {
			return "", err
		}
		return differ(cables, confirmed(links.Items)), nil
	})
	if err != nil {
		return err
	}
	d.screen.Step("found all %d cables by LLDP after %s", len(cables), since(begin))
	return d.showOutputs(ctx, `get links`, `get hosts -l rack`)
}

// cables are those that the kernel has.
func (d *Demo) cables(ctx context.Context) ([]cabling.Cable, error) {
	client, err := rack.Of(d.lab)
	if err != nil {
		return nil, err
	}
	ends, err := client.Cables(ctx)
	var cables []cabling.Cable
	for _, s := range ends {
		if s.Far != (cabling.End{}) && s.End.Compare(s.Far) < 0 {
			cables = append(cables, cabling.New(s.End, s.Far))
		}
	}
	return cables, err
}

// confirmed are the cables that both ends have told of.
func confirmed(links []v1alpha1.Link) []cabling.Cable {
	var cables []cabling.Cable
	for _, l := range links {
		if l.Status.State == v1alpha1.LinkConfirmed {
			cables = append(cables, cabling.New(end(l.Status.Ends[0]), end(l.Status.Ends[1])))
		}
	}
	return cables
}

func end(e v1alpha1.LinkEnd) cabling.End { return cabling.End{Node: e.Object(), Port: e.Interface()} }

// differ says how the cables that were found differ from those that there are.
func differ(want, found []cabling.Cable) string {
	var wrong []string
	for _, c := range want {
		if !slices.Contains(found, c) {
			wrong = append(wrong, fmt.Sprintf("%s to %s is not found", c.A, c.B))
		}
	}
	for _, c := range found {
		if !slices.Contains(want, c) {
			wrong = append(wrong, fmt.Sprintf("%s to %s is found and not there", c.A, c.B))
		}
	}
	return strings.Join(wrong, ", ")
}

// showUnderlay waits until every switch routes over every cable to another one.
func (d *Demo) showUnderlay(ctx context.Context) error {
	begin := time.Now()
	d.screen.Progress("waiting for the underlay")
	uplinks, err := d.uplinks(ctx)
	if err != nil {
		return err
	}
	err = until(ctx, "the underlay is not as the cables are", func(ctx context.Context) (string, error) {
		var configs v1alpha1.SwitchConfigList
		if err := d.kubectl.list(ctx, "switchconfigs", &configs); err != nil {
			return "", err
		}
		return d.unrouted(uplinks, configs.Items), nil
	})
	if err != nil {
		return err
	}
	d.screen.Step("the underlay is in force on %d switches after %s", len(uplinks), since(begin))
	err = d.showOutputs(ctx, `get switchconfigs -o custom-columns=SWITCH:.metadata.name,ASN:.spec.bgp.asn,ROUTER-ID:.spec.bgp.routerID,`+
		`VTEP:.spec.vtep,BGP-OVER:.spec.bgp.uplinks,MADE-ROUTED:.spec.uplinks,ROUTED:.status.conditions[?(@.type=="Routed")].reason`)
	if err != nil {
		return err
	}
	return d.showSessions(ctx, uplinks)
}

// uplinks are the ports of all switches that are cabled to other switches.
func (d *Demo) uplinks(ctx context.Context) (map[string][]string, error) {
	nodes, err := d.lab.Nodes()
	if err != nil {
		return nil, err
	}
	cables, err := d.cables(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, n := range nodes {
		if n.Role != "" {
			all[n.Name] = uplinksOf(n.Name, cables)
		}
	}
	return all, nil
}

// uplinksOf are the ports of a switch that are cabled to other switches.
func uplinksOf(name string, cables []cabling.Cable) []string {
	var ports []string
	for _, c := range cables {
		for _, way := range [][2]cabling.End{{c.A, c.B}, {c.B, c.A}} {
			if way[0].Node == name && strings.HasPrefix(way[1].Port, "Ethernet") {
				ports = append(ports, way[0].Port)
			}
		}
	}
	slices.SortFunc(ports, cabling.CompareNames)
	return ports
}

// unrouted says which switches do not route over their uplinks yet.
func (d *Demo) unrouted(uplinks map[string][]string, configs []v1alpha1.SwitchConfig) string {
	var wrong []string
	left := len(uplinks)
	for _, c := range configs {
		want, ours := uplinks[c.Name]
		if !ours {
			continue
		}
		left--
		switch {
		case len(want) == 0:
		case c.Spec.BGP == nil || !slices.Equal(c.Spec.BGP.Uplinks, want):
			wrong = append(wrong, fmt.Sprintf("%s: the uplinks should be %v, and bgp is %+v", c.Name, want, c.Spec.BGP))
		case c.Status.AppliedGeneration != c.Generation:
			wrong = append(wrong, c.Name+" has not applied it")
		case d.lab.FRR && !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConfigRouted):
			wrong = append(wrong, c.Name+": FRR does not have it yet")
		}
	}
	if left > 0 {
		wrong = append(wrong, fmt.Sprintf("%d switches have no SwitchConfig", left))
	}
	return strings.Join(wrong, "; ")
}
