package credly_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"badgebridge/sandbox/credly"
)

// field is the name of a field of Options as an option would be called.
func field(name string) string { return strings.ToLower(strings.ReplaceAll(name, "-", "")) }

func TestEachOptionIsNamedDescribedAndFlippedAlone(t *testing.T) {
	options, typ := credly.Inferred(), reflect.TypeFor[credly.Options]()
	if len(options) != typ.NumField() {
		t.Errorf("%d options for %d fields", len(options), typ.NumField())
	}
	for i, o := range options {
		if field(o.Name) != field(typ.Field(i).Name) {
			t.Errorf("option %d is %q, the field %s", i, o.Name, typ.Field(i).Name)
		}
		if o.Doc == "" || o.Known == "" || o.Confidence == "" {
			t.Errorf("%s says too little of itself", o.Name)
		}
		flipped := credly.Flipped(o)
		if o.On(&flipped).String() != o.Other {
			t.Errorf("%s becomes %q, not %q", o.Name, o.On(&flipped), o.Other)
		}
		if v := reflect.ValueOf(flipped); v.Field(i).IsZero() {
			t.Errorf("%s flips to what is assumed anyway", o.Name)
		}
		for j, other := range options {
			if v := reflect.ValueOf(flipped); j != i && !v.Field(j).IsZero() && other.Name != o.With {
				t.Errorf("%s flips %s too", o.Name, other.Name)
			}
		}
	}
	if n := len(credly.Deciding()); n != 5 {
		t.Errorf("%d options decide, not five", n)
	}
}

func TestOptionsAreNamedInJSONAsOnTheCommandLine(t *testing.T) {
	set := credly.Flipped(credly.Inferred()...)
	b, err := json.Marshal(set)
	if err != nil || !strings.Contains(string(b), `"read-delay":"2s"`) || !strings.Contains(string(b), `"lenient-auth":true`) {
		t.Fatal(err, string(b))
	}
	var again credly.Options
	if err := json.Unmarshal(b, &again); err != nil || again != set {
		t.Error(err, again)
	}
	if json.Unmarshal([]byte(`{"lenient":true}`), &again) == nil || json.Unmarshal([]byte(`{"read-delay":"soon"}`), &again) == nil {
		t.Error("an unknown option or an unreadable value is taken")
	}
}

// table is the list of inferred behaviours as docs/credly.md has it.
func table() string {
	var b strings.Builder
	b.WriteString("| option | when set | what is known | confidence |\n|---|---|---|---|\n")
	for _, o := range credly.Inferred() {
		name := "`" + o.Name + "`"
		if o.Deciding {
			name = "**" + name + "**"
		}
		b.WriteString("| " + name + " | " + o.Doc + " | " + o.Known + " | " + string(o.Confidence) + " |\n")
	}
	return b.String()
}

func TestTheDocumentListsEveryInferredBehaviour(t *testing.T) {
	doc, err := os.ReadFile("../../docs/credly.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), table()) {
		t.Errorf("docs/credly.md does not hold this table:\n%s", table())
	}
}
