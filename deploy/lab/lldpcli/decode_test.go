package lldpcli_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
)

// The files in testdata are what lldpcli 1.0.16 printed on a leaf of the lab.
func open(t testing.TB, name string) *os.File {
	t.Helper()
	file, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func switchSystem(name, mac, address string) lldpcli.Chassis {
	return lldpcli.Chassis{
		ID: lldpcli.ID{Type: "mac", Value: mac}, Name: name,
		Description: "SONiC Software Version: SONiC.202505.0-lab - HwSku: Accton-AS7726-32X - Distribution: Debian 12.10 - Kernel: 6.1.0-29-2-amd64",
		Management:  []string{address},
		Capabilities: []lldpcli.Capability{
			{Type: "Bridge", Enabled: true}, {Type: "Router", Enabled: true}, {Type: "Wlan"}, {Type: "Station"},
		},
	}
}

func TestNeighborsOfARealLLDPD(t *testing.T) {
	got, err := lldpcli.DecodeInterfaces(open(t, "neighbors.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := []lldpcli.Interface{{
		Name: "Ethernet124", RID: "1", Age: 105 * time.Second,
		Chassis: switchSystem("spine1", "52:54:00:5c:00:03", "198.18.0.12"),
		Port:    lldpcli.Port{ID: lldpcli.ID{Type: "local", Value: "Eth1"}, Description: "Ethernet0"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("neighbours (-want +got):\n%s", diff)
	}
}

func TestInterfacesOfARealLLDPD(t *testing.T) {
	got, err := lldpcli.DecodeInterfaces(open(t, "interfaces.json"))
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]lldpcli.Port{}
	for _, i := range got {
		ports[i.Name] = i.Port
	}
	for name, want := range map[string]lldpcli.Port{
		"eth0":        {ID: lldpcli.ID{Type: "local", Value: "eth0"}, Description: "eth0"},
		"Ethernet124": {ID: lldpcli.ID{Type: "local", Value: "Eth32"}, Description: "Ethernet124"},
	} {
		if diff := cmp.Diff(want, ports[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestChassisOfARealLLDPD(t *testing.T) {
	got, err := lldpcli.DecodeChassis(open(t, "chassis.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(switchSystem("leaf2", "52:54:00:5c:00:02", "198.18.0.11"), got); diff != "" {
		t.Errorf("chassis (-want +got):\n%s", diff)
	}
}

func TestNobodyIsThere(t *testing.T) {
	got, err := lldpcli.DecodeInterfaces(strings.NewReader(`{"lldp": [{}]}`))
	if err != nil || len(got) != 0 {
		t.Errorf("DecodeInterfaces() = %v, %v, want none", got, err)
	}
}

func TestAge(t *testing.T) {
	for _, test := range []struct {
		text string
		want time.Duration
	}{
		{"0 day, 00:00:07", 7 * time.Second},
		{"1 day, 02:03:04", 26*time.Hour + 3*time.Minute + 4*time.Second},
		{"12 days, 23:59:59", 312*time.Hour - time.Second},
	} {
		got, err := lldpcli.DecodeInterfaces(strings.NewReader(`{"lldp": [{"interface": [{"name": "Ethernet0", "age": "` + test.text + `"}]}]}`))
		if err != nil || got[0].Age != test.want {
			t.Errorf("%s = %v, %v, want %s", test.text, got, err, test.want)
		}
	}
}

func TestWhatLLDPDDoesNotPrint(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":             "",
		"no list":             `{"lldp": {}}`,
		"an age":              `{"lldp": [{"interface": [{"name": "Ethernet0", "age": "too much"}]}]}`,
		"an age below zero":   `{"lldp": [{"interface": [{"name": "Ethernet0", "age": "0 day, 00:00:-1"}]}]}`,
		"a number as a value": `{"lldp": [{"interface": [{"port": [{"descr": [{"value": 1}]}]}]}]}`,
		"too long":            `{"lldp": "` + strings.Repeat("x", 5<<20) + `"}`,
		"too many":            `{"lldp": [{"interface": [` + strings.Repeat("{},", 4096) + `{}]}]}`,
	} {
		if got, err := lldpcli.DecodeInterfaces(strings.NewReader(text)); err == nil {
			t.Errorf("%s: DecodeInterfaces() = %d interfaces, want an error", name, len(got))
		}
	}
	if got, err := lldpcli.DecodeChassis(strings.NewReader(`{"local-chassis": [{}]}`)); err == nil {
		t.Errorf("no chassis: DecodeChassis() = %v, want an error", got)
	}
}

// Whatever an lldpcli prints, decoding ends, and never with more interfaces
// than there is text for.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"neighbors.json", "interfaces.json", "chassis.json"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := lldpcli.DecodeInterfaces(bytes.NewReader(text))
		if err != nil && list != nil {
			t.Errorf("%d interfaces beside the error %v", len(list), err)
		}
		if len(list) > len(text) {
			t.Errorf("%d interfaces from %d bytes", len(list), len(text))
		}
		for _, i := range list {
			if i.Age < 0 {
				t.Errorf("age %s", i.Age)
			}
		}
		_, _ = lldpcli.DecodeChassis(bytes.NewReader(text))
	})
}
