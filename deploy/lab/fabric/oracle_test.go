package fabric

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strconv"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
)

// oracle says which rows each leaf should have. It is a second opinion: it
// starts from what the test asked for, takes from the API server nothing but
// the identifiers that were chosen, and shares no code with planner or agent.
type oracle struct {
	vpcs        map[types.NamespacedName]*v1alpha1.VPC
	attachments map[types.NamespacedName]*v1alpha1.VPCAttachment
}

// chosen are the identifiers that the controller chose.
type chosen struct {
	vni     map[v1alpha1.Holder]string
	vtep    map[string]string
	vlan    map[types.NamespacedName]int32 // of attachments
	transit map[string]map[string]int32    // L3 VNI → VLAN, by leaf
}

func (o oracle) rows(ctx context.Context, c client.Client, leaves []string) (map[string]box.Rows, error) {
	ids, err := identifiers(ctx, c)
	if err != nil {
		return nil, err
	}
	out := map[string]box.Rows{}
	for _, leaf := range leaves {
		out[leaf] = underlay(ids.vtep[leaf])
	}
	for name, a := range o.attachments {
		vpc := o.vpcs[types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.VPC}]
		if vpc == nil {
			continue
		}
		for _, s := range vpc.Spec.Subnets {
			if s.Name == a.Spec.Subnet {
				leaf := a.Spec.Port.Switch
				maps.Copy(out[leaf], ids.attachment(leaf, name, a, s))
			}
		}
	}
	return out, nil
}

func identifiers(ctx context.Context, c client.Client) (*chosen, error) {
	ids := &chosen{map[v1alpha1.Holder]string{}, map[string]string{}, map[types.NamespacedName]int32{}, map[string]map[string]int32{}}
	var allocations v1alpha1.AllocationList
	var attachments v1alpha1.VPCAttachmentList
	var configs v1alpha1.SwitchConfigList
	for _, list := range []client.ObjectList{&allocations, &attachments, &configs} {
		if err := c.List(ctx, list); err != nil {
			return nil, err
		}
	}
	for _, a := range allocations.Items {
		if a.Spec.Pool == v1alpha1.PoolVTEP {
			ids.vtep[a.Spec.Holder.Name] = a.Spec.Value
		} else if a.DeletionTimestamp == nil {
			if other, ok := ids.vni[a.Spec.Holder]; ok {
				return nil, fmt.Errorf("%s holds both VNI %s and %s", a.Spec.Holder, other, a.Spec.Value)
			}
			ids.vni[a.Spec.Holder] = a.Spec.Value
		}
	}
	for _, a := range attachments.Items {
		ids.vlan[client.ObjectKeyFromObject(&a)] = a.Status.VLAN
	}
	for _, c := range configs.Items {
		ids.transit[c.Name] = map[string]int32{}
		for _, v := range c.Spec.VRFs {
			ids.transit[c.Name][strconv.Itoa(int(v.VNI))] = v.VLAN
		}
	}
	return ids, nil
}

// underlay is what a leaf has before any VPC.
func underlay(vtep string) box.Rows {
	return box.Rows{
		"LOOPBACK_INTERFACE|Loopback1":                 null(),
		"LOOPBACK_INTERFACE|Loopback1|" + vtep + "/32": null(),
		"VXLAN_TUNNEL|switchlet":                       {"src_ip": vtep},
		"VXLAN_EVPN_NVO|switchlet":                     {"source_vtep": "switchlet"},
	}
}

func null() map[string]string { return map[string]string{"NULL": "NULL"} }

// attachment is what one attachment puts on its leaf.
func (c *chosen) attachment(leaf string, name types.NamespacedName, a *v1alpha1.VPCAttachment, s v1alpha1.Subnet) box.Rows {
	owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: a.Namespace, Name: a.Spec.VPC}
	l2 := c.vni[v1alpha1.Holder{ObjectReference: owner, Subnet: s.Name}]
	l3 := c.vni[v1alpha1.Holder{ObjectReference: owner}]
	vlan := strconv.Itoa(int(c.vlan[name]))
	transit := strconv.Itoa(int(c.transit[leaf][l3]))
	mode := map[v1alpha1.AttachmentMode]string{v1alpha1.ModeTagged: "tagged", v1alpha1.ModeNative: "untagged"}[a.Spec.Mode]
	rows := box.Rows{
		"VLAN|Vlan" + vlan:    {"vlanid": vlan, "description": "switchlet " + a.Namespace + "/" + a.Spec.VPC + "/" + s.Name},
		"VLAN|Vlan" + transit: {"vlanid": transit, "description": "switchlet " + a.Namespace + "/" + a.Spec.VPC},
		"VLAN_MEMBER|Vlan" + vlan + "|" + a.Spec.Port.Name:         {"tagging_mode": mode},
		"VXLAN_TUNNEL_MAP|switchlet|map_" + l2 + "_Vlan" + vlan:    {"vlan": "Vlan" + vlan, "vni": l2},
		"VXLAN_TUNNEL_MAP|switchlet|map_" + l3 + "_Vlan" + transit: {"vlan": "Vlan" + transit, "vni": l3},
		"VRF|Vrf" + l3:                  {"vni": l3},
		"VLAN_INTERFACE|Vlan" + transit: {"vrf_name": "Vrf" + l3},
		"VLAN_INTERFACE|Vlan" + vlan:    {"grat_arp": "enabled", "vrf_name": "Vrf" + l3, "mac_addr": "00:00:5e:00:01:01"},
	}
	for i, cidr := range s.CIDRs {
		network := netip.MustParsePrefix(cidr)
		gateway := network.Addr().Next().String()
		if i < len(s.Gateways) {
			gateway = s.Gateways[i]
		}
		rows["VLAN_INTERFACE|Vlan"+vlan+"|"+gateway+"/"+strconv.Itoa(network.Bits())] = null()
	}
	return rows
}
