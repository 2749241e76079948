package cni_test

import (
	"encoding/json"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/images/archive"
)

// witness is the rest of the specification of a pod whose first process looks whether it
// has its network.
const witness = `"terminationGracePeriodSeconds":1,"automountServiceAccountToken":false,"dnsPolicy":"Default",
	"containers":[{"name":"c","image":"switchlet.io/witness:dev","imagePullPolicy":"Never","args":["eth0"]}]`

// image gives a host's containerd an image with one of the programs.
func (l *forwarding) image(t *testing.T, host, program, reference string, others ...string) {
	t.Helper()
	for i := range others {
		others[i] = filepath.Join(l.programs, others[i])
	}
	name := strings.NewReplacer("/", "-", ":", "-").Replace(reference) + ".tar"
	_, err := archive.Write(filepath.Join(l.node(host), "cni", name), archive.Image{
		Reference: reference, Program: filepath.Join(l.programs, program), Others: others, Architecture: runtime.GOARCH,
	})
	must(t, err)
	l.load(t, host, name)
}

// load has a host's containerd take images of the host's folder, by a pattern.
func (l *forwarding) load(t *testing.T, host, names string) {
	t.Helper()
	l.do("exec", host, "sh", "-c", `cd /opt/cni/bin && for archive in $1; do ctr --address /run/containerd/containerd.sock --namespace k8s.io images import --snapshotter "$(
		sed -n 's/.* snapshotter = "\(.*\)"/\1/p' /etc/containerd/config.toml)" $archive || exit 1; done`, "sh", names)
}

// testimony is what the first process of a pod has found, see deploy/cni/witness.
type testimony struct {
	Addresses  map[string][]string `json:"addresses"`
	AnsweredMS float64             `json:"answeredMs"`
	Missing    string              `json:"missing"`
}

// witnessed fails if any first process of a pod that the hosts have logs of was without
// its network, and returns how many said something, by namespace/name of the pod.
func (l *forwarding) witnessed(t *testing.T) map[string]int {
	t.Helper()
	starts, answers := l.starts(t)
	if len(answers) == 0 {
		t.Fatal("no pod has said anything")
	}
	slices.Sort(answers)
	t.Logf("%d first processes of %d pods had their network; their gateways answered within %.1f ms, at most %.1f",
		len(answers), len(starts), answers[len(answers)/2], answers[len(answers)-1])
	return starts
}

// starts is the same, and how long each gateway took, in milliseconds.
func (l *forwarding) starts(t *testing.T) (starts map[string]int, answers []float64) {
	t.Helper()
	starts = map[string]int{}
	for _, host := range l.hosts {
		text := l.do("exec", host, "sh", "-c", `cd /var/log/pods && for f in tenant-*/c/*.log; do [ -e "$f" ] && sed "s|^|$f |" "$f"; done; true`)
		for line := range strings.Lines(text) {
			file, rest, _ := strings.Cut(line, " ")
			at := strings.Index(rest, "{")
			if at < 0 {
				continue
			}
			var said testimony
			if err := json.Unmarshal([]byte(rest[at:]), &said); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			words := strings.SplitN(file, "_", 3) // namespace_name_uid/c/0.log
			starts[words[0]+"/"+words[1]]++
			answers = append(answers, said.AnsweredMS)
			if said.Missing != "" {
				t.Errorf("a process of pod %s/%s on %s was there before its network: %s", words[0], words[1], host, said.Missing)
			}
		}
	}
	return starts, answers
}
