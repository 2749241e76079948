package box

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"text/template"
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

// models are this project's own short forms of those of SONiC's models that
// matter here: under the same names the same tables, keys and fields, with the
// constraints that a writer meets. Other tables have no model.
//
//go:embed models
var models embed.FS

// gateways are the fields by which the releases' models differ.
type gateways struct{ MACAddress, StaticAnycastGateway bool }

func (r Release) gateways() (gateways, error) {
	switch r {
	case Release202405:
		return gateways{}, nil
	case Release202505:
		return gateways{MACAddress: true}, nil
	case ReleaseMaster:
		return gateways{MACAddress: true, StaticAnycastGateway: true}, nil
	}
	return gateways{}, fmt.Errorf("release %q is not known: it must be %s, %s or %s", string(r), Release202405, Release202505, ReleaseMaster)
}

// sagModel is there only on a release that has the table.
const sagModel = "sonic-static-anycast-gateway.yang"

// models are the YANG files of the release, by name.
func (r Release) models() (map[string]string, error) {
	fields, err := r.gateways()
	if err != nil {
		return nil, err
	}
	all, err := template.ParseFS(models, "models/*")
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(models, "models")
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, entry := range entries {
		if entry.Name() == sagModel && !fields.StaticAnycastGateway {
			continue
		}
		var text strings.Builder
		if err := all.ExecuteTemplate(&text, entry.Name(), fields); err != nil {
			return nil, err
		}
		files[strings.TrimSuffix(entry.Name(), ".tmpl")] = text.String()
	}
	return files, nil
}
