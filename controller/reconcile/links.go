package reconcile

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// declared says whether somebody made a Link; the others are the controller's.
func declared(l *v1alpha1.Link) bool { return len(l.Spec.Ends) > 0 }

// foreign lets through what somebody else has done to a Link. A Link that was
// found and that somebody deletes is forgotten.
func (m *linkMemory) foreign() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			return declared(e.Object.(*v1alpha1.Link)) || !m.known[e.Object.GetName()]
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			is := e.ObjectNew.(*v1alpha1.Link)
			written, ok := m.written[is.Name]
			return e.ObjectOld.GetGeneration() != is.Generation || !ok || !equality.Semantic.DeepEqual(is.Status, written)
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			name := e.Object.GetName()
			was := m.known[name] || declared(e.Object.(*v1alpha1.Link))
			delete(m.known, name)
			return was
		},
	}
}

// links are the Links to build from: the declared ones as the cache has them,
// and of the others what is remembered. The first time, the cache tells.
func (m *linkMemory) links(have map[string]*v1alpha1.Link) []*v1alpha1.Link {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = make(map[string]bool, len(have))
		for name, l := range have {
			m.written[name] = l.Status
			m.known[name] = !declared(l)
		}
	}
	out := make([]*v1alpha1.Link, 0, len(have))
	for name, l := range have {
		if declared(l) {
			m.known[name] = false
			out = append(out, l)
		}
	}
	for name, known := range m.known {
		if known {
			out = append(out, &v1alpha1.Link{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: m.written[name]})
		}
	}
	return out
}

// withdraw forgets the links that are gone for longer than the time of grace and
// names them. It tells when to look again. Less than no grace is for ever.
func (m *linkMemory) withdraw(gone []topology.Link, grace time.Duration, now time.Time) (wait time.Duration, due map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	since := make(map[string]time.Time, len(gone))
	due = map[string]bool{}
	for _, l := range gone {
		start, ok := m.gone[l.Name]
		if !ok {
			start = now
		}
		left := grace - now.Sub(start)
		switch {
		case l.Declared || grace < 0:
		case left <= 0:
			due[l.Name] = true
			delete(m.known, l.Name)
			continue
		case wait == 0 || left < wait:
			wait = left
		}
		since[l.Name] = start
	}
	m.gone = since
	return wait, due
}

// remember takes over what there is now.
func (m *linkMemory) remember(want map[string]v1alpha1.LinkStatus, links []topology.Link) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written = want
	m.known = make(map[string]bool, len(links))
	for _, l := range links {
		m.known[l.Name] = !l.Declared
	}
}

// writeLinks makes, changes and deletes Links until they are as they should be.
// One that cannot be written keeps no other from it.
func (r topologyReconciler) writeLinks(ctx context.Context, links []topology.Link, have map[string]*v1alpha1.Link) error {
	want := make(map[string]v1alpha1.LinkStatus, len(links))
	for i := range links {
		want[links[i].Name] = linkStatus(&links[i], have[links[i].Name])
	}
	r.memory.remember(want, links)
	var g errgroup.Group
	g.SetLimit(workers)
	for i := range links {
		l := &links[i]
		if now := have[l.Name]; now == nil || !equality.Semantic.DeepEqual(now.Status, want[l.Name]) {
			g.Go(func() error { return r.writeLink(ctx, l, now, want[l.Name]) })
		}
	}
	for name, l := range have {
		if _, ok := want[name]; !ok && !declared(l) {
			g.Go(func() error {
				err := r.Delete(ctx, l.DeepCopy(), client.Preconditions{UID: &l.UID})
				if err = client.IgnoreNotFound(ignoreConflict(err)); err != nil {
					return fmt.Errorf("delete Link %s: %w", name, err)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

func (r topologyReconciler) writeLink(ctx context.Context, l *topology.Link, have *v1alpha1.Link, want v1alpha1.LinkStatus) error {
	if have == nil {
		if l.Declared {
			return nil // it was deleted a moment ago
		}
		have = &v1alpha1.Link{ObjectMeta: metav1.ObjectMeta{Name: l.Name, Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByController}}}
		if err := r.Create(ctx, have, client.FieldOwner(FieldOwner)); client.IgnoreAlreadyExists(err) != nil {
			return fmt.Errorf("create Link %s: %w", l.Name, err)
		}
	}
	r.announce(have, have.Status.Conditions, want.Conditions, v1alpha1.ConditionReady)
	return r.applyStatus(ctx, "Link", have, v1alpha1.LinkStatus{}, want)
}

// linkStatus is what a Link says, with the times of the conditions that it has.
func linkStatus(l *topology.Link, have *v1alpha1.Link) v1alpha1.LinkStatus {
	want := l.Status
	condition := metav1.Condition{Type: v1alpha1.ConditionReady, Status: l.Ready, Reason: l.Reason, Message: want.Message, LastTransitionTime: now()}
	if have != nil {
		condition.ObservedGeneration = have.Generation
		want.Conditions = append([]metav1.Condition{}, have.Status.Conditions...)
	} else {
		condition.ObservedGeneration = 1
	}
	meta.SetStatusCondition(&want.Conditions, condition)
	return want
}

// now is the time as the API keeps it, to the second: what was written is then
// what is read.
func now() metav1.Time {
	t := metav1.Now()
	return t.Rfc3339Copy()
}
