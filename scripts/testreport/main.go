// Command testreport reads what "go test -json" prints and says it shorter: one
// line a package, the whole output of what failed, and at the end every test
// that was skipped, with its reason. With CI=true a skipped test is a failure,
// because there nothing that the tests need may be missing.
//
// Exit status: 0 all passed, 1 not.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of test2json; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Elapsed    float64
	Output     string
}

func main() {
	if !report(os.Stdin, os.Stdout, os.Getenv("CI") == "true") {
		os.Exit(1)
	}
}

// report reads events until in ends, and tells whether all is well.
func report(in io.Reader, out io.Writer, strict bool) bool {
	var (
		said    = map[string]*strings.Builder{} // output by package and test
		skipped []string
		failed  []string
		passed  int
	)
	of := func(e event) *strings.Builder {
		name := e.Package + " " + e.Test
		if said[name] == nil {
			said[name] = new(strings.Builder)
		}
		return said[name]
	}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				_, _ = out.Write(line) // not from test2json: go's own words
				continue
			}
			switch e.Action {
			case "build-output":
				fmt.Fprint(out, e.Output)
			case "build-fail":
				failed = append(failed, e.ImportPath+" (does not build)")
			case "output":
				of(e).WriteString(e.Output)
			case "pass":
				if e.Test == "" {
					fmt.Fprintf(out, "ok    %-40s %6.1f s\n", e.Package, e.Elapsed)
				} else {
					passed++
					delete(said, e.Package+" "+e.Test)
				}
			case "skip":
				if e.Test != "" {
					skipped = append(skipped, e.Package+" "+e.Test+": "+reason(of(e).String()))
				}
			case "fail":
				text := of(e).String()
				fmt.Fprintf(out, "FAIL  %s %s\n%s", e.Package, e.Test, text)
				failed = append(failed, strings.TrimSpace(e.Package+" "+e.Test))
			}
		}
		if err != nil {
			break
		}
	}
	fmt.Fprintf(out, "\n%d tests passed, %d skipped, %d failed\n", passed, len(skipped), len(failed))
	for _, s := range skipped {
		fmt.Fprintln(out, "  skipped", s)
	}
	for _, f := range failed {
		fmt.Fprintln(out, "  failed ", f)
	}
	if strict && len(skipped) > 0 {
		fmt.Fprintln(out, "a test was skipped although CI=true")
		return false
	}
	return len(failed) == 0 && passed > 0
}

// reason is the text that the test gave to Skip.
func reason(output string) string {
	for line := range strings.SplitSeq(output, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "===") || strings.HasPrefix(line, "---") {
			continue
		}
		if _, text, ok := strings.Cut(line, ".go:"); ok {
			_, text, _ = strings.Cut(text, ": ")
			return text
		}
		return line
	}
	return "no reason given"
}
