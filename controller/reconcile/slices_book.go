package reconcile

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/ipam"
)

// touchedAnnotation of an Allocation of addresses has its last touch: that it was
// looked at by somebody who goes on to count on it.
const touchedAnnotation = v1alpha1.Group + "/touched"

// book has the Allocations of addresses. It asks the API server, not the cache.
type book struct{ base }

func (b book) Make(ctx context.Context, value string, e ipam.Entry) (ipam.Entry, error) {
	a := v1alpha1.Allocation{
		ObjectMeta: metav1.ObjectMeta{
			Name:       ipam.Name(value),
			Labels:     map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByController},
			Finalizers: []string{finalizer},
		},
		Spec: v1alpha1.AllocationSpec{Pool: v1alpha1.PoolAddresses, Value: value, Holder: e.Holder},
	}
	if e.User != (v1alpha1.AddressUser{}) {
		a.Spec.User = &e.User
	}
	for {
		made := a.DeepCopy()
		err := b.Create(ctx, made, client.FieldOwner(FieldOwner))
		if err == nil {
			e.Version, e.Made = made.ResourceVersion, true
			return e, nil
		} else if !apierrors.IsAlreadyExists(err) {
			return ipam.Entry{}, fmt.Errorf("allocate %s for %s: %w", value, e.Holder, err)
		}
		if now, err := b.Look(ctx, value); err != nil || now != nil {
			return deref(now), err
		} // else it went this very moment
	}
}

func deref(e *ipam.Entry) ipam.Entry {
	if e == nil {
		return ipam.Entry{}
	}
	return *e
}

func (b book) Look(ctx context.Context, value string) (*ipam.Entry, error) {
	a, err := b.get(ctx, value)
	if a == nil || err != nil {
		return nil, err
	}
	e := ipam.Entry{Holder: a.Spec.Holder, Version: a.ResourceVersion}
	if a.Spec.User != nil {
		e.User = *a.Spec.User
	}
	return &e, nil
}

// get is the Allocation of a value, nil if there is none.
func (b book) get(ctx context.Context, value string) (*v1alpha1.Allocation, error) {
	var a v1alpha1.Allocation
	if err := b.live.Get(ctx, client.ObjectKey{Name: ipam.Name(value)}, &a); apierrors.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("get Allocation %s: %w", ipam.Name(value), err)
	}
	return &a, nil
}

func (b book) Touch(ctx context.Context, value, version string) error {
	return b.change(ctx, value, version, func(a *v1alpha1.Allocation) {
		metav1.SetMetaDataAnnotation(&a.ObjectMeta, touchedAnnotation, version)
	})
}

// Drop takes the finalizer off first: from then on a change of the Allocation still
// keeps it.
func (b book) Drop(ctx context.Context, value, version string) error {
	var last v1alpha1.Allocation
	err := b.change(ctx, value, version, func(a *v1alpha1.Allocation) {
		controllerutil.RemoveFinalizer(a, finalizer)
		last = *a
	})
	if err != nil {
		return err
	}
	now, err := b.get(ctx, value)
	if now == nil || err != nil {
		return err // it was being deleted
	}
	if now.UID != last.UID || len(now.Finalizers) > 0 || now.Annotations[touchedAnnotation] != last.Annotations[touchedAnnotation] {
		return ipam.ErrConflict
	}
	err = b.Delete(ctx, now, client.Preconditions{UID: &now.UID, ResourceVersion: &now.ResourceVersion})
	switch {
	case apierrors.IsConflict(err):
		return ipam.ErrConflict
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("delete Allocation %s: %w", now.Name, err)
	}
	return nil
}

// change changes an Allocation of a version.
func (b book) change(ctx context.Context, value, version string, change func(*v1alpha1.Allocation)) error {
	a, err := b.get(ctx, value)
	switch {
	case err != nil:
		return err
	case a == nil || a.ResourceVersion != version:
		return ipam.ErrConflict
	}
	change(a)
	err = b.Update(ctx, a, client.FieldOwner(FieldOwner))
	switch {
	case apierrors.IsConflict(err) || apierrors.IsNotFound(err):
		return ipam.ErrConflict
	case err != nil:
		return fmt.Errorf("change Allocation %s: %w", a.Name, err)
	}
	return nil
}

var _ ipam.Book = book{}

func hostHolder(name string) v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindHost, Name: name}}
}

func named(name string) types.NamespacedName { return types.NamespacedName{Name: name} }
