package release

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// grace is how many seconds longer than the controller's own deadlines a switch waits for it
// before it lets traffic back by itself.
const grace = 60

// Requested is what the agent of a switch is asked for in its phase.
func Requested(in Inputs, s *Switch, r *v1alpha1.ReleaseSwitchStatus) *v1alpha1.SwitchMaintenance {
	strategy := in.Release.Spec.Strategy
	out := &v1alpha1.SwitchMaintenance{Release: in.Release.Name, Pass: r.Pass, Images: images(in, r.Services, to), Drain: r.Drain}
	check := func(stage v1alpha1.CheckStage) { out.Checks, out.Stage = strategy.Checks, stage }
	var name string
	switch r.Phase {
	case v1alpha1.SwitchPulling:
		name = "pull"
	case v1alpha1.SwitchPrechecking:
		name = "before"
		check(v1alpha1.StageBefore)
	case v1alpha1.SwitchDraining, v1alpha1.SwitchReplacing:
		name, out.Force = "replace", r.Drain && strategy.Drain.Force
		out.DeadlineSeconds = strategy.Drain.TimeoutSeconds + strategy.ProgressDeadlineSeconds + grace
	case v1alpha1.SwitchVerifying:
		name, out.DeadlineSeconds = "after", strategy.ProgressDeadlineSeconds+grace
		out.Force = r.Drain && strategy.Drain.Force
		check(v1alpha1.StageAfter)
	case v1alpha1.SwitchUndraining, v1alpha1.SwitchSoaking:
		name, out.Drain = "soak", false
		check(v1alpha1.StageAfter)
	case v1alpha1.SwitchRollingBack: // its services are broken: it cannot become worse
		name, out.Images, out.Force = "back", images(in, r.Services, from), r.Drain
	case v1alpha1.SwitchRestoring, v1alpha1.SwitchReleasing:
		name, out.Images, out.Drain = "undrain", nil, false
	default:
		return nil
	}
	if out.Drain {
		out.SingleHomed = s.SingleHomed
	} else {
		out.DeadlineSeconds = 0
	}
	out.Step = stepOf(name, out)
	return out
}

// ByHand is what the agent of a switch is asked for while spec.drained of the Switch
// is true and no release works on it.
func ByHand(sw *v1alpha1.Switch, singleHomed []v1alpha1.SingleHomedHost) *v1alpha1.SwitchMaintenance {
	out := &v1alpha1.SwitchMaintenance{Pass: "by-hand", Drain: true, Force: sw.Spec.ForceDrain, SingleHomed: singleHomed}
	out.Step = stepOf("drain", out)
	return out
}

// stepOf names a step after all that is in it: it is another one when something in
// it is, as when somebody edits the list of checks meanwhile.
func stepOf(name string, m *v1alpha1.SwitchMaintenance) string {
	data, err := json.Marshal(m)
	if err != nil { // it is made of texts
		panic(err)
	}
	sum := fnv.New32a()
	sum.Write(data)
	return fmt.Sprintf("%s/%s-%08x", m.Pass, name, sum.Sum32())
}

func from(c v1alpha1.ReleaseServiceChange) string { return c.From }
func to(c v1alpha1.ReleaseServiceChange) string   { return c.To }

// images are those that changes need, sorted. One of a revision that nobody
// knows any more is on the switch as long as its pod is.
func images(in Inputs, changes []v1alpha1.ReleaseServiceChange, side func(v1alpha1.ReleaseServiceChange) string) []string {
	var out []string
	for _, c := range changes {
		out = append(out, in.Images[side(c)]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// answer is what the agent says to the present request; nil as long as it speaks of
// an earlier one.
func answer(in Inputs, s *Switch, r *v1alpha1.ReleaseSwitchStatus) *v1alpha1.MaintenanceStatus {
	wanted := Requested(in, s, r)
	if wanted == nil || s.Answer == nil || s.Answer.ObservedStep != wanted.Step {
		return nil
	}
	return s.Answer
}

// lacking are the images that the agent does not have yet.
func lacking(in Inputs, r *v1alpha1.ReleaseSwitchStatus, a *v1alpha1.MaintenanceStatus) []string {
	var out []string
	for _, image := range images(in, r.Services, to) {
		if a == nil || !slices.Contains(a.PulledImages, image) {
			out = append(out, image)
		}
	}
	return out
}
