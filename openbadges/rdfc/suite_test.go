package rdfc_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"badgebridge/openbadges/rdfc"
)

// suiteDir is where the W3C test suite lies when the project is built with its
// test data beside it.
const suiteDir = "../../../shared/vectors/w3c/rdf-canon"

type entry struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Name   string `json:"name"`
	Hash   string `json:"hashAlgorithm"`
	Action string `json:"action"`
	Result string `json:"result"`
}

func suite(tb testing.TB) []entry {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(suiteDir, "manifest.jsonld"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("the W3C test suite is missing: %v", err)
		}
		tb.Skipf("the W3C test suite is not here: %v", err)
	}
	var m struct {
		Entries []entry `json:"entries"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		tb.Fatal(err)
	}
	if len(m.Entries) < 86 {
		tb.Fatalf("the manifest has %d entries", len(m.Entries))
	}
	return m.Entries
}

func (e entry) read(tb testing.TB, name string) []byte {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(suiteDir, name))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func (e entry) quads(tb testing.TB) []rdfc.Quad {
	tb.Helper()
	quads, err := rdfc.Parse(e.read(tb, e.Action))
	if err != nil {
		tb.Fatal(err)
	}
	return quads
}

func (e entry) options() rdfc.Options {
	if e.Hash == "SHA384" {
		return rdfc.Options{Hash: crypto.SHA384}
	}
	return rdfc.Options{}
}

// TestTheW3CSuitePasses runs all of the suite that W3C published with the
// Recommendation: 64 datasets to canonicalize, of which one with SHA-384, 21 maps
// of labels, of which one with SHA-384, and a poison graph.
func TestTheW3CSuitePasses(t *testing.T) {
	count := map[string]int{}
	for _, e := range suite(t) {
		count[strings.TrimPrefix(e.Type, "rdfc:")+e.Hash]++
		t.Run(e.ID+" "+e.Name, func(t *testing.T) {
			got, err := rdfc.Canonicalize(t.Context(), e.quads(t), e.options())
			switch e.Type {
			case "rdfc:RDFC10NegativeEvalTest":
				if !errors.Is(err, rdfc.ErrTooComplex) {
					t.Fatalf("a poison graph gives %v", err)
				}
			case "rdfc:RDFC10EvalTest":
				if err != nil {
					t.Fatal(err)
				}
				if want := e.read(t, e.Result); string(got.NQuads) != string(want) {
					t.Errorf("got\n%s\nwant\n%s", got.NQuads, want)
				}
			case "rdfc:RDFC10MapTest":
				if err != nil {
					t.Fatal(err)
				}
				var want map[string]string
				if err := json.Unmarshal(e.read(t, e.Result), &want); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got.Labels, want) {
					t.Errorf("got %v, want %v", got.Labels, want)
				}
			default:
				t.Fatalf("unknown kind of test %q", e.Type)
			}
		})
	}
	want := map[string]int{"RDFC10EvalTest": 63, "RDFC10EvalTestSHA384": 1, "RDFC10MapTest": 20, "RDFC10MapTestSHA384": 1, "RDFC10NegativeEvalTest": 1}
	if !reflect.DeepEqual(count, want) {
		t.Errorf("the suite has %v", count)
	}
}

func BenchmarkSuite(b *testing.B) {
	var all [][]rdfc.Quad
	for _, e := range suite(b) {
		if e.Type == "rdfc:RDFC10EvalTest" {
			all = append(all, e.quads(b))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, quads := range all {
			if _, err := rdfc.Canonicalize(b.Context(), quads, rdfc.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
