package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/cni/host/nics"
)

func TestOptions(t *testing.T) {
	o, err := parse([]string{"--nics", "eth*,ens1"}, "host1")
	if err != nil || o.node != "host1" || o.interval != 30*time.Second || o.rules.Sysfs != nics.DefaultSysfs || !slices.Equal(o.rules.Names, []string{"eth*", "ens1"}) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, c := range []struct {
		args []string
		node string
		want string
	}{
		{nil, "", "NODE_NAME"},
		{[]string{"--nics", "eth["}, "host1", `--nics: pattern "eth["`},
		{[]string{"eth0"}, "host1", `unknown argument "eth0"`},
		{[]string{"--cni-config", "/etc/cni/net.d", "--cni-network", "a/b/c"}, "host1", "--cni-config without --cni-socket"},
		{[]string{"--cni-socket", "/s", "--cni-network", "a/b/c"}, "host1", "--cni-network without --cni-config"},
		{[]string{"--cni-socket", "/s", "--cni-config", "/etc/cni/net.d"}, "host1", `--cni-network is "": it has to be NAMESPACE/VPC/SUBNET`},
		{[]string{"--cni-socket", "/s", "--cni-config", "/etc/cni/net.d", "--cni-network", "a//c"}, "host1", `--cni-network is "a//c"`},
	} {
		if _, err := parse(c.args, c.node); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.args, err, c.want)
		}
	}
}
