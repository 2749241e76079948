package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// inputs are what the plan of a group looks at, and what was found out on the way.
type inputs struct {
	plan.Inputs
	ports *portMap
	// problems of Switches.
	problems []v1alpha1.Problem
	// lacking are the pools that have no value for a switch.
	lacking map[v1alpha1.PoolName]bool
}

// inputs gathers what the plan of a group looks at. It reports true when
// something has to be seen in the cache first. Without a port map it gathers
// nothing: the group is asked for again when there is one.
func (r groupReconciler) inputs(ctx context.Context, group string) (*inputs, bool, error) {
	in := &inputs{ports: r.cabling.now.Load(), lacking: map[v1alpha1.PoolName]bool{}}
	if in.ports == nil {
		return in, false, nil
	}
	var switches v1alpha1.SwitchList
	if err := r.List(ctx, &switches, client.MatchingFields{switchesByGroup: group}, client.UnsafeDisableDeepCopy); err != nil {
		return in, false, fmt.Errorf("list the switches of %s: %w", group, err)
	}
	spec, pools, err := r.fabric(ctx)
	if err != nil {
		return in, false, err
	}
	in.Inputs = plan.Inputs{
		Pools: pools, AnycastMAC: spec.AnycastMAC, Underlay: spec.Underlay, Cables: in.ports.cables,
		Classes: map[string]*v1alpha1.VPCClass{}, Switches: pointers(switches.Items),
		Configs: map[string]*v1alpha1.SwitchConfig{}, VPCs: map[types.NamespacedName]*v1alpha1.VPC{},
		OverLimit: map[types.NamespacedName]bool{}, WithoutVTEP: map[string]bool{},
		Former: map[string][]plan.Former{}, Tags: map[v1alpha1.PortReference][]plan.Tag{},
	}
	name := types.NamespacedName{Name: group}
	for _, pool := range switchPools() {
		r.progress.wants(pool, name)
	}
	for _, sw := range in.Switches {
		if wait, err := r.addSwitch(ctx, in, sw); err != nil || wait {
			return in, wait, err
		}
	}
	for _, pool := range switchPools() {
		if !in.lacking[pool] {
			r.progress.satisfied(pool, name)
		}
	}
	if err := r.addVPCs(ctx, in); err != nil {
		return in, false, err
	}
	if in.Peers, err = r.peers(ctx, pools, in.Classes, slices.Collect(maps.Keys(in.VPCs))...); err != nil {
		return in, false, err
	}
	if in.Condemned, err = r.condemned(ctx); err != nil {
		return in, false, err
	}
	in.Identifiers, err = r.identifiers(ctx, in)
	return in, false, err
}

// switchPools are those that hold identifiers of switches.
func switchPools() []v1alpha1.PoolName {
	return []v1alpha1.PoolName{v1alpha1.PoolVTEP, v1alpha1.PoolASN}
}

// addSwitch adds a switch's SwitchConfig, which is made when there is none, its
// attachments, and sees to it that it has its identifiers.
func (r groupReconciler) addSwitch(ctx context.Context, in *inputs, sw *v1alpha1.Switch) (wait bool, err error) {
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
	if err := r.addFormer(ctx, in, sw.Name); err != nil {
		return false, err
	}
	if err := r.identify(ctx, in, sw); err != nil {
		return false, err
	}
	attachments, err := r.attachmentsOn(ctx, sw.Name)
	if err != nil {
		return false, err
	}
	in.Attachments = append(in.Attachments, attachments...)
	places, err := r.placesOn(ctx, in.ports, sw.Name)
	in.Placements = append(in.Placements, places...)
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
func (r groupReconciler) addVPCs(ctx context.Context, in *inputs) error {
	for _, a := range in.Attachments {
		if err := r.addVPC(ctx, in, vpcOf(a)); err != nil {
			return err
		}
	}
	for _, p := range in.Placements {
		if err := r.addVPC(ctx, in, vpcOf(p.VPCAttachment)); err != nil {
			return err
		}
	}
	return nil
}

// vpcOf is the VPC that an attachment names.
func vpcOf(a *v1alpha1.VPCAttachment) types.NamespacedName {
	return types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.VPC}
}

func (r groupReconciler) addVPC(ctx context.Context, in *inputs, name types.NamespacedName) error {
	if _, ok := in.VPCs[name]; ok {
		return nil
	}
	var vpc v1alpha1.VPC
	if err := r.Get(ctx, name, &vpc, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("get VPC %s: %w", name, err)
	}
	in.VPCs[name] = &vpc
	class, err := r.class(ctx, in.Classes, vpc.Spec.Class)
	if err != nil || class == nil || class.Spec.Limits.MaxAttachments == nil {
		return err
	}
	all, err := r.attachmentsOf(ctx, name)
	if err != nil {
		return err
	}
	for _, over := range plan.OverLimit(class, all) {
		in.OverLimit[client.ObjectKeyFromObject(over)] = true
	}
	return nil
}

// class is a VPCClass, looked up once; nil if it does not exist.
func (b base) class(ctx context.Context, known map[string]*v1alpha1.VPCClass, name string) (*v1alpha1.VPCClass, error) {
	if class, ok := known[name]; ok {
		return class, nil
	}
	class := &v1alpha1.VPCClass{}
	err := b.Get(ctx, client.ObjectKey{Name: name}, class, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		class = nil
	} else if err != nil {
		return nil, fmt.Errorf("get VPCClass %s: %w", name, err)
	}
	known[name] = class
	return class, nil
}
