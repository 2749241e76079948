package release

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// revision is one entry of the history.
type revision struct {
	Number  int64     `json:"revision"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	// Wanted is true for the one that the release rolls out, or has.
	Wanted   bool                      `json:"wanted"`
	Images   []string                  `json:"images"`
	Services []v1alpha1.ReleaseService `json:"services"`
}

// revisions are those of a release, the newest first.
func (o *options) revisions(ctx context.Context, kube client.Client, r *v1alpha1.NOSRelease) ([]revision, error) {
	var list appsv1.ControllerRevisionList
	if err := kube.List(ctx, &list, client.InNamespace(o.namespace), client.MatchingLabels{v1alpha1.LabelHistory: r.Name}); err != nil {
		return nil, fmt.Errorf("list the revisions of NOSRelease %s: %w", r.Name, err)
	}
	out := []revision{}
	for i := range list.Items {
		item := &list.Items[i]
		one := revision{Number: item.Revision, Name: item.Name, Created: item.CreationTimestamp.Time, Wanted: item.Name == r.Status.Revision}
		var data struct{ Services []v1alpha1.ReleaseService }
		if err := json.Unmarshal(item.Data.Raw, &data); err != nil {
			return nil, fmt.Errorf("ControllerRevision %s/%s: %w", item.Namespace, item.Name, err)
		}
		one.Services = data.Services
		for _, s := range data.Services {
			one.Images = append(one.Images, s.Image)
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b revision) int { return cmp.Compare(b.Number, a.Number) })
	return out, nil
}

func (o *options) history(c *cobra.Command, kube client.Client, r *v1alpha1.NOSRelease) error {
	all, err := o.revisions(c.Context(), kube, r)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return printJSON(c.OutOrStdout(), all)
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "REVISION\tNAME\tAGE\tIMAGES")
	for _, one := range all {
		number := fmt.Sprint(one.Number)
		if one.Wanted {
			number += " *"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", number, one.Name, duration.HumanDuration(time.Since(one.Created)), strings.Join(short(one.Images), " "))
	}
	return w.Flush()
}

// short are images with as much of their digests as tells them apart.
func short(images []string) []string {
	var out []string
	for _, image := range images {
		name, digest, _ := strings.Cut(image, "@sha256:")
		out = append(out, name[strings.LastIndex(name, "/")+1:]+"@"+digest[:min(12, len(digest))])
	}
	return out
}

func (o *options) status(c *cobra.Command, _ client.Client, r *v1alpha1.NOSRelease) error {
	if o.output == "json" {
		return printJSON(c.OutOrStdout(), r.Status)
	}
	return printStatus(c.OutOrStdout(), r, time.Now())
}

func printStatus(out io.Writer, r *v1alpha1.NOSRelease, now time.Time) error {
	s := r.Status
	fmt.Fprintf(out, "%s: %s, %s switches\n", r.Name, cmp.Or(string(s.Phase), "not looked at yet"), cmp.Or(s.Progress, "0/0"))
	if s.Message != "" {
		fmt.Fprintf(out, "  %s\n", s.Message)
	}
	if s.Stop != nil {
		fmt.Fprintf(out, "  To try again: kubectl switchlet release resume %[1]s. To go back: kubectl switchlet release undo %[1]s.\n", r.Name)
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "SWITCH\tGROUP\tPHASE\tFOR\tWHY")
	for _, sw := range s.Switches {
		age := ""
		if sw.Since != nil {
			age = duration.HumanDuration(now.Sub(sw.Since.Time))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", sw.Name, sw.Group, sw.Phase, age, strings.TrimPrefix(strings.Join([]string{sw.Reason, sw.Message}, ": "), ": "))
	}
	return w.Flush()
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
