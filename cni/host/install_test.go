package main

import (
	"strings"
	"testing"
)

func TestInstallOptions(t *testing.T) {
	o, err := parseInstall([]string{"--to", "/host/opt/cni/bin"}, "/")
	if want := (installOptions{from: "/switchlet", to: "/host/opt/cni/bin"}); err != nil || o != want {
		t.Errorf("%+v, %v, want %+v", o, err, want)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "--to is empty"},
		{[]string{"/opt/cni/bin"}, `unknown argument "/opt/cni/bin"`},
	} {
		if _, err := parseInstall(c.args, "/"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.args, err, c.want)
		}
	}
}
