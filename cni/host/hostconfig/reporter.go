package hostconfig

import (
	"log/slog"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/object"
)

// Reporter writes the status of a HostConfig, when it has changed.
type Reporter struct{ *object.Writer }

// settle keeps the status out of the way of the spec's next change, which follows as soon
// as a switch has what a new network needs: each write of one is a conflict for the other.
const settle = time.Second

// NewReporter is one for the HostConfig of a node. The client is one of
// object.NewClient.
func NewReporter(client rest.Interface, node string, report func() attach.Report, log *slog.Logger) *Reporter {
	return &Reporter{object.NewWriter(hostConfig(client, node), func(seen object.Seen, now time.Time) (any, []metav1.Condition) {
		s := status(report(), seen.Revision, seen.Generation, seen.Conditions, now)
		return s, s.Conditions
	}, settle, log)}
}

// Saw takes the HostConfig as it is at the API server, nil if there is none.
func (r *Reporter) Saw(c *v1alpha1.HostConfig) {
	var seen object.Seen
	if c != nil {
		seen = object.Seen{UID: c.UID, Generation: c.Generation, Revision: c.Spec.Revision, Conditions: c.Status.Conditions}
	}
	r.Writer.Saw(seen)
}
