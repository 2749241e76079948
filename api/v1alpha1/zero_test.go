package v1alpha1_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// A Go type writes the zero of each field that has a default, where the zero is a value of
// its own: left out, it would become the default.
func TestGoTypesWriteZeros(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	found := 0
	for kind, s := range schemas(t) {
		object, err := scheme.New(v1alpha1.GroupVersion().WithKind(kind))
		if err != nil {
			t.Fatal(err)
		}
		found += lostZeros(t, kind, s, reflect.TypeOf(object))
	}
	if found == 0 {
		t.Error("no field with a default and a zero was found: the test looks at nothing")
	}
}

// lostZeros fails for the fields below a type that lose their zero, and counts those that
// have one.
func lostZeros(t *testing.T, path string, s schema, goType reflect.Type) (found int) {
	for goType.Kind() == reflect.Pointer || goType.Kind() == reflect.Slice && s.Items != nil {
		if goType.Kind() == reflect.Slice {
			s = *s.Items
		}
		goType = goType.Elem()
	}
	for name, below := range s.Properties {
		field, options, ok := byJSONName(goType, name)
		if !ok {
			continue // of a type that writes itself
		}
		if below.Default != nil && below.takesZero() {
			found++
			if !writesZero(field.Type.Kind(), options) {
				t.Errorf("%s.%s has the default %s, and a Go client cannot say its zero", path, name, below.Default)
			}
		}
		found += lostZeros(t, path+"."+name, below, field.Type)
	}
	return found
}

// takesZero says whether the API server takes the zero of a number, list or truth value.
func (s schema) takesZero() bool {
	switch s.Type {
	case "integer", "number":
		return s.Minimum == nil || *s.Minimum <= 0
	case "array":
		return s.MinItems == nil || *s.MinItems == 0
	}
	return s.Type == "boolean"
}

func writesZero(kind reflect.Kind, options []string) bool {
	switch kind {
	case reflect.Pointer: // what is left out is nil
		return true
	case reflect.Slice, reflect.Map:
		return !slices.Contains(options, "omitempty")
	}
	return !slices.Contains(options, "omitempty") && !slices.Contains(options, "omitzero")
}

func byJSONName(goType reflect.Type, name string) (field reflect.StructField, options []string, ok bool) {
	if goType.Kind() != reflect.Struct {
		return field, nil, false
	}
	for _, f := range reflect.VisibleFields(goType) {
		if tag := strings.Split(f.Tag.Get("json"), ","); tag[0] == name {
			return f, tag[1:], true
		}
	}
	return field, nil, false
}

const zeroRelease = `
apiVersion: fabric.switchlet.io/v1alpha1
kind: NOSRelease
metadata: {name: by-kubectl}
spec:
  services: [{name: lldp, image: "lldp@sha256:0000000000000000000000000000000000000000000000000000000000000000"}]
  strategy: {soakSeconds: 0, checks: []}
`

// What a Go client says of a NOSRelease is what the API server keeps, and what it writes
// back is what was there.
func TestZerosOfARelease(t *testing.T) {
	c := rbactest.Start(t, controlplane.Config{}).Admin(t)
	services := []v1alpha1.ReleaseService{{Name: "lldp", Image: "lldp@sha256:" + strings.Repeat("0", 64)}}
	kept := func(r *v1alpha1.NOSRelease) (soak int32, checks int) {
		t.Helper()
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
			t.Fatal(err)
		}
		if r.Spec.Strategy.SoakSeconds == nil {
			t.Fatalf("%s: soakSeconds is nil", r.Name)
		}
		return *r.Spec.Strategy.SoakSeconds, len(r.Spec.Strategy.Checks)
	}
	for name, want := range map[string]struct {
		strategy v1alpha1.ReleaseStrategy
		soak     int32
		checks   int
	}{
		"zeros":   {v1alpha1.ReleaseStrategy{SoakSeconds: new(int32), Checks: []v1alpha1.SwitchCheck{}}, 0, 0},
		"nothing": {v1alpha1.ReleaseStrategy{}, 60, 7},
		"others":  {v1alpha1.ReleaseStrategy{SoakSeconds: new(int32(5)), Checks: []v1alpha1.SwitchCheck{v1alpha1.CheckUplinks}}, 5, 1},
	} {
		r := &v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.NOSReleaseSpec{Services: services, Strategy: want.strategy}}
		if err := c.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if soak, checks := kept(r); soak != want.soak || checks != want.checks {
			t.Errorf("%s: soakSeconds %d and %d checks, want %d and %d", name, soak, checks, want.soak, want.checks)
		}
	}
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(zeroRelease), &o.Object); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r := &v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: o.GetName()}}
	kept(r)
	r.Finalizers = []string{"example.com/mine"} // as the controller writes it
	if err := c.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if soak, checks := kept(r); soak != 0 || checks != 0 {
		t.Errorf("after an update of something else: soakSeconds %d and %d checks, want none of both", soak, checks)
	}
}
