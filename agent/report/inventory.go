package report

import (
	"maps"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// Look fills in what the rows of CONFIG_DB say. Rows in the ledger are the
// agent's, all others are of others.
func (i *Inventory) Look(rows sonic.DB, owned sonic.Ledger) {
	i.Metadata = sonic.Metadata(rows)
	i.Ports = nil
	for _, port := range sonic.Ports(rows, owned.Has) {
		i.Ports = append(i.Ports, switchPort(port))
	}
	vnis := map[bool]map[int32]bool{true: {}, false: {}}
	vlans, vteps := map[int32]bool{}, map[string]bool{}
	for key, fields := range rows {
		row := sonic.Row{Key: key, Fields: fields}
		own := owned.Has(key)
		if vni, ok := row.VNI(); ok {
			vnis[own][int32(vni)] = true
		}
		if vtep, ok := row.TunnelSource(); ok && own {
			vteps[vtep] = true
		}
		if vlan, ok := key.VLAN(); ok && !own && !owned.Has(sonic.VLANKey(vlan)) {
			vlans[int32(vlan)] = true
		}
	}
	i.VNIs, i.ForeignVNIs = sorted(vnis[true]), sorted(vnis[false])
	i.ForeignVLANs, i.VTEPs = sorted(vlans), slices.Sorted(maps.Keys(vteps))
}

func sorted(set map[int32]bool) []int32 { return slices.Sorted(maps.Keys(set)) }

func switchPort(p sonic.Port) v1alpha1.SwitchPort {
	port := v1alpha1.SwitchPort{
		Name: p.Name, Alias: cut(p.Alias, 128), SpeedMbps: int32(min(p.Speed, 1<<31-1)), AdminUp: p.AdminUp, NativeVLAN: int32(p.NativeVLAN),
	}
	switch {
	case p.PortChannel != "":
		port.Use, port.UsedBy = v1alpha1.PortUsePortChannelMember, cut(p.PortChannel, 128)
	case p.Routed != sonic.Key{}:
		port.Use, port.UsedBy = v1alpha1.PortUseRouted, cut(p.Routed.String(), 128)
	}
	return port
}

// cut bounds what comes from the switch to what the API takes.
func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
