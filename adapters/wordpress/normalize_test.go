package wordpress

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const anyUUID = "0b0e7a52-3f7c-4b2e-9f4e-6a1d2c3b4a59"

// normalized is what becomes of a file, by its name's first word.
func normalized(name string, raw []byte) any {
	var out struct {
		Result any    `json:"result,omitempty"`
		Taken  bool   `json:"taken"`
		Error  string `json:"error,omitempty"`
	}
	var err error
	switch kind, _, _ := strings.Cut(strings.TrimSuffix(name, ".json"), "-"); kind {
	case "award":
		r, e := normalizeAward(anyUUID, raw)
		r.Raw = nil
		out.Result, out.Taken, err = r, e == nil, e
	case "change":
		r, ok, e := normalizeChange(anyUUID, raw)
		r.Raw = nil
		out.Result, out.Taken, err = r, ok, e
	case "class":
		c, e := normalizeClass(raw)
		c.Raw = nil
		out.Result, out.Taken, err = c, e == nil, e
	}
	if !out.Taken {
		out.Result = nil
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

func TestNormalizingGivesTheGoldenRecords(t *testing.T) {
	files, err := filepath.Glob("testdata/normalize/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(normalized(filepath.Base(file), raw), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Whatever a site sends: no panic, the same bytes give the same record, and a
// record that is taken has a reference that reads back.
func FuzzNormalize(f *testing.F) {
	files, err := filepath.Glob("testdata/normalize/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept := bytes.Clone(raw)
		if r, err := normalizeAward(anyUUID, raw); err == nil {
			if _, entry, fingerprint, err := splitRef(r.Ref); err != nil || entry <= 0 || fingerprint == "" {
				t.Errorf("reference %q: %v", r.Ref, err)
			}
			if again, err := normalizeAward(anyUUID, raw); err != nil || !reflect.DeepEqual(r, again) {
				t.Errorf("twice differs: %v", err)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("the record can't be kept: %v", err)
			}
		}
		if r, ok, err := normalizeChange(anyUUID, raw); err == nil && ok {
			if _, _, _, err := splitRef(r.Ref); err != nil {
				t.Errorf("reference %q: %v", r.Ref, err)
			}
		}
		if c, err := normalizeClass(raw); err == nil && c.Ref == "" {
			t.Error("a badge without a reference")
		}
		if !bytes.Equal(raw, kept) {
			t.Error("the bytes were changed")
		}
	})
}
