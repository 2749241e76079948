package reconcile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
	"github.com/switchlet/switchlet/controller/release/service"
)

// revision is what a ControllerRevision of a NOSRelease keeps: the words of the
// spec, which going back puts into it again, and what was made of them.
type revision struct {
	Services []v1alpha1.ReleaseService `json:"services"`
	Resolved []service.Service         `json:"resolved"`

	object appsv1.ControllerRevision
}

// history are the revisions of a release, the newest first.
type history []revision

// images by the hash of the pod template.
func (h history) images() map[string][]string {
	out := map[string][]string{}
	for _, s := range h.services() {
		out[s.Hash] = s.Images()
	}
	return out
}

// services are all versions that are known.
func (h history) services() []service.Service {
	var out []service.Service
	for _, r := range h {
		out = append(out, r.Resolved...)
	}
	return out
}

func (h history) named(name string) (revision, bool) {
	i := slices.IndexFunc(h, func(r revision) bool { return r.object.Name == name })
	if i < 0 {
		return revision{}, false
	}
	return h[i], true
}

func (r revision) target() release.Target {
	t := release.Target{Revision: r.object.Name}
	for _, s := range r.Resolved {
		t.Services = append(t.Services, release.Service{Name: s.Name, Hash: s.Hash, Disruptive: s.Disruptive})
	}
	return t
}

// history reads the revisions of a release.
func (r *releaseReconciler) history(ctx context.Context, rel *v1alpha1.NOSRelease) (history, error) {
	var list appsv1.ControllerRevisionList
	if err := r.workloads.List(ctx, &list, client.InNamespace(r.namespace), client.MatchingLabels{v1alpha1.LabelHistory: rel.Name}); err != nil {
		return nil, fmt.Errorf("list the revisions of NOSRelease %s: %w", rel.Name, err)
	}
	var out history
	for _, o := range list.Items {
		one := revision{object: o}
		if err := json.Unmarshal(o.Data.Raw, &one); err != nil {
			return nil, fmt.Errorf("ControllerRevision %s/%s cannot be read: delete it: %w", o.Namespace, o.Name, err)
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b revision) int { return cmp.Compare(b.object.Revision, a.object.Revision) })
	return out, nil
}

// target is what every switch has to run: the revision of the spec, which is made
// if there is none. If the spec is wrong it is what was being rolled out before,
// if anything, and wrong says why.
func (r *releaseReconciler) target(ctx context.Context, rel *v1alpha1.NOSRelease, h history, f *fleet) (_ release.Target, wrong, err error) {
	name, err := revisionName(rel)
	if err != nil {
		return release.Target{}, nil, err
	}
	if one, ok := h.named(name); ok {
		return one.target(), nil, r.renumber(ctx, rel, h, one)
	}
	made := revision{Services: rel.Spec.Services}
	wrong = wrongIn(rel)
	for _, s := range rel.Spec.Services {
		resolved, err := service.Resolve(rel.Name, s, f.deployed)
		if err != nil && wrong == nil {
			wrong = err
		}
		made.Resolved = append(made.Resolved, resolved)
	}
	if wrong != nil {
		before, _ := h.named(rel.Status.Revision)
		return before.target(), wrong, nil
	}
	if made.object, err = r.revisionObject(rel, name, h, made); err != nil {
		return release.Target{}, nil, err
	}
	if err := r.Create(ctx, &made.object); err != nil && !apierrors.IsAlreadyExists(err) {
		return release.Target{}, nil, fmt.Errorf("create ControllerRevision %s: %w", name, err)
	}
	return release.Target{}, nil, fmt.Errorf("%w: ControllerRevision %s", errNotSeenYet, name)
}

// wrongIn is what the API server could not see of a spec.
func wrongIn(rel *v1alpha1.NOSRelease) error {
	if rel.Spec.Switches.Selector != nil {
		if _, err := metav1.LabelSelectorAsSelector(rel.Spec.Switches.Selector); err != nil {
			return fmt.Errorf("spec.switches.selector: %w", err)
		}
	}
	for _, c := range rel.Spec.Checks {
		if c.Pod != nil {
			if _, err := checkTemplate(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// revisionName is made of the services' words, so that the same words are the
// same revision.
func revisionName(rel *v1alpha1.NOSRelease) (string, error) {
	data, err := json.Marshal(rel.Spec.Services)
	if err != nil {
		return "", fmt.Errorf("encode the services of NOSRelease %s: %w", rel.Name, err)
	}
	sum := sha256.Sum256(data)
	return rel.Name + "-" + hex.EncodeToString(sum[:5]), nil
}

func (r *releaseReconciler) revisionObject(rel *v1alpha1.NOSRelease, name string, h history, made revision) (appsv1.ControllerRevision, error) {
	data, err := json.Marshal(made)
	if err != nil {
		return appsv1.ControllerRevision{}, fmt.Errorf("encode ControllerRevision %s: %w", name, err)
	}
	owner := metav1.NewControllerRef(rel, v1alpha1.GroupVersion().WithKind("NOSRelease"))
	return appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: r.namespace, Name: name, Labels: map[string]string{v1alpha1.LabelRelease: rel.Name, v1alpha1.LabelHistory: rel.Name},
			OwnerReferences: []metav1.OwnerReference{*owner},
		},
		Data: runtime.RawExtension{Raw: data}, Revision: h.newest() + 1,
	}, nil
}

func (h history) newest() int64 {
	if len(h) == 0 {
		return 0
	}
	return h[0].object.Revision
}

// renumber makes the wanted revision the newest, as kubectl rollout does, and
// forgets those beyond the limit.
func (r *releaseReconciler) renumber(ctx context.Context, rel *v1alpha1.NOSRelease, h history, wanted revision) error {
	if wanted.object.Revision < h.newest() {
		o := wanted.object.DeepCopy()
		o.Revision = h.newest() + 1
		if err := r.Update(ctx, o); ignoreRaces(err) != nil {
			return fmt.Errorf("number ControllerRevision %s: %w", o.Name, err)
		}
		return nil
	}
	for i := range h {
		keep := i <= int(max(1, rel.Spec.RevisionHistoryLimit)) || h[i].object.Name == rel.Status.Revision || h[i].object.Name == rel.Status.RolledOutRevision
		if keep {
			continue
		}
		if err := r.Delete(ctx, &h[i].object); ignoreRaces(err) != nil {
			return fmt.Errorf("delete ControllerRevision %s: %w", h[i].object.Name, err)
		}
	}
	return nil
}
