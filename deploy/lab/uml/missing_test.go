package uml_test

import (
	"os"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

// What a kernel lacks is the same when it is asked twice, and asking changes nothing.
func TestMissingLeavesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		labtest.Missing(t, "network namespaces need root")
	}
	before, network := links(t)
	first := uml.Missing()
	t.Logf("this kernel lacks %q", first)
	if second := uml.Missing(); !slices.Equal(first, second) {
		t.Errorf("Missing() = %q, and then %q", first, second)
	}
	after, now := links(t)
	if before != after || network != now {
		t.Errorf("%d links in %s before, %d in %s after", before, network, after, now)
	}
}

func links(t *testing.T) (number int, network string) {
	t.Helper()
	all, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	own, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	return len(all), own.UniqueId()
}
