package request_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/protocol"
)

func add(config, args string) protocol.Request {
	return protocol.Request{Command: "ADD", ContainerID: "c1", IfName: "net1", Args: args, Config: []byte(config)}
}

func TestParse(t *testing.T) {
	r, err := request.Parse(add(`{"cniVersion":"0.3.0","name":"blue","type":"switchlet","VNI":"1111","mtu":9000,"prevResult":null,
		"runtimeConfig":{"ips":["10.1.0.7/24","fd00::7"],"mac":"02:00:00:00:00:01"}}`, "IgnoreUnknown=1;K8S_POD_NAMESPACE=blue;K8S_POD_NAME=web-0;K8S_POD_UID=u;;X="))
	if err != nil {
		t.Fatal(err)
	}
	if r.VNI != 1111 || r.Mode != request.Macvlan || r.MTU != 9000 || r.MAC.String() != "02:00:00:00:00:01" || len(r.IPs) != 2 || r.IPs[0].String() != "10.1.0.7" ||
		r.Pod != (request.Pod{Namespace: "blue", Name: "web-0", UID: "u"}) || r.Name() != "VNI 1111" {
		t.Errorf("%+v", r)
	}
}

func TestModes(t *testing.T) {
	for config, want := range map[string]request.Mode{
		`"vpc":"b"`:                                                    request.Macvlan,
		`"vpc":"b","mode":"bridge"`:                                    request.Bridge,
		`"vpc":"b","deviceID":"0000:3b:02.1"`:                          request.SRIOV,
		`"vpc":"b","runtimeConfig":{"deviceID":"0000:3b:02.1"}`:        request.SRIOV,
		`"vpc":"b","mode":"sriov","prevResult":{"cniVersion":"1.0.0"}`: request.Chained,
		`"vpc":"b","mode":"macvlan","deviceID":"0000:3b:02.1"`:         request.Macvlan,
	} {
		r, err := request.Parse(add(`{"cniVersion":"1.0.0","name":"n",`+config+`}`, ""))
		if err != nil || r.Mode != want {
			t.Errorf("%s: mode %q, error %v", config, r.Mode, err)
		}
	}
}

// What is wrong is said with the name of the field, its value and what to do.
func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		request protocol.Request
		code    int
		want    string
	}{
		{add(`{`, ""), 6, "network configuration: unexpected end"},
		{add(`{"cniVersion":"0.2.0","vpc":"b"}`, ""), 1, `cniVersion is "0.2.0": it has to be one of [0.3.0`},
		{add(`{"cniVersion":"1.0.0","name":"n","vpc":"b","VNI":1}`, ""), 7, `network configuration "n": it names both vpc and VNI: say`},
		{add(`{"cniVersion":"1.0.0","name":"n","VNI":16777216}`, ""), 6, "VNI is 16777216"},
		{add(`{"cniVersion":"1.0.0","name":"n","VNI":0}`, ""), 6, "VNI is 0"},
		{add(`{"cniVersion":"1.0.0","name":"n","vpc":"b","mtu":100}`, ""), 7, "mtu is 100: it has to be from 576"},
		{add(`{"cniVersion":"1.0.0","name":"n","vpc":"b","master":"../eth0"}`, ""), 7, `master is "../eth0": it has to be the name of an interface`},
		{add(`{"cniVersion":"1.0.0","name":"n","vpc":"b","deviceID":"../../x"}`, ""), 7, `deviceID is "../../x"`},
		{add(`{"cniVersion":"1.0.0","name":"n","vpc":"b","runtimeConfig":{"ips":["10.1.0.300"]}}`, ""), 7, `the address asked for is "10.1.0.300"`},
		{add(`{"cniVersion":"1.0.0","name":"n","vpc":"b","runtimeConfig":{"mac":"00:00:00:00:00:00"}}`, ""), 7, `the MAC address asked for is "00:00:00:00:00:00"`},
		{add(`{"cniVersion":"1.0.0","name":"n","vpc":"b","runtimeConfig":{"ips":["10.1.0.3"],"ipam-claim-reference":"db"}}`, ""), 7, `for the IPAMClaim "db": ask for one`},
		{add(`{"cniVersion":"1.0.0","name":"n","vpc":"b"}`, "A"), 4, `CNI_ARGS: "A" is no KEY=VALUE`},
		{protocol.Request{Command: "ADD", ContainerID: "../x", IfName: "net1", Config: []byte(`{"cniVersion":"1.0.0","vpc":"b"}`)}, 4, `CNI_CONTAINERID is "../x"`},
		{protocol.Request{Command: "ADD", ContainerID: "c", IfName: "../../all", Config: []byte(`{"cniVersion":"1.0.0","vpc":"b"}`)}, 4, `CNI_IFNAME is "../../all"`},
		{protocol.Request{Command: "DEL", ContainerID: "c", IfName: "..", Config: []byte(`{"cniVersion":"1.0.0"}`)}, 4, `CNI_IFNAME is ".."`},
	} {
		_, err := request.Parse(c.request)
		var known *protocol.Error
		if !errors.As(err, &known) || known.Code != c.code || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v, want %d, %s", c.request.Config, c.request.Args, err, c.code, c.want)
		}
	}
}

// Whatever comes, the agent goes on, and what it takes is in bounds.
func FuzzParse(f *testing.F) {
	f.Add("c1", "net1", "K8S_POD_NAMESPACE=a", []byte(`{"cniVersion":"1.1.0","name":"n","VNI":"1","cni.dev/valid-attachments":[{"containerID":"c","ifname":"i"}]}`))
	f.Add("c2", "eth0", "", []byte(`{"cniVersion":"1.0.0","name":"n","vpc":"b","master":"bond0"}`))
	f.Add("", "", ";=;", []byte(`{"cniVersion":"0.3.0","prevResult":[],"runtimeConfig":{"ips":[""]}}`))
	f.Fuzz(func(t *testing.T, container, name, args string, config []byte) {
		for _, command := range []string{"ADD", "DEL", "GC"} {
			r, err := request.Parse(protocol.Request{Command: command, ContainerID: container, IfName: name, Args: args, Config: config})
			var known *protocol.Error
			switch {
			case err != nil && !errors.As(err, &known):
				t.Errorf("%s: %v is no error for a runtime", command, err)
			case err == nil && command == "ADD" && (r.IfName == "" || len(r.IfName) > 15 || strings.Contains(r.IfName, "/") || r.VNI < 0 || r.VNI >= 1<<24):
				t.Errorf("%+v", r)
			case err == nil && command == "ADD" && (len(r.Master) > 15 || strings.ContainsAny(r.Master, "/: ")):
				t.Errorf("master %q", r.Master)
			case err == nil && len(r.Previous) > 0 && !json.Valid(r.Previous):
				t.Errorf("prevResult %s", r.Previous)
			}
		}
	})
}

// A pod whose configuration makes no sense was never attached, and has to be able to end.
func TestDELBearsEveryConfiguration(t *testing.T) {
	for _, config := range []string{`{"cniVersion":"1.0.0","name":"n","VNI":"11x1"}`, `{"cniVersion":"7.0.0","vpc":"blue"}`, `{"vpc":1}`, `{`} {
		p := protocol.Request{Command: "DEL", ContainerID: "c", IfName: "eth0", Config: []byte(config)}
		if r, err := request.Parse(p); err != nil || r.Key != (request.Key{"c", "eth0"}) {
			t.Errorf("%s: %+v, error %v", config, r, err)
		}
		p.Command = "ADD"
		if _, err := request.Parse(p); err == nil {
			t.Errorf("%s: an ADD is not refused", config)
		}
	}
}
