package link_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// The kernel announces the pod's addresses, asks nobody whether they are free, and
// does not believe routers, whatever new devices have by default there.
func TestAttachTunes(t *testing.T) {
	r := newRig(t)
	both, four := r.pod(7, request.Macvlan), r.pod(8, request.Macvlan)
	four.i.Addresses, four.i.IPv6 = four.i.Addresses[:1], false
	const standard = "/proc/sys/net/ipv6/conf/default/disable_ipv6"
	nettest.In(t, both.path, func() error { return os.WriteFile(standard, []byte("1"), 0) })
	for p, want := range map[*pod]map[string]string{
		both: {"ipv4/conf/net1/arp_notify": "1", "ipv6/conf/net1/accept_ra": "0", "ipv6/conf/net1/accept_dad": "0", "ipv6/conf/net1/disable_ipv6": "0"},
		four: {"ipv4/conf/net1/arp_notify": "1", "ipv6/conf/net1/disable_ipv6": "1"},
	} {
		if _, err := r.kernel.Attach(p.file, p.i); err != nil {
			t.Fatal(err)
		}
		nettest.In(t, p.path, func() error {
			for name, value := range want {
				got, err := os.ReadFile(filepath.Join("/proc/sys/net", name))
				if err != nil || strings.TrimSpace(string(got)) != value {
					t.Errorf("%s is %s, error %v, want %s", name, got, err, value)
				}
			}
			return nil
		})
	}
}

// Many pods that come at once get what each asks for.
func TestAttachAtOnce(t *testing.T) {
	r := newRig(t)
	errs := make(chan error)
	const pods = 16
	for n := range pods {
		p := r.pod(byte(10+n), request.Macvlan)
		go func() {
			_, err := r.kernel.Attach(p.file, p.i)
			if err == nil {
				err = r.kernel.Check(p.file, p.i)
			}
			errs <- err
		}()
	}
	for range pods {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
