package dockertest

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// Container is the name of SONiC's container with FRR.
const Container = "bgp"

// The container's first process, as SONiC's supervisord, goes on when a daemon of
// FRR's ends.
const entry = "/usr/lib/frr/zebra -d -P 0 && /usr/lib/frr/bgpd -d -P 0 && exec sleep infinity"

// StartFRR runs this machine's zebra and bgpd in a container and waits until they
// answer. The network is the daemon's own.
func (d *Daemon) StartFRR(t testing.TB) {
	t.Helper()
	const image = "switchlet/frr"
	archive := filepath.Join(d.dir, "frr.tar")
	writeImage(t, archive)
	d.Docker(t, "import", archive, image)
	d.Docker(t, "run", "--detach", "--name", Container, "--network", "host", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_ADMIN",
		"--security-opt", "seccomp=unconfined", image, "/bin/sh", "-c", entry)
	d.WaitForFRR(t)
}

// WaitForFRR waits until FRR answers in its container.
func (d *Daemon) WaitForFRR(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		out, err := d.docker("exec", Container, "vtysh", "-d", "bgpd", "-c", "show version")
		if err == nil && strings.Contains(out, "FRRouting") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("FRR does not answer in its container: %v: %s", err, out)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// frrUser is the owner of FRR's files in the image.
const frrUser = 100

// writeImage makes an archive of FRR with the libraries that it needs.
func writeImage(t testing.TB, archive string) {
	t.Helper()
	file, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(file)
	for name, text := range map[string]string{
		"/etc/passwd":          "root:x:0:0::/:/bin/sh\nfrr:x:100:100::/:/bin/sh\n",
		"/etc/group":           "root:x:0:\nfrr:x:100:\nfrrvty:x:101:frr\n",
		"/etc/pam.d/frr":       "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
		"/etc/frr/zebra.conf":  "",
		"/etc/frr/bgpd.conf":   "",
		"/etc/frr/vtysh.conf":  "",
		"/run/frr/placeholder": "",
		"/var/tmp/placeholder": "",
		"/tmp/placeholder":     "",
		"/var/lib/frr/old":     "",
	} {
		add(t, w, tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}, strings.NewReader(text))
	}
	for _, dir := range []string{"/run/frr", "/etc/frr", "/var/lib/frr"} {
		add(t, w, tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, Uid: frrUser, Gid: frrUser}, nil)
	}
	// In Debian, and so in SONiC's containers, /var/run is a link.
	add(t, w, tar.Header{Typeflag: tar.TypeSymlink, Name: "/var/run", Linkname: "/run"}, nil)
	for _, path := range programs(t) {
		addFile(t, w, path)
	}
	if err := errors.Join(w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
}

// programs are FRR's, a shell, and all libraries of theirs.
func programs(t testing.TB) []string {
	t.Helper()
	labtest.Program(t, "vtysh", "frr")
	all := []string{"/usr/lib/frr/zebra", "/usr/lib/frr/bgpd", "/usr/bin/vtysh", "/bin/sh", "/bin/sleep", "/bin/cat"}
	pam, err := filepath.Glob("/lib/*/security/pam_permit.so")
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, pam...)
	out, err := exec.Command("ldd", all...).Output()
	if err != nil {
		t.Fatalf("ldd: %v", err)
	}
	for _, word := range strings.Fields(string(out)) {
		if strings.HasPrefix(word, "/") && !strings.HasSuffix(word, ":") && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return all
}

func addFile(t testing.TB, w *tar.Writer, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	add(t, w, tar.Header{Name: path, Mode: 0o755, Size: info.Size()}, file)
}

func add(t testing.TB, w *tar.Writer, header tar.Header, content io.Reader) {
	t.Helper()
	header.Name = strings.TrimPrefix(header.Name, "/")
	if err := w.WriteHeader(&header); err != nil {
		t.Fatal(err)
	}
	if content == nil {
		return
	}
	if _, err := io.Copy(w, content); err != nil {
		t.Fatal(err)
	}
}
