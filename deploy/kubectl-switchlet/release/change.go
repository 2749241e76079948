package release

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

func (o *options) pause(c *cobra.Command, kube client.Client, r *v1alpha1.NOSRelease) error {
	if r.Spec.Paused {
		return o.say(c, r, "is paused already")
	}
	after := r.DeepCopy()
	after.Spec.Paused = true
	if err := o.patch(c.Context(), kube, r, after); err != nil {
		return err
	}
	return o.say(c, r, "paused")
}

// resume ends a pause, and a stop: what stopped is tried again.
func (o *options) resume(c *cobra.Command, kube client.Client, r *v1alpha1.NOSRelease) error {
	after, stop := r.DeepCopy(), r.Status.Stop
	after.Spec.Paused = false
	if stop != nil {
		annotate(after, v1alpha1.AnnotationRetry, stop.Retry)
	}
	if !r.Spec.Paused && stop == nil {
		return o.say(c, r, "is neither paused nor stopped")
	}
	if err := o.patch(c.Context(), kube, r, after); err != nil {
		return err
	}
	if stop != nil {
		return o.say(c, r, fmt.Sprintf("resumed: it tries %s again", stop.Switch))
	}
	return o.say(c, r, "resumed")
}

func (o *options) approveCommand() *cobra.Command {
	all := false
	c := o.changing("approve NAME", "Let a release go on to the next group", func(c *cobra.Command, kube client.Client, r *v1alpha1.NOSRelease) error {
		return o.approve(c, kube, r, all)
	})
	c.Flags().BoolVar(&all, "all", false, "approve all groups of this revision")
	return c
}

func (o *options) approve(c *cobra.Command, kube client.Client, r *v1alpha1.NOSRelease, all bool) error {
	what := r.Status.Approval
	switch {
	case r.Status.Revision == "":
		return fmt.Errorf("NOSRelease %s has no revision yet: see its status", r.Name)
	case all:
		what = r.Status.Revision + "=all"
	case what == "":
		return fmt.Errorf("NOSRelease %s does not wait for an approval: %s: %s", r.Name, r.Status.Phase, r.Status.Message)
	}
	after := r.DeepCopy()
	annotate(after, v1alpha1.AnnotationApproved, what)
	if err := o.patch(c.Context(), kube, r, after); err != nil {
		return err
	}
	return o.say(c, r, "approved: "+strings.TrimPrefix(what, r.Status.Revision+"="))
}

func (o *options) undoCommand() *cobra.Command {
	number := int64(0)
	c := o.changing("undo NAME", "Go back to the services of an earlier revision", func(c *cobra.Command, kube client.Client, r *v1alpha1.NOSRelease) error {
		return o.undo(c, kube, r, number)
	})
	c.Flags().Int64Var(&number, "to-revision", 0, "number of the revision in history; 0 for the one before")
	return c
}

// undo puts the services of an earlier revision into the spec: the release goes
// back as it came, switch by switch.
func (o *options) undo(c *cobra.Command, kube client.Client, r *v1alpha1.NOSRelease, number int64) error {
	all, err := o.revisions(c.Context(), kube, r)
	if err != nil {
		return err
	}
	to, err := choose(all, number)
	if err != nil {
		return fmt.Errorf("NOSRelease %s: %w", r.Name, err)
	}
	after := r.DeepCopy()
	after.Spec.Services = to.Services
	if err := o.patch(c.Context(), kube, r, after); err != nil {
		return err
	}
	return o.say(c, r, fmt.Sprintf("goes back to revision %d: %s", to.Number, strings.Join(to.Images, ", ")))
}

// choose is the revision with a number, or the one before the wanted one. All are
// in order, the newest first.
func choose(all []revision, number int64) (revision, error) {
	for i, one := range all {
		switch {
		case number != 0 && one.Number == number && one.Wanted:
			return revision{}, fmt.Errorf("revision %d is what the spec says already", number)
		case number != 0 && one.Number == number:
			return one, nil
		case number == 0 && one.Wanted && i+1 < len(all):
			return all[i+1], nil
		}
	}
	if number != 0 {
		return revision{}, fmt.Errorf("there is no revision %d: see history", number)
	}
	return revision{}, errors.New("there is no revision to go back to")
}
