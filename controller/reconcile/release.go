package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

const (
	// releaseOwner is the name under which spec.maintenance of SwitchConfigs is
	// applied: apart from the compiled spec, so that each comes and goes alone.
	releaseOwner = "switchlet-release"
	// releaseFinalizer keeps a NOSRelease until no switch is being worked on.
	releaseFinalizer = v1alpha1.Group + "/release"
	// afterWrite is how soon to look again when something was written.
	afterWrite = time.Millisecond
	// checkEvery is how often Prometheus is asked.
	checkEvery = 5 * time.Second
)

// releaseReconciler brings NOSReleases to the switches. It looks at all of them at
// once, one call at a time, since no two may work on switches of one group. It
// reads them from the API server itself: what the cache does not show yet of one
// release would let another begin where that one has begun.
type releaseReconciler struct {
	client.Client
	live      client.Reader
	workloads cache.Cache // DaemonSets, their pods, Jobs, ControllerRevisions of releases
	events    events.EventRecorder
	metrics   *releaseMetrics
	http      *http.Client // of Prometheus checks
	namespace string       // of all that is made
	// drainsTold is, by switch, how far its drain was when it was last told of.
	drainsTold map[string]string
}

// SetupRelease adds what brings NOSReleases to the switches. DaemonSets and Jobs
// are made in the given namespace.
func SetupRelease(mgr manager.Manager, namespace string) error {
	workloads, err := newWorkloadCache(mgr, namespace)
	if err != nil {
		return err
	}
	metrics, err := newReleaseMetrics()
	if err != nil {
		return err
	}
	r := &releaseReconciler{
		Client: mgr.GetClient(), live: mgr.GetAPIReader(), workloads: workloads, metrics: metrics, namespace: namespace,
		events: mgr.GetEventRecorder("switchlet-controller"), http: &http.Client{Timeout: checkTimeout},
	}
	err = builder.ControllerManagedBy(mgr).Named("release").
		Watches(&v1alpha1.NOSRelease{}, anyRelease()).
		Watches(&v1alpha1.Switch{}, anyRelease(), builder.WithPredicates(releaseSwitchChanged())).
		Watches(&v1alpha1.SwitchConfig{}, anyRelease(), builder.WithPredicates(maintenanceChanged())).
		Watches(&v1alpha1.Link{}, anyRelease(), builder.WithPredicates(cableChanged())).
		Watches(&corev1.Node{}, anyRelease(), builder.WithPredicates(releaseNodeChanged())).
		WatchesRawSource(source.Kind[client.Object](workloads, &appsv1.DaemonSet{}, anyRelease())).
		WatchesRawSource(source.Kind[client.Object](workloads, &corev1.Pod{}, anyRelease())).
		WatchesRawSource(source.Kind[client.Object](workloads, &batchv1.Job{}, anyRelease())).
		WatchesRawSource(source.Kind[client.Object](workloads, &appsv1.ControllerRevision{}, anyRelease())).
		WithOptions(options(1)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("set up the release reconciler: %w", err)
	}
	return nil
}

// anyRelease asks for all releases to be looked at.
func anyRelease() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{request(types.NamespacedName{Name: "releases"})}
	})
}

func (r *releaseReconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	var list v1alpha1.NOSReleaseList
	if err := r.live.List(ctx, &list); err != nil {
		return reconcile.Result{}, fmt.Errorf("list NOSReleases: %w", err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.NOSRelease) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	f, err := r.fleet(ctx, list.Items)
	if err != nil {
		return reconcile.Result{}, err
	}
	r.metrics.tell(list.Items)
	r.announceDrains(f)
	errs := []error{r.letGo(ctx, f), r.byHand(ctx, f)}
	var again time.Duration
	for i := range list.Items {
		after, err := r.release(ctx, &list.Items[i], f)
		errs = append(errs, err)
		if after > 0 && (again == 0 || after < again) {
			again = after
		}
		if after == afterWrite { // what the next one has to see of it was read before
			break
		}
	}
	if err := errors.Join(errs...); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: again}, nil
}

// release brings one release as far as it can go now. It returns when to look again.
func (r *releaseReconciler) release(ctx context.Context, rel *v1alpha1.NOSRelease, f *fleet) (time.Duration, error) {
	if gone, after, err := r.finalize(ctx, rel, f); gone || err != nil {
		return after, err
	}
	h, err := r.history(ctx, rel)
	if err != nil {
		return 0, err
	}
	target, wrong, err := r.target(ctx, rel, h, f)
	if errors.Is(err, errNotSeenYet) {
		return afterWrite, nil
	} else if err != nil {
		return 0, err
	}
	in := release.Inputs{Now: time.Now(), Release: rel, Target: target, Images: h.images(), Switches: f.switches(rel)}
	if wrong != nil && target.Revision == "" {
		return r.reject(ctx, rel, wrong)
	}
	if err := r.daemonSets(ctx, rel, h, release.InUse(in)); err != nil {
		return 0, err
	}
	if err := r.results(ctx, rel, in.Switches); err != nil {
		return 0, err
	}
	return r.proceed(ctx, in, f, wrong)
}

// proceed writes what is decided, or does what was.
func (r *releaseReconciler) proceed(ctx context.Context, in release.Inputs, f *fleet, wrong error) (time.Duration, error) {
	next := release.Next(in)
	wrote, err := r.writeRelease(ctx, in.Release, next, wrong)
	if wrote || err != nil {
		return afterWrite, err
	}
	if err := r.do(ctx, in.Release, release.Work(in), f); err != nil {
		return 0, err
	}
	after := release.Wake(in)
	if asksPrometheus(in.Release) && (after == 0 || after > checkEvery) {
		after = checkEvery
	}
	return after, nil
}

// finalize keeps a release that is deleted until no switch is being worked on: it
// is paused for good. It reports true when there is nothing more to do.
func (r *releaseReconciler) finalize(ctx context.Context, rel *v1alpha1.NOSRelease, f *fleet) (bool, time.Duration, error) {
	has := slices.Contains(rel.Finalizers, releaseFinalizer)
	switch {
	case rel.DeletionTimestamp.IsZero() && !has:
		rel.Finalizers = append(rel.Finalizers, releaseFinalizer)
	case rel.DeletionTimestamp.IsZero():
		return false, 0, nil
	case !has:
		return true, 0, nil
	case f.atWork(rel):
		rel.Spec.Paused = true
		return false, 0, nil
	default:
		rel.Finalizers = slices.DeleteFunc(rel.Finalizers, func(s string) bool { return s == releaseFinalizer })
	}
	if err := r.Update(ctx, rel, client.FieldOwner(FieldOwner)); ignoreRaces(err) != nil {
		return false, 0, fmt.Errorf("write the finalizers of NOSRelease %s: %w", rel.Name, err)
	}
	return true, afterWrite, nil
}
