package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
)

// vectorFile finds the test data that is shared with other projects.
func vectorFile(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no module root")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "..", "shared", "vectors", "ob2", "cases.json")
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the test vectors are missing: %v", err)
		}
		t.Skipf("the test vectors are not on this machine: %v", err)
	}
	return path
}

type vector struct {
	Name  string `json:"name"`
	Input struct {
		Kind  string `json:"kind"`
		Value string `json:"value"`
	} `json:"input"`
	Recipient map[string]any  `json:"recipient_profile"`
	Resources json.RawMessage `json:"resources"`
	Reference struct {
		Valid bool `json:"valid"`
	} `json:"expected_reference"`
	SpecValid *bool `json:"spec_valid"`
}

func (v vector) expected() bool {
	if v.SpecValid != nil {
		return *v.SpecValid
	}
	return v.Reference.Valid
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile(vectorFile(t))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []vector `json:"cases"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func identifiers(profile map[string]any) []verify.Identifier {
	var out []verify.Identifier
	for k, v := range profile {
		values, ok := v.([]any)
		if !ok {
			values = []any{v}
		}
		for _, value := range values {
			if s, ok := value.(string); ok {
				out = append(out, verify.Identifier{Type: openbadges.IdentityType(k), Value: s})
			}
		}
	}
	return out
}

func (v vector) run(t testing.TB) verify.Report {
	t.Helper()
	res, err := verify.ReadResources(bytes.NewReader(v.Resources))
	if err != nil {
		t.Fatal(err)
	}
	in := verify.Input{Data: []byte(v.Input.Value)}
	if v.Input.Kind == "url" {
		in = verify.Input{URL: v.Input.Value}
	}
	return verify.Verify(context.Background(), in, verify.Options{
		Fetcher: res, Recipient: identifiers(v.Recipient),
		Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) },
	})
}

// faults says which checks may tell the fault of the cases whose names begin so.
// The longest match counts.
var faults = map[string]string{
	"hosted/": "schema", "hosted/type-missing": "type", "hosted/badgeclass-missing-type": "type", "hosted/issuer-missing-type": "type", "hosted/issuer-type": "type",
	"hosted/assertion-missing-recipient": "recipient", "hosted/badgeclass-missing-image": "image", "hosted/assertion-missing-type": "type",
	"recipient/": "recipient", "dates/": "schema", "dates/issued-in-future": "validity", "dates/expired": "validity", "dates/expires-before": "validity",
	"evidence/": "evidence", "narrative/": "schema", "image/": "image", "criteria/": "schema", "alignment/": "alignment", "tags/": "schema",
	"scope/": "scope", "link/": "hosting", "link/embedded-badge-no-id": "schema", "link/bom": "format", "revoked/": "status", "jsonld/context": "context",
	"lang/": "schema", "version/": "schema", "related/": "schema", "endorsement/": "endorsement", "extension/": "extension", "input/": "input",
	"signed/": "proof", "signed/key": "key", "signed/owner": "key", "signed/expired": "validity", "signed/rev": "status",
	"v1.1/expires": "validity", "v1.0/recipient": "recipient", "v1.0/missing": "schema", "v0.5/origin": "scope", "v0.5/expires": "validity", "v0.5/json": "hosting",
}

func faultOf(name string) string {
	longest := ""
	for prefix := range faults {
		if strings.HasPrefix(name, prefix) && len(prefix) > len(longest) {
			longest = prefix
		}
	}
	return faults[longest]
}

func TestEveryVectorHasTheOutcomeOfTheSpecification(t *testing.T) {
	for _, v := range loadVectors(t) {
		rep := v.run(t)
		switch {
		case rep.Valid && !v.expected():
			t.Errorf("%s: FALSE VALID", v.Name)
		case rep.Valid != v.expected():
			t.Errorf("%s: got %s, want valid=%v: %s", v.Name, rep.Outcome, v.expected(), strings.Join(rep.Problems(), " | "))
		case v.expected():
			continue
		}
		// What is wrong is told by the check that is at fault, and by no other but
		// that the issuer's document as a whole is no good then.
		fault, told := faultOf(v.Name), false
		for _, c := range rep.Checks {
			bad := c.Status == verify.Fail || c.Status == verify.Warn && rep.Outcome == verify.Unknown
			told = told || bad && c.Name == fault
			if bad && c.Name != fault && !(c.Name == "issuer" && fault == "schema") && !(c.Name == "hosting" && fault == "status") && !(c.Name == "input" && fault == "scope") {
				t.Errorf("%s: %s says %s; the fault is that of %s", v.Name, c.Name, c.Message, fault)
			}
		}
		if !told {
			t.Errorf("%s: %s did not say so: %s", v.Name, fault, strings.Join(rep.Problems(), " | "))
		}
	}
}
