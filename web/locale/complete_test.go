package locale_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)

// flat gives the texts of a language by key; the forms of a count are keys of
// their own under the key's name.
func flat(t *testing.T, file string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var in map[string]any
	if err := json.Unmarshal(raw, &in); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	out := map[string]string{}
	for key, v := range in {
		switch v := v.(type) {
		case string:
			out[key] = v
		case map[string]any:
			for form, text := range v {
				s, ok := text.(string)
				if !ok {
					t.Errorf("%s: %s.%s is no text", file, key, form)
				}
				out[key+"#"+form] = s
			}
		default:
			t.Errorf("%s: %s is no text", file, key)
		}
	}
	return out
}

func holes(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestEveryLanguageHasEveryTextWithItsPlaceholders(t *testing.T) {
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	english := flat(t, "en.json")
	for _, file := range files {
		texts := flat(t, file)
		for key, want := range english {
			got, ok := texts[key]
			if !ok && strings.HasSuffix(key, "#one") {
				continue // not every language has a form for one
			}
			switch {
			case !ok:
				t.Errorf("%s lacks %s", file, key)
			case strings.TrimSpace(got) == "" && want != "":
				t.Errorf("%s: %s is empty", file, key)
			case !strings.HasSuffix(key, "#one") && !slices.Equal(holes(got), holes(want)):
				t.Errorf("%s: %s has the placeholders %v, not %v", file, key, holes(got), holes(want))
			}
		}
		for key := range texts {
			base, form, counted := strings.Cut(key, "#")
			if _, ok := english[key]; !ok && (!counted || form != "many" || english[base+"#other"] == "") {
				t.Errorf("%s has %s, which English lacks", file, key)
			}
		}
	}
}

var (
	plainSpace  = regexp.MustCompile(`[^\x{a0}\x{202f}{}][:;?!»](\s|$)|« `)
	typewritten = regexp.MustCompile(`\p{L}'|'\p{L}`)
)

func TestTextsAreSetAsTheLanguageIs(t *testing.T) {
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		for key, text := range flat(t, file) {
			if typewritten.MatchString(text) {
				t.Errorf("%s: %s has a typewriter's apostrophe: %s", file, key, text)
			}
			if file == "fr.json" && plainSpace.MatchString(placeholder.ReplaceAllString(text, "x")) {
				t.Errorf("%s: %s lacks a non-breaking space: %s", file, key, text)
			}
		}
	}
}
