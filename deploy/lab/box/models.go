package box

import (
	"embed"
	"fmt"
)

// Release of SONiC, as far as its YANG models tell the releases apart.
type Release string

// The releases that differ in how an anycast gateway is said.
const (
	// Release202405 has no way to say it.
	Release202405 Release = "202405"
	// Release202505 has VLAN_INTERFACE.mac_addr.
	Release202505 Release = "202505"
	// ReleaseMaster has mac_addr and SAG|GLOBAL with
	// VLAN_INTERFACE.static_anycast_gateway.
	ReleaseMaster Release = "master"
)

//go:embed models
var models embed.FS

// models are the YANG files of the release, by name. They are this project's
// own short forms of SONiC's: the lists and leaves, without the constraints.
func (r Release) models() (map[string]string, error) {
	files := map[string]string{}
	switch r {
	case Release202405:
		files["sonic-vlan.yang"] = "models/vlan-202405.yang"
	case Release202505:
		files["sonic-vlan.yang"] = "models/vlan-202505.yang"
	case ReleaseMaster:
		files["sonic-vlan.yang"] = "models/vlan-master.yang"
		files["sonic-static-anycast-gateway.yang"] = "models/sag-master.yang"
	default:
		return nil, fmt.Errorf("release %q is not known: it must be %s, %s or %s", string(r), Release202405, Release202505, ReleaseMaster)
	}
	for name, file := range files {
		text, err := models.ReadFile(file)
		if err != nil {
			return nil, err
		}
		files[name] = string(text)
	}
	return files, nil
}
