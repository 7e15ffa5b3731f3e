// Command fuzz runs the fuzz tests of the repository one after the other and
// prints how often each was executed.
//
//	go run ./scripts/fuzz -time 10s            each for 10 s
//	go run ./scripts/fuzz -execs 100000        each so many times
//	go run ./scripts/fuzz -total 10000000      until all together reach so many
//
// It ends with 1 when a test failed; Go then leaves the input beside the test,
// under testdata/fuzz.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	var o options
	flag.DurationVar(&o.time, "time", 10*time.Second, "for how long each test runs")
	flag.IntVar(&o.execs, "execs", 0, "how often each test is executed, instead of a time")
	flag.IntVar(&o.total, "total", 0, "go on in rounds until all tests together were executed so often")
	flag.IntVar(&o.parallel, "parallel", 2, "processes for a test")
	flag.StringVar(&o.tags, "tags", "nomsgpack", "build tags")
	match := flag.String("match", ".", "only tests whose package and name match this expression")
	flag.Parse()
	ok, err := run(o, *match)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

type options struct {
	time     time.Duration
	execs    int
	total    int
	parallel int
	tags     string
}

// target is a fuzz test and what became of it.
type target struct {
	pkg, name string
	execs     int
	found     int // inputs that reached something new
	spent     time.Duration
	failed    bool
}

func run(o options, match string) (ok bool, err error) {
	pattern, err := regexp.Compile(match)
	if err != nil {
		return false, err
	}
	targets, err := find(pattern)
	if err != nil {
		return false, err
	}
	if len(targets) == 0 {
		return false, errors.New("no fuzz test matches")
	}
	each := o.time.String()
	if o.execs > 0 {
		each = strconv.Itoa(o.execs) + "x"
	}
	for {
		for _, t := range targets {
			if t.failed || o.total > 0 && sum(targets) >= o.total {
				continue
			}
			t.run(o, each)
		}
		done := sum(targets)
		if done >= o.total || !slices.ContainsFunc(targets, func(t *target) bool { return !t.failed }) {
			break
		}
		each = next(targets, o.total-done).String()
	}
	return report(targets), nil
}

// next is how long each test has to run for what is left, at the speed so far;
// a minute at most, so that slow and fast ones take turns.
func next(targets []*target, left int) time.Duration {
	rate := 1.0 // executions a second, were each test run for a second
	for _, t := range targets {
		if !t.failed && t.spent > 0 {
			rate += float64(t.execs) / t.spent.Seconds()
		}
	}
	return min(max(time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second)+time.Second, 2*time.Second), time.Minute)
}

func sum(targets []*target) (n int) {
	for _, t := range targets {
		n += t.execs
	}
	return n
}

// find lists the fuzz tests in Git's view of the folder, new files included.
func find(match *regexp.Regexp) ([]*target, error) {
	out, err := exec.Command("git", "grep", "--untracked", "-o", "^func Fuzz[A-Za-z0-9_]*", "--", "*_test.go").Output()
	if err != nil && len(out) > 0 {
		return nil, fmt.Errorf("git grep: %w", err)
	}
	var targets []*target
	for line := range strings.Lines(string(out)) {
		file, name, _ := strings.Cut(strings.TrimSpace(line), ":func ")
		t := &target{pkg: "./" + filepath.ToSlash(filepath.Dir(file)), name: name}
		if match.MatchString(t.pkg + " " + t.name) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// progress is a line of go test -fuzz.
var progress = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+)`)

func (t *target) run(o options, each string) {
	fmt.Printf("%s %s, %s … ", t.pkg, t.name, each)
	args := []string{"test", "-tags", o.tags, "-run", "^$", "-fuzz", "^" + t.name + "$", "-fuzztime", each, "-fuzzminimizetime", "100x", "-parallel", strconv.Itoa(o.parallel), t.pkg}
	start := time.Now()
	out, err := exec.Command("go", args...).CombinedOutput()
	t.spent += time.Since(start)
	execs, found := counts(out)
	t.execs += execs
	t.found += found
	if err != nil && !ownDeadline(out) {
		t.failed = true
		fmt.Printf("FAILED\n%s\n", out)
		return
	}
	fmt.Println(grouped(execs))
}

// counts reads the last line of progress.
func counts(out []byte) (execs, found int) {
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		if m := progress.FindStringSubmatch(s.Text()); m != nil {
			execs, _ = strconv.Atoi(m[1]) // digits, by the expression
			found, _ = strconv.Atoi(m[2])
		}
	}
	return execs, found
}

// ownDeadline tells whether Go's fuzzing took its own deadline for a failure of
// the test, as it does now and then (go.dev/issue/56238): there is no input then.
func ownDeadline(out []byte) bool {
	return bytes.Contains(out, []byte("context deadline exceeded")) && !bytes.Contains(out, []byte("Failing input"))
}

func report(targets []*target) (ok bool) {
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "package\ttest\texecutions\tnew inputs\tresult")
	ok = true
	for _, t := range targets {
		result := "ok"
		if t.failed {
			result, ok = "FAILED", false
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", t.pkg, t.name, grouped(t.execs), t.found, result)
	}
	fmt.Fprintf(w, "total\t%d tests\t%s\t\t\n", len(targets), grouped(sum(targets)))
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		return false
	}
	return ok
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
