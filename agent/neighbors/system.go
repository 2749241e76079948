package neighbors

import (
	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// system is a switch as others hear it.
type system struct {
	Name      string `json:"name"`
	ChassisID string `json:"chassisID"`
	// ChassisIDSubtype of ChassisID.
	ChassisIDSubtype v1alpha1.ChassisIDSubtype `json:"chassisIDSubtype"`
}

// Fields of LLDP_LOC_CHASSIS in APPL_DB (sonic-dbsyncd, lldp_syncd/daemon.py).
const (
	locChassisSubtype = "lldp_loc_chassis_id_subtype"
	locChassis        = "lldp_loc_chassis_id"
	locSystemName     = "lldp_loc_sys_name"
)

// localChassis is the switch as SONiC's lldp service sends it. It reports false
// for a row that is not there, as without any neighbour, or not written to its
// end.
func localChassis(row map[string]string) (system, bool) {
	subtype := chassisSubtype(row[locChassisSubtype])
	s := system{Name: neighbor.Text(row[locSystemName]), ChassisID: neighbor.ID(string(subtype), row[locChassis]), ChassisIDSubtype: subtype}
	return s, s.Name != "" && s.ChassisID != "" && subtype != ""
}

// ownSystem is the switch by DEVICE_METADATA|localhost: what its lldp service
// would send, and what the agent sends without one.
func ownSystem(metadata sonic.Fields) system {
	return system{
		Name: neighbor.Text(value(metadata, "hostname")), ChassisIDSubtype: v1alpha1.ChassisMACAddress,
		ChassisID: neighbor.ID(string(v1alpha1.ChassisMACAddress), value(metadata, "mac")),
	}
}

// port is a port on the front panel, as others hear it.
type port struct {
	// Alias is the port id, and Description what goes with it, as SONiC's
	// lldpmgrd has them.
	Alias       string
	Description string
}

// newPort is a port by its row in PORT.
func newPort(name string, row sonic.Fields) port {
	p := port{Alias: neighbor.Text(value(row, "alias")), Description: neighbor.Text(value(row, "description"))}
	if p.Alias == "" {
		p.Alias = name
	}
	if p.Description == "" {
		p.Description = name
	}
	return p
}

func value(fields sonic.Fields, name string) string {
	v, _ := fields.Get(name)
	return v
}
