package v1alpha1_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/rogpeppe/go-internal/txtar"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// Each file in testdata says what the API server makes of one kind. It begins
// with an object that is right, "base", and goes on with merge patches of it:
//
//	accept NAME   the patched object can be created
//	reject NAME   it cannot; the first line is a part of the message, after "# "
//	default NAME  the created base has these fields
//	edit NAME     the base, once created, can be changed so
//	refuse NAME   it cannot; as for reject
//
// A rule in the spec of a CRD that no case breaks fails the test.
func TestValidation(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases found", err)
	}
	cluster := rbactest.Start(t, controlplane.Config{})
	admin := client.WithFieldValidation(cluster.Admin(t), metav1.FieldValidationStrict)
	t.Run("docs", func(t *testing.T) { documented(t, admin) })
	unbroken := rules(t)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := suite{client: admin, base: archive.Files[0].Data, unbroken: unbroken}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { s.run(t, archive.Files[1:]) })
	}
	for r := range unbroken {
		t.Errorf("no case breaks this rule: %s %s: %s", r.kind, r.field, r.says)
	}
}

// documented has the API server look at every example of docs/objects.md.
func documented(t *testing.T, c client.Client) {
	text, err := os.ReadFile("../../docs/objects.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(examples) == 0 {
		t.Fatal("there are no examples")
	}
	for _, example := range examples {
		for doc := range strings.SplitSeq(string(example[1]), "\n---\n") {
			o := &unstructured.Unstructured{Object: map[string]any{}}
			if err := yaml.Unmarshal([]byte(doc), &o.Object); err != nil {
				t.Fatal(err)
			}
			if o.GetNamespace() != "" {
				o.SetNamespace(metav1.NamespaceDefault) // the example's may not exist
			}
			if err := c.Create(t.Context(), o, client.DryRunAll); err != nil {
				t.Errorf("%v in:\n%s", err, doc)
			}
		}
	}
}

// suite is what one file says.
type suite struct {
	client   client.Client
	base     []byte        // YAML
	unbroken map[rule]bool // the rules that no case has broken yet
}

// run has the cases that create run first, and then those that change the base.
func (s suite) run(t *testing.T, cases []txtar.File) {
	for _, c := range cases {
		switch verb, _, _ := strings.Cut(c.Name, " "); verb {
		case "accept", "reject", "default":
			t.Run(c.Name, func(t *testing.T) { s.create(t, verb, c.Data) })
		case "edit", "refuse":
		default:
			t.Fatalf("%q: the verb is none of accept, reject, default, edit, refuse", c.Name)
		}
	}
	if err := s.client.Create(t.Context(), s.object(t, nil)); err != nil {
		t.Fatalf("create the base: %v", err)
	}
	for _, c := range cases {
		switch verb, _, _ := strings.Cut(c.Name, " "); verb {
		case "edit", "refuse":
			t.Run(c.Name, func(t *testing.T) { s.change(t, verb, c.Data) })
		}
	}
}

func (s suite) create(t *testing.T, verb string, patch []byte) {
	o := s.object(t, patch)
	if verb == "default" {
		o = s.object(t, nil)
	}
	err := s.client.Create(t.Context(), o, client.DryRunAll)
	switch {
	case verb == "reject":
		s.rejected(t, o.GetKind(), err, patch)
	case err != nil:
		t.Errorf("not accepted: %v", err)
	case verb == "default":
		defaulted(t, o, patch)
	}
}

func (s suite) change(t *testing.T, verb string, patch []byte) {
	o := s.object(t, nil)
	err := s.client.Patch(t.Context(), o, client.RawPatch(types.MergePatchType, toJSON(t, patch)), client.DryRunAll)
	if verb == "refuse" {
		s.rejected(t, s.object(t, nil).GetKind(), err, patch)
	} else if err != nil {
		t.Errorf("not accepted: %v", err)
	}
}

// object is the base with a merge patch.
func (s suite) object(t *testing.T, patch []byte) *unstructured.Unstructured {
	t.Helper()
	merged, err := jsonpatch.MergePatch(toJSON(t, s.base), toJSON(t, patch))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(merged); err != nil {
		t.Fatal(err)
	}
	return o
}

// rejected checks that the API server said no, in the words of the case.
func (s suite) rejected(t *testing.T, kind string, err error, patch []byte) {
	t.Helper()
	first, _, _ := strings.Cut(string(patch), "\n")
	want, ok := strings.CutPrefix(first, "# ")
	if !ok {
		t.Fatal("the case's first line is not a comment with the message that is expected")
	}
	if !apierrors.IsInvalid(err) {
		t.Fatalf("got %v, want: %s", err, want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got:  %v\nwant: %s", err, want)
	}
	var status *apierrors.StatusError
	if errors.As(err, &status) && status.ErrStatus.Details != nil {
		for _, cause := range status.ErrStatus.Details.Causes {
			maps.DeleteFunc(s.unbroken, func(r rule, _ bool) bool { return r.brokenBy(kind, cause) })
		}
	}
}

// defaulted checks that merging the wanted fields into an object changes nothing.
func defaulted(t *testing.T, o *unstructured.Unstructured, want []byte) {
	t.Helper()
	have, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	merged, err := jsonpatch.MergePatch(have, toJSON(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if !jsonpatch.Equal(have, merged) {
		t.Errorf("got:\n%s\nwant in it:\n%s", have, want)
	}
}

func toJSON(t *testing.T, text []byte) []byte {
	t.Helper()
	if len(text) == 0 {
		return []byte("{}")
	}
	out, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return out
}

// rule is a rule of a CRD: a CEL rule by its message, others by their name in
// JSON Schema.
type rule struct{ kind, field, says string }

// brokenBy says whether it is this rule that the API server named.
func (r rule) brokenBy(kind string, c metav1.StatusCause) bool {
	field := regexp.MustCompile(`\[[^]]*\]`).ReplaceAllString(c.Field, "")
	if field == "<nil>" {
		field = "" // the object itself
	}
	if r.kind != kind || r.field != field {
		return false
	}
	words, ok := map[string]string{
		"enum": "Unsupported value", "pattern": "should match", "minimum": "should be greater than or equal to",
		"maximum": "should be less than or equal to", "minItems": "should have at least", "maxItems": "must have at most",
	}[r.says]
	return ok && strings.Contains(c.Message, words) || !ok && strings.HasSuffix(c.Message, ": "+r.says)
}

// schema is the part of a CRD's schema that is looked at.
type schema struct {
	Type       string            `json:"type"`
	Default    json.RawMessage   `json:"default"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Enum       []any             `json:"enum"`
	Pattern    string            `json:"pattern"`
	Minimum    *float64          `json:"minimum"`
	Maximum    *float64          `json:"maximum"`
	MinItems   *int              `json:"minItems"`
	MaxItems   *int              `json:"maxItems"`
	Rules      []struct {
		Message string `json:"message"`
	} `json:"x-kubernetes-validations"`
}

// rules are those of the CRDs, apart from lengths of strings and from statuses,
// which only programs write.
func rules(t *testing.T) map[rule]bool {
	t.Helper()
	out := map[rule]bool{}
	for kind, s := range schemas(t) {
		s.collect(kind, "", out)
	}
	return out
}

// schemas are those of the CRDs by kind, without the statuses.
func schemas(t *testing.T) map[string]schema {
	t.Helper()
	files, err := filepath.Glob("../../deploy/crd/fabric.switchlet.io_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no CRDs found", err)
	}
	out := map[string]schema{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd struct {
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Schema struct {
						OpenAPIV3Schema schema `json:"openAPIV3Schema"`
					}
				}
			}
		}
		if err := json.Unmarshal(toJSON(t, text), &crd); err != nil {
			t.Fatal(err)
		}
		for _, v := range crd.Spec.Versions {
			delete(v.Schema.OpenAPIV3Schema.Properties, "status")
			out[crd.Spec.Names.Kind] = v.Schema.OpenAPIV3Schema
		}
	}
	return out
}

// collect adds the rules of a field and of those below it.
func (s schema) collect(kind, field string, out map[rule]bool) {
	for says, present := range map[string]bool{
		"enum": s.Enum != nil, "pattern": s.Pattern != "", "minimum": s.Minimum != nil,
		"maximum": s.Maximum != nil, "minItems": s.MinItems != nil, "maxItems": s.MaxItems != nil,
	} {
		if present {
			out[rule{kind, field, says}] = true
		}
	}
	for _, r := range s.Rules {
		out[rule{kind, field, r.Message}] = true
	}
	if s.Items != nil {
		s.Items.collect(kind, field, out)
	}
	for name, below := range s.Properties {
		below.collect(kind, strings.TrimPrefix(field+"."+name, "."), out)
	}
}
