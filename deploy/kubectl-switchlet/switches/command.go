// Package switches has the commands of kubectl switchlet switch.
package switches

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/kubeconfig"
)

// options are the flags of all commands.
type options struct {
	cluster       kubeconfig.Flags
	dryRun, force bool
}

// Command is kubectl switchlet switch.
func Command() *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:   "switch",
		Short: "Take traffic off a switch, and let it back",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return fmt.Errorf("say what to do with the switch: see %s --help", c.CommandPath())
		},
	}
	o.cluster.AddTo(c)
	drain := o.command("drain NAME", "Take traffic off a switch, and keep it off until it is let back", action{do: o.drain, says: o.cutOff})
	drain.Flags().BoolVar(&o.force, "force", false, "drain although there are hosts with no other way; their ports stay up")
	c.AddCommand(drain, o.command("undrain NAME", "Let traffic back to a switch", action{do: o.undrain}))
	return c
}

// action is what a command does.
type action struct {
	// do changes a switch, and says what it did.
	do func(s *v1alpha1.Switch) string
	// says, unless it is nil, adds what that means for others.
	says func(ctx context.Context, kube client.Reader, name string) (string, error)
}

func (o *options) command(use, short string, action action) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args[0], action) },
	}
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "have the API server look at the change, and leave it at that")
	return c
}

func (o *options) run(c *cobra.Command, name string, action action) error {
	kube, err := o.cluster.Client()
	if err != nil {
		return err
	}
	var before v1alpha1.Switch
	if err := kube.Get(c.Context(), client.ObjectKey{Name: name}, &before); err != nil {
		return fmt.Errorf("get Switch %s: %w", name, err)
	}
	after := before.DeepCopy()
	said := action.do(after)
	var options []client.PatchOption
	if o.dryRun {
		options = append(options, client.DryRunAll)
		said += " (dry run)"
	}
	patch := client.MergeFromWithOptions(&before, client.MergeFromWithOptimisticLock{})
	if err := kube.Patch(c.Context(), after, patch, append(options, client.FieldOwner("kubectl-switchlet"))...); err != nil {
		return fmt.Errorf("change Switch %s: %w", name, err)
	}
	if _, err := fmt.Fprintf(c.OutOrStdout(), "switch.%s/%s %s\n", v1alpha1.Group, name, said); err != nil || action.says == nil {
		return err
	}
	if said, err = action.says(c.Context(), kube, name); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), said)
	return err
}

func (o *options) drain(s *v1alpha1.Switch) string {
	was := s.Spec.Drained && s.Spec.ForceDrain == o.force
	s.Spec.Drained, s.Spec.ForceDrain = true, o.force
	if was {
		return "is to be drained already: " + now(s)
	}
	return "is to be drained. To wait for it: kubectl wait --for=condition=Drained switch/" + s.Name
}

func (o *options) undrain(s *v1alpha1.Switch) string {
	was := s.Spec.Drained
	s.Spec.Drained, s.Spec.ForceDrain = false, false
	if !was {
		return "is not drained by hand: " + now(s)
	}
	return "gets its traffic back. To wait for it: kubectl wait --for=condition=Drained=false switch/" + s.Name
}

// now is how the switch is.
func now(s *v1alpha1.Switch) string {
	c := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.SwitchDrained)
	if c == nil {
		return "its agent has not said yet how it is"
	}
	text := c.Reason
	if c.Status != metav1.ConditionTrue || c.Message != "" {
		text += ": " + c.Message
	}
	return text
}
