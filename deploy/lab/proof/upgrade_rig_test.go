package proof_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/registry"
	"github.com/switchlet/switchlet/deploy/lab/services"
)

// releaseName is that of the release whose services all switches run.
const releaseName = "core"

// stock is the images of services, in the lab's registry.
type stock map[string]*services.Image

// build builds the images of all services.
func (r *rig) build() stock {
	r.Helper()
	all := stock{}
	for _, s := range []services.Service{services.BGP(labtest.FRR10(r)), services.LLDP(), services.Agent()} {
		image, err := services.Build(r.Context(), s)
		r.ok(err)
		all[s.Name] = image
	}
	return all
}

// push brings a version of a service to the registry.
func (r *rig) push(all stock, service, version string, env ...string) v1alpha1.ReleaseService {
	r.Helper()
	image, err := all[service].Push(r.Context(), registry.Address(network.NewPlan(r.lab.Subnet)), version, env...)
	r.ok(err)
	r.Logf("%s %s is %s", service, version, image)
	out := v1alpha1.ReleaseService{Name: service, Image: image}
	if service != v1alpha1.ServiceAgent { // the lab's DaemonSet has what differs
		out.Overrides = onLabSwitch()
	}
	return out
}

// onLabSwitch is what differs on a switch of the lab: it has the machine's own /usr, in
// which no folder can be made.
func onLabSwitch() *runtime.RawExtension {
	return &runtime.RawExtension{Raw: []byte(`{"spec":{"volumes":[{"name":"device","hostPath":{"path":"/var/lib/sonic-device"}}]}}`)}
}

// install deploys the product, unless somebody has, and has switches get their services by
// a release, before which they have none.
func (r *rig) install(first ...v1alpha1.ReleaseService) {
	r.Helper()
	show, said := r.demo()
	there := r.cluster.Get(r.Context(), client.ObjectKey{Name: releaseName}, &v1alpha1.NOSRelease{}) == nil
	var err error
	if !there {
		err = show.Deploy(r.Context())
	}
	if err == nil && !there {
		r.ok(r.cluster.Create(r.Context(), &v1alpha1.NOSRelease{
			ObjectMeta: metav1.ObjectMeta{Name: releaseName}, Spec: v1alpha1.NOSReleaseSpec{Services: first, Strategy: atOnce()},
		}))
	}
	if err == nil {
		r.arrived()
		ended := r.resuming()
		err = show.BringUpFabric(r.Context())
		ended()
	}
	if err != nil {
		show.Explain(r.Context())
		text, _ := os.ReadFile(said)
		r.Fatalf("deploy: %v\n%s\n%s", err, text, r.progress())
	}
}

// resuming has switches try again what they took back, until it is ended: with kubelets on
// all of them the processor may be away for so long that a change seems to have cut them off.
func (r *rig) resuming() (end func()) {
	ctx, cancel := context.WithCancel(r.Context())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			pause(ctx, 15*time.Second)
			var configs v1alpha1.SwitchConfigList
			if r.cluster.List(ctx, &configs) != nil {
				continue
			}
			back := func(s v1alpha1.SwitchConfig) bool {
				c := meta.FindStatusCondition(s.Status.Conditions, "Confirmed")
				return c != nil && c.Reason == "RolledBack"
			}
			if slices.ContainsFunc(configs.Items, back) {
				r.Log("a switch has taken a change back, and is told to try again")
				r.resume()
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// atOnce is a release to all switches at the same time, as for those that have nothing yet.
func atOnce() v1alpha1.ReleaseStrategy {
	return v1alpha1.ReleaseStrategy{
		Groups: 64, MinAvailable: []v1alpha1.RoleMinimum{{Role: v1alpha1.RoleSpine}},
		Drain: v1alpha1.ReleaseDrain{Mode: v1alpha1.DrainNever, TimeoutSeconds: 120}, ProgressDeadlineSeconds: 300, SoakSeconds: new(int32(1)),
	}
}

// release is the release as it is now.
func (r *rig) release() *v1alpha1.NOSRelease {
	r.Helper()
	var rel v1alpha1.NOSRelease
	r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: releaseName}, &rel))
	return &rel
}

// change changes what is released, and how.
func (r *rig) change(edit func(*v1alpha1.NOSReleaseSpec)) {
	r.Helper()
	for {
		rel := r.release()
		edit(&rel.Spec)
		if err := r.cluster.Update(r.Context(), rel); err == nil {
			return
		}
		pause(r.Context(), 50*time.Millisecond)
	}
}

// set has a service of a release be another version.
func set(spec *v1alpha1.NOSReleaseSpec, s v1alpha1.ReleaseService) {
	i := slices.IndexFunc(spec.Services, func(have v1alpha1.ReleaseService) bool { return have.Name == s.Name })
	spec.Services[i].Image = s.Image
}

// progress is how far the release is, for people.
func (r *rig) progress() string {
	r.Helper()
	rel := r.release()
	lines := []string{fmt.Sprintf("phase %s, stop %+v", rel.Status.Phase, rel.Status.Stop)}
	for _, s := range rel.Status.Switches {
		lines = append(lines, fmt.Sprintf("%s: %s %s %s", s.Name, s.Phase, s.Reason, s.Message))
	}
	return strings.Join(lines, "\n")
}
