package link

import (
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/cni/host/request"
)

// Mark is what the interface of a pod says of itself, as its alias: enough to know
// whose it is when the agent's own files are lost.
type Mark struct {
	request.Key
	VNI  int32
	Mode request.Mode
	// Default: it has the pod's default route.
	Default bool
	// Device in mode sriov.
	Device string
	// Network is the name of the configuration.
	Network string
	Pod     request.Pod
}

const (
	// markPrefix begins a mark, and says its version.
	markPrefix = "switchlet/1"
	// maxAlias is the most that the kernel takes, in octets (Linux, if.h: IFALIASZ,
	// with its end).
	maxAlias = 255
	// nothing is in the place of a word that there is not.
	nothing = "-"
	// withDefault follows a mode.
	withDefault = "+default"
)

// Alias is the mark as the kernel keeps it. What does not fit is left out, the
// pod's name first: its uid says as much.
func (m Mark) Alias() string {
	mode := string(m.Mode)
	if m.Default {
		mode += withDefault
	}
	pod := ""
	if m.Pod.Name != "" {
		pod = m.Pod.String()
	}
	text := markPrefix
	for _, w := range []string{m.ContainerID, strconv.Itoa(int(m.VNI)), mode, m.Device, m.Pod.UID, m.Network, pod} {
		if w == "" || strings.ContainsAny(w, " \n\x00") || len(text)+1+len(w) > maxAlias-2*len(" -") {
			w = nothing
		}
		text += " " + w
	}
	return text
}

// ParseMark reads the alias of an interface; ok is false for one of somebody else.
func ParseMark(alias, ifName string) (m Mark, ok bool) {
	words := strings.Split(alias, " ")
	if len(words) != 8 || words[0] != markPrefix {
		return Mark{}, false
	}
	for i, w := range words {
		if w == nothing {
			words[i] = ""
		}
	}
	vni, err := strconv.ParseUint(words[2], 10, 24)
	if err != nil || vni == 0 {
		return Mark{}, false
	}
	mode, isDefault := strings.CutSuffix(words[3], withDefault)
	m = Mark{Key: request.Key{ContainerID: words[1], IfName: ifName}, VNI: int32(vni), Mode: request.Mode(mode), Default: isDefault, Device: words[4], Network: words[6]}
	m.Pod.UID = words[5]
	m.Pod.Namespace, m.Pod.Name, _ = strings.Cut(words[7], "/")
	return m, m.Valid() && (m.Mode == request.Macvlan || m.Mode == request.Bridge || m.Mode == request.SRIOV)
}
