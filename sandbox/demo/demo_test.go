package demo_test

import (
	"strings"
	"testing"
	"time"

	"badgebridge/sandbox/demo"
	"badgebridge/sandbox/site"
)

func TestThePeopleArePlainlyDemo(t *testing.T) {
	waits := 0
	for _, p := range demo.People() {
		if !strings.HasSuffix(p.Email, "@example.org") {
			t.Errorf("%s is not under example.org", p.Email)
		}
		if p.FamilyName == "" {
			waits++
		}
	}
	if waits != 1 {
		t.Errorf("%d people without a family name; the story needs one", waits)
	}
}

func TestTheSiteTakesTheCast(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := site.New(site.Config{BaseURL: "http://site.example.org", Name: demo.Association, Seed: demo.SiteSeed(now)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, want := len(s.Awards()), len(demo.Awards()); got != want {
		t.Errorf("the site holds %d awards, want %d", got, want)
	}
	for _, a := range s.Awards() {
		if a.Member == nil || a.On.After(now) {
			t.Errorf("entry %d: member %v on %v", a.Entry, a.Member, a.On)
		}
	}
	if s.Pending() != 0 {
		t.Error("the seed counts as news")
	}
}
