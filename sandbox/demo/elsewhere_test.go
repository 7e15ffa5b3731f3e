package demo_test

import (
	"slices"
	"strings"
	"testing"

	"badgebridge/sandbox/college"
	"badgebridge/sandbox/demo"
)

func TestWhatTheEarnerShowsIsHers(t *testing.T) {
	held := map[string]bool{}
	for _, b := range demo.Elsewhere() {
		if b.Email != demo.Earner {
			t.Errorf("%s belongs to %s", b.Name, b.Email)
		}
		held[b.Name] = true
	}
	for _, a := range demo.Awards() {
		held[a.Badge] = held[a.Badge] || a.Email == demo.Earner
	}
	for name := range demo.Showing() {
		if !held[name] {
			t.Errorf("she shows %q, and has it not", name)
		}
	}
	for _, c := range demo.Collections() {
		for _, name := range c.Badges {
			if !held[name] {
				t.Errorf("%q holds %q, which she has not", c.Name, name)
			}
		}
		if !slices.Contains(c.Badges, c.Cover) {
			t.Errorf("the cover of %q is not in it", c.Name)
		}
	}
	for _, slug := range []string{demo.RevokedThere, demo.GoneThere} {
		if !slices.ContainsFunc(demo.Elsewhere(), func(b college.Badge) bool { return b.Slug == slug && !b.Credential }) {
			t.Errorf("the college hosts no %q", slug)
		}
	}
	if !strings.Contains(demo.College, "demo") {
		t.Errorf("%q is not plainly made up", demo.College)
	}
}
