package wordpress_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Rules that find nothing look like code without faults.
func TestTheRulesFindWhatTheyAreFor(t *testing.T) {
	phpcs := need(t, "phpcs", "php-codesniffer")
	const bad = "phpcs/tests/bad.php"
	source, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]string{}
	for i, line := range strings.Split(string(source), "\n") {
		if m := regexp.MustCompile(`; // (\w+)$`).FindStringSubmatch(line); m != nil {
			want[i+1] = m[1]
		}
	}
	out, _ := exec.Command(phpcs, "-q", "--standard=phpcs.xml", "--report=json", bad).Output() // it ends with 2
	var report struct {
		Files map[string]struct {
			Messages []struct {
				Line   int    `json:"line"`
				Source string `json:"source"`
			} `json:"messages"`
		} `json:"files"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := map[int]string{}
	for _, file := range report.Files {
		for _, m := range file.Messages {
			found[m.Line] = strings.Split(m.Source, ".")[2]
		}
	}
	for _, line := range slices.Sorted(maps.Keys(want)) {
		if found[line] != want[line] {
			t.Errorf("line %d: found by %q, not by %s", line, found[line], want[line])
		}
		delete(found, line)
	}
	for line, rule := range found {
		t.Errorf("line %d is found by %s, and nothing is wrong with it", line, rule)
	}
}
