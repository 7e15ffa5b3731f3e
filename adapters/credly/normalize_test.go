package credly

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testAPI = "https://api.example.org/v1"

func TestNormalizeGivesWhatTheGoldenFilesHold(t *testing.T) {
	files, err := filepath.Glob("testdata/normalize/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := normalizeBadge(raw, testAPI)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(r.Raw, raw) {
				t.Error("the raw bytes were changed")
			}
			r.Raw, r.Version = nil, ""
			got := filled(t, r)
			golden := strings.TrimSuffix(name, ".json") + ".golden"
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

// filled is v as JSON without its empty members, so that a new field in the
// model leaves the golden files as they are.
func filled(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		t.Fatal(err)
	}
	if b, err = json.MarshalIndent(prune(tree), "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if x = prune(x); x == nil {
				delete(v, k)
			} else {
				v[k] = x
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" || v == "0001-01-01T00:00:00Z" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

func TestCountersInTheTemplateDoNotChangeTheVersion(t *testing.T) {
	doc := func(count string) []byte {
		return []byte(`{"id":"b","state":"pending","badge_template":{"id":"t","name":"N","badges_count":` + count + `}}`)
	}
	a, _ := normalizeBadge(doc("1"), testAPI)
	b, _ := normalizeBadge(doc("2"), testAPI)
	if a.Version == "" || a.Version != b.Version {
		t.Errorf("versions %q and %q", a.Version, b.Version)
	}
}

func FuzzNormalize(f *testing.F) {
	files, _ := filepath.Glob("testdata/normalize/*.json")
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"id":1,"badge_template":{"id":2},"issued_at":"0000-00-00"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := normalizeBadge(raw, testAPI)
		if err == nil {
			if r.Ref == "" || r.Award.BadgeClass.ID == "" || r.Version == "" {
				t.Error("a record without ref, badge or version")
			}
			for _, at := range []time.Time{r.Award.IssuedOn, r.Award.Expires, r.Award.RevokedOn} {
				if at.Location() != time.UTC {
					t.Error("a time that is not UTC")
				}
			}
			again, err := normalizeBadge(raw, testAPI)
			if err != nil || again.Version != r.Version {
				t.Error("the same bytes gave another version")
			}
			for _, link := range []string{r.Award.PageURL, r.Award.AssertionURL, r.Award.BadgeClass.Criteria.ID} {
				if link != "" && !strings.HasPrefix(strings.ToLower(link), "http") {
					t.Errorf("a link that no page may show: %q", link)
				}
			}
		}
		_, _ = normalizeClass(raw, testAPI)
	})
}
