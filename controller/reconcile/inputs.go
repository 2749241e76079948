package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/plan"
)

// inputs gathers what the plan of a group looks at. It reports true when
// something has to be seen in the cache first.
func (r groupReconciler) inputs(ctx context.Context, group string) (plan.Inputs, bool, error) {
	var switches v1alpha1.SwitchList
	if err := r.List(ctx, &switches, client.MatchingFields{switchesByGroup: group}, client.UnsafeDisableDeepCopy); err != nil {
		return plan.Inputs{}, false, fmt.Errorf("list the switches of %s: %w", group, err)
	}
	spec, pools, err := r.fabric(ctx)
	if err != nil {
		return plan.Inputs{}, false, err
	}
	in := plan.Inputs{
		Pools: pools, AnycastMAC: spec.AnycastMAC,
		Classes: map[string]*v1alpha1.VPCClass{}, Switches: pointers(switches.Items),
		Configs: map[string]*v1alpha1.SwitchConfig{}, VPCs: map[types.NamespacedName]*v1alpha1.VPC{},
		OverLimit: map[types.NamespacedName]bool{}, WithoutVTEP: map[string]bool{},
	}
	name := types.NamespacedName{Name: group}
	r.progress.wants(v1alpha1.PoolVTEP, name)
	for _, sw := range in.Switches {
		if wait, err := r.addSwitch(ctx, &in, sw); err != nil || wait {
			return in, wait, err
		}
	}
	if !slices.Contains(slices.Collect(maps.Values(in.WithoutVTEP)), true) {
		r.progress.satisfied(v1alpha1.PoolVTEP, name)
	}
	if err := r.addVPCs(ctx, &in); err != nil {
		return in, false, err
	}
	if in.Condemned, err = r.condemned(ctx); err != nil {
		return in, false, err
	}
	in.Identifiers, err = r.identifiers(ctx, &in)
	return in, false, err
}

// addSwitch adds a switch's SwitchConfig, which is made when there is none, its
// attachments, and sees to it that it has a VTEP address.
func (r groupReconciler) addSwitch(ctx context.Context, in *plan.Inputs, sw *v1alpha1.Switch) (wait bool, err error) {
	var config v1alpha1.SwitchConfig
	err = r.Get(ctx, client.ObjectKey{Name: sw.Name}, &config, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return true, r.createConfig(ctx, sw)
	} else if err != nil {
		return false, fmt.Errorf("get SwitchConfig %s: %w", sw.Name, err)
	}
	if r.progress.behind(&config) {
		return true, nil
	}
	in.Configs[sw.Name] = &config
	if sw.Spec.Role != v1alpha1.RoleSpine && in.Pools != nil {
		_, err := r.hold(ctx, v1alpha1.PoolVTEP, in.Pools, []v1alpha1.Holder{switchHolder(sw.Name)})
		if in.WithoutVTEP[sw.Name] = errors.Is(err, errExhausted); err != nil && !in.WithoutVTEP[sw.Name] {
			return false, err
		}
	}
	attachments, err := r.attachmentsOn(ctx, sw.Name)
	in.Attachments = append(in.Attachments, attachments...)
	return false, err
}

// createConfig makes an empty SwitchConfig, so that every spec is applied to a
// known version of it. It goes with its Switch.
func (r groupReconciler) createConfig(ctx context.Context, sw *v1alpha1.Switch) error {
	config := v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{
		Name:        sw.Name,
		Annotations: remade(sw),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(sw,
			v1alpha1.GroupVersion().WithKind("Switch"))},
	}}
	if err := r.Create(ctx, &config, client.FieldOwner(FieldOwner)); client.IgnoreAlreadyExists(err) != nil {
		return fmt.Errorf("create SwitchConfig %s: %w", sw.Name, err)
	}
	return nil
}

// addVPCs adds the VPCs that the attachments name, their classes, and which
// attachments are beyond a limit.
func (r groupReconciler) addVPCs(ctx context.Context, in *plan.Inputs) error {
	for _, a := range in.Attachments {
		name := types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.VPC}
		if _, ok := in.VPCs[name]; ok {
			continue
		}
		var vpc v1alpha1.VPC
		if err := r.Get(ctx, name, &vpc, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return fmt.Errorf("get VPC %s: %w", name, err)
		}
		in.VPCs[name] = &vpc
		class, err := r.class(ctx, in, vpc.Spec.Class)
		if err != nil || class == nil || class.Spec.Limits.MaxAttachments == nil {
			if err != nil {
				return err
			}
			continue
		}
		all, err := r.attachmentsOf(ctx, name)
		if err != nil {
			return err
		}
		for _, over := range plan.OverLimit(class, all) {
			in.OverLimit[client.ObjectKeyFromObject(over)] = true
		}
	}
	return nil
}

// class is a VPCClass, looked up once; nil if it does not exist.
func (r groupReconciler) class(ctx context.Context, in *plan.Inputs, name string) (*v1alpha1.VPCClass, error) {
	if class, ok := in.Classes[name]; ok {
		return class, nil
	}
	class := &v1alpha1.VPCClass{}
	err := r.Get(ctx, client.ObjectKey{Name: name}, class, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		class = nil
	} else if err != nil {
		return nil, fmt.Errorf("get VPCClass %s: %w", name, err)
	}
	in.Classes[name] = class
	return class, nil
}

// identifiers looks up what was allocated to the VPCs and switches of in.
func (r groupReconciler) identifiers(ctx context.Context, in *plan.Inputs) (plan.Identifiers, error) {
	values := map[v1alpha1.Holder]uint32{}
	read := func(pool v1alpha1.PoolName, holder v1alpha1.Holder) error {
		siblings, err := r.allocations(ctx, pool, holder)
		if err != nil {
			return err
		}
		if a := alloc.Effective(siblings, in.Pools); a != nil {
			values[holder], err = alloc.Value(pool, a.Spec.Value)
		}
		return err
	}
	for _, sw := range in.Switches {
		if err := read(v1alpha1.PoolVTEP, switchHolder(sw.Name)); err != nil {
			return plan.Identifiers{}, err
		}
	}
	for name, vpc := range in.VPCs {
		if err := read(v1alpha1.PoolVNI, vpcHolder(name, "")); err != nil {
			return plan.Identifiers{}, err
		}
		for _, s := range vpc.Spec.Subnets {
			if err := read(v1alpha1.PoolVNI, vpcHolder(name, s.Name)); err != nil {
				return plan.Identifiers{}, err
			}
		}
	}
	return plan.Identifiers{
		VNI: func(vpc types.NamespacedName, subnet string) int32 { return int32(values[vpcHolder(vpc, subnet)]) },
		VTEP: func(name string) netip.Addr {
			v, ok := values[switchHolder(name)]
			if !ok {
				return netip.Addr{}
			}
			return netip.MustParseAddr(alloc.Text(v1alpha1.PoolVTEP, v))
		},
	}, nil
}

func switchHolder(name string) v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: name}}
}

func vpcHolder(vpc types.NamespacedName, subnet string) v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: plan.VPCRef(vpc), Subnet: subnet}
}
