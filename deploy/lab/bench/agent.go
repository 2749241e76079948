package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/fabric"
)

const (
	memoryGoal = 40 // MiB
	watched    = 20 * time.Second
	every      = 100 * time.Millisecond
)

// measureAgent looks at the memory of an agent that is given 2,000 VLANs, from
// the moment it gets them, and at the CPU that it takes once they are in force.
func measureAgent(ctx context.Context, dir string) (_ []Result, err error) {
	f, err := startFabric(ctx, dir, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Stop()) }()
	if err := giveConfig(ctx, f); err != nil {
		return nil, err
	}
	idle, err := cpu(f.AgentPid("leaf1"))
	if err != nil {
		return nil, err
	}
	var samples []float64
	for range int(watched / every) {
		mib, err := rss(f.AgentPid("leaf1"))
		if err != nil {
			return nil, err
		}
		samples = append(samples, mib)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(every):
		}
	}
	after, err := cpu(f.AgentPid("leaf1"))
	if err != nil {
		return nil, err
	}
	slices.Sort(samples)
	p50, p99 := samples[len(samples)/2], samples[len(samples)*99/100]
	return []Result{{
		Name: "agent_rss_mib", Unit: "MiB", P50: p50, P99: p99, Floor: memoryGoal, Ratio: p50 / memoryGoal,
		About: fmt.Sprintf("agent's RSS in the %s after %d VLANs came into force, %.2f %% of a core meanwhile; floor: the goal",
			watched, vlans, 100*(after-idle).Seconds()/watched.Seconds()),
	}}, nil
}

// giveConfig writes a SwitchConfig of 2,000 VLANs, in place of a controller that
// has done its part for the switch, and waits until it is applied.
func giveConfig(ctx context.Context, f *fabric.Fabric) error {
	until := func(done func(v1alpha1.SwitchConfig) bool) error {
		return wait.PollUntilContextTimeout(ctx, every, time.Minute, true, func(ctx context.Context) (bool, error) {
			var now v1alpha1.SwitchConfig
			err := f.Client.Get(ctx, client.ObjectKey{Name: "leaf1"}, &now)
			return err == nil && done(now), client.IgnoreNotFound(err)
		})
	}
	if err := until(func(v1alpha1.SwitchConfig) bool { return true }); err != nil {
		return err
	}
	if err := f.KillController(); err != nil {
		return err
	}
	config := v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: bigSpec()}
	if err := f.Apply(ctx, &config); err != nil {
		return err
	}
	return until(func(now v1alpha1.SwitchConfig) bool { return now.Status.AppliedRevision == "bench" })
}

func bigSpec() v1alpha1.SwitchConfigSpec {
	spec := v1alpha1.SwitchConfigSpec{Revision: "bench", VTEP: "10.255.0.1", AnycastMAC: "00:00:5e:00:01:01"}
	owner := func(i int) v1alpha1.ObjectReference {
		return v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: bench, Name: fmt.Sprintf("vpc%d", i)}
	}
	for i := range int32(vrfs) {
		spec.VRFs = append(spec.VRFs, v1alpha1.VRFConfig{VNI: 20001 + i, VLAN: 3001 + i, Owner: owner(int(i))})
	}
	for i := range int32(vlans) {
		spec.Segments = append(spec.Segments, v1alpha1.SegmentConfig{
			VLAN: 100 + i, VNI: 10000 + i, VRF: 20001 + i%vrfs, Owner: owner(int(i % vrfs)), Subnet: fmt.Sprintf("s%d", i),
			Gateways: []string{fmt.Sprintf("10.%d.%d.1/24", i/256, i%256)},
			Ports: []v1alpha1.SegmentPort{{Name: fmt.Sprintf("Ethernet%d", i%4*4), Mode: v1alpha1.ModeTagged,
				Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: bench, Name: fmt.Sprintf("a%d", i)}}},
		})
	}
	return spec
}

// rss is the memory of a process in MiB (proc(5), status, VmRSS).
func rss(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d: no VmRSS", pid)
}

// cpu is the processor time of a process so far (proc(5), stat, fields 14 and
// 15, in hundredths of a second).
func cpu(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("process %d: stat has %d fields", pid, len(fields))
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err
}
