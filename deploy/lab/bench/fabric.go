package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/fabric"
	"github.com/switchlet/switchlet/deploy/lab/kube"
)

const (
	vpcChanges = 200 // VPCs applied and measured
	settled    = 20  // VPCs that are there all the time
	leaves     = 2
	bench      = "bench" // the namespace of it all
)

// measureFabric applies VPCs to a whole fabric, one after another, and waits for
// their last row on every leaf. The floor is what any controller has to pay:
// one write to the API server and the watch event of it.
func measureFabric(ctx context.Context, dir string) (_ []Result, err error) {
	f, err := startFabric(ctx, dir, leaves)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Stop()) }()
	m := &fabricMeter{Fabric: f}
	if err := m.prepare(ctx); err != nil {
		return nil, err
	}
	for i := range settled {
		if _, err := m.vpc(ctx, i); err != nil {
			return nil, err
		}
	}
	var samples, floor []time.Duration
	for i := range vpcChanges {
		took, err := m.vpc(ctx, settled+i)
		if err != nil {
			return nil, err
		}
		samples = append(samples, took)
		if took, err = m.writeAndWatch(ctx, i); err != nil {
			return nil, err
		}
		floor = append(floor, took)
		if err := m.remove(ctx, settled+i); err != nil {
			return nil, err
		}
	}
	return []Result{durations("vpc_to_configdb",
		fmt.Sprintf("VPC applied to the API server → its last row in CONFIG_DB of %d leaves; floor: one API write and its watch event", leaves), samples, floor)}, nil
}

// startFabric starts a whole fabric in a folder.
func startFabric(ctx context.Context, dir string, leaves int) (*fabric.Fabric, error) {
	source, err := kube.Find(ctx)
	if err != nil {
		return nil, err
	}
	binaries, err := source.Build(ctx, func(int, int) {})
	if err != nil {
		return nil, err
	}
	return fabric.Start(ctx, fabric.Config{Dir: dir, Kubernetes: binaries, Leaves: leaves})
}

// fabricMeter measures a fabric.
type fabricMeter struct {
	*fabric.Fabric
	rows []<-chan *redis.Message // the changes of each leaf's CONFIG_DB
}

// prepare applies what every VPC needs and subscribes to the leaves' changes.
func (m *fabricMeter) prepare(ctx context.Context) error {
	if err := m.Apply(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: bench}},
		&v1alpha1.VPCClass{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.VPCClassDefault}},
		&v1alpha1.Fabric{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.FabricName}, Spec: v1alpha1.FabricSpec{Pools: v1alpha1.Pools{
			VNI:  v1alpha1.VNIPool{Ranges: []v1alpha1.VNIRange{{First: 10000, Last: 99999}}},
			VLAN: v1alpha1.VLANPool{Ranges: []v1alpha1.VLANRange{{First: 100, Last: 3999}}},
			VTEP: v1alpha1.VTEPPool{CIDRs: []string{"10.255.0.0/24"}},
		}}},
	); err != nil {
		return err
	}
	for _, leaf := range m.Leaves {
		c := redis.NewClient(&redis.Options{Network: "unix", Addr: leaf.Socket(), Protocol: 2, DisableIdentity: true})
		p := c.PSubscribe(ctx, "__keyspace@4__:VLAN_INTERFACE|*|*")
		if _, err := p.Receive(ctx); err != nil {
			return err
		}
		m.rows = append(m.rows, p.Channel(redis.WithChannelSize(1<<16)))
	}
	return nil
}

// vpc applies the attachments of a VPC, then the VPC, and says how long after
// that its row is on every leaf.
func (m *fabricMeter) vpc(ctx context.Context, i int) (time.Duration, error) {
	for l := range leaves {
		if err := m.Client.Create(ctx, attachment(i, l)); err != nil {
			return 0, err
		}
	}
	if err := m.settle(ctx, i); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := m.Client.Create(ctx, vpc(i)); err != nil {
		return 0, err
	}
	err := m.await(ctx, i, "hset")
	return time.Since(start), err
}

// settle waits until the controller has said what it has to say about the
// attachments, so that it is idle when the VPC comes.
func (m *fabricMeter) settle(ctx context.Context, i int) error {
	return wait.PollUntilContextTimeout(ctx, 5*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		for l := range leaves {
			a := attachment(i, l)
			if err := m.Client.Get(ctx, client.ObjectKeyFromObject(a), a); err != nil {
				return false, err
			}
			if len(a.Status.Conditions) == 0 {
				return false, nil
			}
		}
		return true, nil
	})
}

// remove deletes a VPC and its attachments and waits until its rows are gone.
func (m *fabricMeter) remove(ctx context.Context, i int) error {
	objects := []client.Object{vpc(i)}
	for l := range leaves {
		objects = append(objects, attachment(i, l))
	}
	for _, o := range objects {
		if err := m.Client.Delete(ctx, o); err != nil {
			return err
		}
	}
	if err := m.await(ctx, i, "del"); err != nil {
		return err
	}
	return m.idle(ctx)
}

// idle waits until every agent has done all that it was told: what it deletes it
// deletes step by step, as SONiC's daemons follow.
func (m *fabricMeter) idle(ctx context.Context) error {
	return wait.PollUntilContextTimeout(ctx, 5*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		for name := range m.Leaves {
			var config v1alpha1.SwitchConfig
			if err := m.Client.Get(ctx, client.ObjectKey{Name: name}, &config); err != nil {
				return false, err
			}
			if config.Status.AppliedGeneration != config.Generation {
				return false, nil
			}
		}
		return true, nil
	})
}

// await waits until the row of a VPC's gateway has been written on, or deleted
// from, every leaf.
func (m *fabricMeter) await(ctx context.Context, i int, event string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, rows := range m.rows {
		for found := false; !found; {
			select {
			case row := <-rows:
				found = strings.HasSuffix(row.Channel, "|"+gateway(i)) && row.Payload == event
			case <-ctx.Done():
				return fmt.Errorf("VPC %d: no %s of its gateway's row on a leaf: %w", i, event, ctx.Err())
			}
		}
	}
	return nil
}

// writeAndWatch writes one object of a VPC's size and waits for its event.
func (m *fabricMeter) writeAndWatch(ctx context.Context, i int) (time.Duration, error) {
	w, err := m.Client.Watch(ctx, &corev1.ConfigMapList{}, client.InNamespace(bench))
	if err != nil {
		return 0, err
	}
	defer w.Stop()
	name := fmt.Sprintf("floor%d", i)
	start := time.Now()
	if err := m.Client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: bench, Name: name}, Data: map[string]string{"cidr": gateway(i)}}); err != nil {
		return 0, err
	}
	for event := range w.ResultChan() {
		if o, ok := event.Object.(*corev1.ConfigMap); ok && o.Name == name {
			return time.Since(start), nil
		}
	}
	return 0, errors.New("the watch ended")
}

func vpc(i int) *v1alpha1.VPC {
	return &v1alpha1.VPC{
		ObjectMeta: metav1.ObjectMeta{Namespace: bench, Name: fmt.Sprintf("vpc%d", i)},
		Spec: v1alpha1.VPCSpec{Class: v1alpha1.VPCClassDefault, Subnets: []v1alpha1.Subnet{
			{Name: "web", CIDRs: []string{fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)}},
		}},
	}
}

func gateway(i int) string { return fmt.Sprintf("10.%d.%d.1/24", i/256, i%256) }

func attachment(i, leaf int) *v1alpha1.VPCAttachment {
	return &v1alpha1.VPCAttachment{
		ObjectMeta: metav1.ObjectMeta{Namespace: bench, Name: fmt.Sprintf("vpc%d-leaf%d", i, leaf+1)},
		Spec: v1alpha1.VPCAttachmentSpec{VPC: fmt.Sprintf("vpc%d", i), Subnet: "web", Mode: v1alpha1.ModeTagged,
			Port: v1alpha1.PortReference{Switch: fmt.Sprintf("leaf%d", leaf+1), Name: "Ethernet8"}},
	}
}
