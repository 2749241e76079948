package plan

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/topology"
	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
)

// Each scenario in testdata is a set of objects, as a user would apply them, and
// what is compiled from them: a spec for each switch, and the problems.
func TestScenarios(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		in := inputs(t, archive)
		got := encode(t, Build(in))
		if again := encode(t, Build(in)); !bytes.Equal(again, got) {
			t.Errorf("the same input gave another output:\n%s", cmp.Diff(string(got), string(again)))
		}
		section(archive, "want.yaml").Data = got
		return archive
	})
}

func section(a *txtar.Archive, name string) *txtar.File {
	for i := range a.Files {
		if a.Files[i].Name == name {
			return &a.Files[i]
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name})
	return &a.Files[len(a.Files)-1]
}

func encode(t *testing.T, r Result) []byte {
	t.Helper()
	out, err := yaml.Marshal(map[string]any{"specs": r.Specs, "problems": r.Problems})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// inputs reads the objects of a scenario.
func inputs(t *testing.T, archive *txtar.Archive) Inputs {
	t.Helper()
	in := Inputs{
		Classes: map[string]*v1alpha1.VPCClass{}, Configs: map[string]*v1alpha1.SwitchConfig{},
		VPCs: map[types.NamespacedName]*v1alpha1.VPC{}, OverLimit: map[types.NamespacedName]bool{},
		Condemned: map[types.NamespacedName][]Condemned{},
		Peers:     Peers{Peerings: map[types.NamespacedName][]*v1alpha1.VPCPeering{}},
	}
	var allocations []*v1alpha1.Allocation
	var hosts []*v1alpha1.HostConfig
	var cabling topology.Inputs
	for _, o := range objects(t, section(archive, "objects.yaml").Data) {
		switch o := o.(type) {
		case *v1alpha1.Fabric:
			pools, err := alloc.NewPools(o.Spec.Pools)
			if err != nil {
				t.Fatal(err)
			}
			in.Pools, in.AnycastMAC, in.Underlay = &pools, o.Spec.AnycastMAC, o.Spec.Underlay
		case *v1alpha1.VPCClass:
			in.Classes[o.Name] = o
		case *v1alpha1.Switch:
			in.Switches = append(in.Switches, o)
		case *v1alpha1.SwitchConfig:
			in.Configs[o.Name] = o
			for vpc, c := range CondemnedOn(o) {
				in.Condemned[vpc] = append(in.Condemned[vpc], c)
			}
		case *v1alpha1.VPC:
			in.VPCs[keyOf(o)] = o
		case *v1alpha1.VPCPeering:
			in.Peers.Peerings[ConsentingVPC(o)] = append(in.Peers.Peerings[ConsentingVPC(o)], o)
		case *v1alpha1.VPCAttachment:
			in.Attachments = append(in.Attachments, o)
		case *v1alpha1.Host:
			cabling.Hosts = append(cabling.Hosts, o)
		case *v1alpha1.Link:
			cabling.Links = append(cabling.Links, o)
		case *v1alpha1.Allocation:
			allocations = append(allocations, o)
		case *v1alpha1.HostConfig:
			hosts = append(hosts, o)
		}
	}
	in.Peers.VPCs, in.Peers.Classes, in.Peers.HaveFabric = in.VPCs, in.Classes, in.Pools != nil
	in.Identifiers = identifiers(allocations)
	limit(&in)
	cabling.Switches = in.Switches
	ports := topology.Build(cabling)
	cable(t, &in, cabling, ports)
	remember(&in, hosts, ports)
	return in
}

// remember adds what switches and hosts had, an hour after the epoch and with a minute of
// grace.
func remember(in *Inputs, hosts []*v1alpha1.HostConfig, ports topology.Topology) {
	in.Former, in.Tags = map[string][]Former{}, map[v1alpha1.PortReference][]Tag{}
	for _, sw := range in.Switches {
		if config := in.Configs[sw.Name]; config != nil {
			in.Former[sw.Name] = FormerOf(config, time.Unix(3600, 0), time.Minute)
		}
		for _, h := range hosts {
			in.AddTags(sw.Name, ports.PortsOf(h.Name), TagsOf(h))
		}
	}
}

// cable adds what follows from the port map, and takes the attachments that
// select hosts to where these are.
func cable(t *testing.T, in *Inputs, cabling topology.Inputs, ports topology.Topology) {
	t.Helper()
	in.Cables = map[string][]Cable{}
	for _, sw := range in.Switches {
		for _, u := range ports.Uplinks(sw.Name) {
			in.Cables[sw.Name] = append(in.Cables[sw.Name], Cable{Port: u.Port, Peer: u.Peer, Link: u.Link})
		}
	}
	var named []*v1alpha1.VPCAttachment
	for _, a := range in.Attachments {
		if a.Spec.Hosts == nil {
			named = append(named, a)
			continue
		}
		selector, err := HostSelector(a.Spec.Hosts)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range cabling.Hosts {
			if selector.Matches(labels.Set(h.Labels)) {
				in.Placements = append(in.Placements, At(a, h, ports.PortsOf(h.Name))...)
			}
		}
	}
	in.Attachments = named
}

func limit(in *Inputs) {
	of := map[types.NamespacedName][]*v1alpha1.VPCAttachment{}
	for _, a := range in.Attachments {
		name := attachment{Placement: Named(a)}.vpcName()
		of[name] = append(of[name], a)
	}
	for name, all := range of {
		if vpc := in.VPCs[name]; vpc != nil {
			for _, over := range OverLimit(in.Classes[vpc.Spec.Class], all) {
				in.OverLimit[keyOf(over)] = true
			}
		}
	}
}

func identifiers(allocations []*v1alpha1.Allocation) Identifiers {
	type key struct {
		v1alpha1.PoolName
		v1alpha1.Holder
	}
	values := map[key]string{}
	for _, a := range allocations {
		values[key{a.Spec.Pool, a.Spec.Holder}] = a.Spec.Value
	}
	of := func(pool v1alpha1.PoolName, name string) string {
		return values[key{pool, v1alpha1.Holder{ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: name}}}]
	}
	return Identifiers{
		VNI: func(vpc types.NamespacedName, subnet string) int32 {
			v, _ := alloc.Value(v1alpha1.PoolVNI, values[key{v1alpha1.PoolVNI, v1alpha1.Holder{ObjectReference: VPCRef(vpc), Subnet: subnet}}])
			return int32(v)
		},
		VTEP: func(name string) netip.Addr {
			a, _ := netip.ParseAddr(of(v1alpha1.PoolVTEP, name))
			return a
		},
		ASN: func(name string) int64 {
			v, _ := alloc.Value(v1alpha1.PoolASN, of(v1alpha1.PoolASN, name))
			return int64(v)
		},
	}
}

// objects decodes YAML documents strictly: a misspelt field is an error.
func objects(t *testing.T, data []byte) []runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var out []runtime.Object
	for _, doc := range strings.Split(string(data), "\n---\n") {
		o, _, err := decoder.Decode([]byte(doc), nil, nil)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, doc)
		}
		out = append(out, o)
	}
	return out
}
