// Package release has the commands of kubectl switchlet release: what kubectl
// rollout is to a Deployment, they are to a NOSRelease.
package release

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/kubeconfig"
)

// options are the flags of all commands.
type options struct {
	cluster           kubeconfig.Flags
	namespace, output string
	dryRun            bool
}

// Command is kubectl switchlet release.
func Command() *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:   "release",
		Short: "See, approve, pause and undo releases of the switches' services",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return fmt.Errorf("say what to do with the release: see %s --help", c.CommandPath())
		},
	}
	o.cluster.AddTo(c)
	f := c.PersistentFlags()
	f.StringVar(&o.namespace, "release-namespace", "switchlet-system", "namespace of the DaemonSets, as the controller has it")
	c.AddCommand(
		o.reading("status NAME", "Show where a release is, switch by switch", o.status),
		o.reading("history NAME", "Show the revisions of a release", o.history),
		o.undoCommand(),
		o.changing("pause NAME", "Keep a release from touching another switch", o.pause),
		o.changing("resume NAME", "Let a release go on that was paused, or has stopped", o.resume),
		o.approveCommand(),
	)
	return c
}

// act is what a command does with a release.
type act func(c *cobra.Command, kube client.Client, r *v1alpha1.NOSRelease) error

// reading is a command that changes nothing.
func (o *options) reading(use, short string, do act) *cobra.Command {
	c := o.command(use, short, do)
	c.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	return c
}

// changing is a command that changes the release.
func (o *options) changing(use, short string, do act) *cobra.Command {
	c := o.command(use, short, do)
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "have the API server look at the change, and leave it at that")
	return c
}

func (o *options) command(use, short string, do act) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if o.output != "" && o.output != "text" && o.output != "json" {
				return fmt.Errorf("--output %q: it must be text or json", o.output)
			}
			kube, err := o.cluster.Client(appsv1.AddToScheme)
			if err != nil {
				return err
			}
			var r v1alpha1.NOSRelease
			if err := kube.Get(c.Context(), client.ObjectKey{Name: args[0]}, &r); err != nil {
				return fmt.Errorf("get NOSRelease %s: %w", args[0], err)
			}
			return do(c, kube, &r)
		},
	}
}

// patch changes a release as it was read: if somebody else did meanwhile, it is refused.
func (o *options) patch(ctx context.Context, kube client.Client, before, after *v1alpha1.NOSRelease) error {
	var options []client.PatchOption
	if o.dryRun {
		options = append(options, client.DryRunAll)
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := kube.Patch(ctx, after, patch, append(options, client.FieldOwner("kubectl-switchlet"))...); err != nil {
		return fmt.Errorf("change NOSRelease %s: %w", before.Name, err)
	}
	return nil
}

// say tells what was done.
func (o *options) say(c *cobra.Command, r *v1alpha1.NOSRelease, what string) error {
	if o.dryRun {
		what += " (dry run)"
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "nosrelease.%s/%s %s\n", v1alpha1.Group, r.Name, what)
	return err
}

func annotate(r metav1.Object, key, value string) {
	all := r.GetAnnotations()
	if all == nil {
		all = map[string]string{}
	}
	all[key] = value
	r.SetAnnotations(all)
}
