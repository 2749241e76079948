package meta

import (
	"encoding/json"
	"testing"
)

// A NetworkAttachmentDefinition has one plugin or a list of them, and both are called as
// a list.
func TestListOf(t *testing.T) {
	for name, config := range map[string]string{
		"one":  `{"cniVersion": "1.0.0", "name": "web", "type": "switchlet", "vpc": "blue", "capabilities": {"ips": true}}`,
		"list": `{"cniVersion": "1.0.0", "name": "web", "plugins": [{"type": "switchlet", "vpc": "blue", "capabilities": {"ips": true}}]}`,
	} {
		list, err := listOf(delegate{Config: json.RawMessage(config)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if list.Name != "web" || list.CNIVersion != "1.0.0" || len(list.Plugins) != 1 || list.Plugins[0].Network.Type != "switchlet" || !declared(list, "ips") || declared(list, "mac") {
			t.Errorf("%s: %s of version %s has %s", name, list.Name, list.CNIVersion, list.Bytes)
		}
	}
	for name, config := range map[string]string{"no JSON": `{`, "no plugin": `{"cniVersion": "1.0.0", "name": "web"}`} {
		if list, err := listOf(delegate{Config: json.RawMessage(config)}); err == nil {
			t.Errorf("%s: %s", name, list.Bytes)
		}
	}
}
