package maintenance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Finding is what a check found.
type Finding struct {
	// Values are the names of what works; of one that counts routes it is
	// one number.
	Values []string
	// Err says why it cannot be told.
	Err error
	// Wrong says what keeps the switch from being touched, for a check that has to
	// hold before.
	Wrong string
}

// Bounds of the API.
const (
	maxValue   = 256
	maxMessage = 1024
)

// before is the result of a check before anything is changed.
func before(check v1alpha1.SwitchCheck, f Finding) v1alpha1.SwitchCheckResult {
	out := v1alpha1.SwitchCheckResult{Name: string(check), Before: text(check, f.Values), OK: f.Err == nil && f.Wrong == "", Message: cut(f.Wrong, maxMessage)}
	if f.Err != nil {
		out.Message = cut(f.Err.Error(), maxMessage)
	}
	return out
}

// after compares with what was before. known says whether that is known.
func after(check v1alpha1.SwitchCheck, was []string, known bool, f Finding) v1alpha1.SwitchCheckResult {
	out := v1alpha1.SwitchCheckResult{Name: string(check), Before: text(check, was), After: text(check, f.Values)}
	switch {
	case f.Err != nil:
		out.Message = f.Err.Error()
	case !known:
		out.Message = "What was before is not known any more: the agent's folder was lost. Begin anew."
	case f.Wrong != "":
		out.Message = f.Wrong
	case counted(check) != "":
		out.Message = fewer(counted(check), number(was), number(f.Values))
	default:
		out.Message = lacking(check, was, f.Values)
	}
	out.OK, out.Message = out.Message == "", cut(out.Message, maxMessage)
	return out
}

// counted is what a check counts; empty for one that has names.
func counted(check v1alpha1.SwitchCheck) string {
	switch check {
	case v1alpha1.CheckEVPNRoutes:
		return "EVPN routes"
	case v1alpha1.CheckInstalledRoutes:
		return "routes that zebra had of BGP's"
	}
	return ""
}

// fewer says that routes are missing.
func fewer(what string, was, is int) string {
	if is*10 >= was*9 {
		return ""
	}
	return fmt.Sprintf("%d of %d %s are left", is, was, what)
}

// lacking names what worked before and does not.
func lacking(check v1alpha1.SwitchCheck, was, is []string) string {
	var gone []string
	for _, name := range was {
		if !slices.Contains(is, name) {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return ""
	}
	what := map[v1alpha1.SwitchCheck]string{
		v1alpha1.CheckBGPSessions: "not established: ", v1alpha1.CheckUplinks: "not up: ",
		v1alpha1.CheckLLDPNeighbors: "not heard: ", v1alpha1.CheckContainersHealthy: "not running: ",
		v1alpha1.CheckAgentConverged: "not in force: ",
	}[check]
	return what + strings.Join(gone, ", ")
}

// text is the value of a check for people.
func text(check v1alpha1.SwitchCheck, values []string) string {
	switch {
	case counted(check) != "":
		return strconv.Itoa(number(values))
	case len(values) == 0:
		return "none"
	}
	return cut(fmt.Sprintf("%d: %s", len(values), strings.Join(values, ", ")), maxValue)
}

// number is the value of a check that counts.
func number(values []string) int {
	if len(values) != 1 {
		return 0
	}
	n, err := strconv.Atoi(values[0])
	if err != nil {
		return 0
	}
	return n
}

func cut(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}
