package main

import (
	"strings"
	"testing"
)

const passing = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
`

const skipping = `{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    redis.go:12: redis-server is missing\n"}
{"Action":"skip","Package":"p","Test":"TestB","Elapsed":0}
`

func TestASkippedTestFailsInCIAloneAndIsNamedWithItsReason(t *testing.T) {
	for _, strict := range []bool{false, true} {
		var out strings.Builder
		if got := report(strings.NewReader(passing+skipping), &out, strict); got == strict {
			t.Errorf("strict %v: all is well: %v", strict, got)
		}
		if want := "skipped p TestB: redis-server is missing"; !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
	}
}

func TestAPackageWithoutTestsIsNotASkippedTest(t *testing.T) {
	var out strings.Builder
	if !report(strings.NewReader(passing+`{"Action":"skip","Package":"q"}`+"\n"), &out, true) {
		t.Error(out.String())
	}
}

func TestWhatFailedIsShownWhole(t *testing.T) {
	var out strings.Builder
	in := passing + `{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:3: the cause\n"}
{"Action":"fail","Package":"p","Test":"TestC"}
`
	if report(strings.NewReader(in), &out, false) {
		t.Error("a failed test is well")
	}
	if !strings.Contains(out.String(), "the cause") {
		t.Error(out.String())
	}
}

func TestWhatDoesNotBuildFails(t *testing.T) {
	var out strings.Builder
	in := passing + `{"Action":"build-output","ImportPath":"r","Output":"r.go:1: no\n"}
{"Action":"build-fail","ImportPath":"r"}
`
	if report(strings.NewReader(in), &out, false) || !strings.Contains(out.String(), "r.go:1: no") {
		t.Error(out.String())
	}
}

func TestNoTestAtAllIsNotWell(t *testing.T) {
	var out strings.Builder
	if report(strings.NewReader(""), &out, false) {
		t.Error("nothing was run, and that is well")
	}
}
