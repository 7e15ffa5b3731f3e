package v2_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"badgebridge/openbadges"
	v2 "badgebridge/openbadges/v2"
)

func class() openbadges.BadgeClass {
	return openbadges.BadgeClass{
		ID: "https://badges.example.org/ob/v2/badgeclasses/7?a=1&b=2", Version: "3", Name: "First Aid <basic>", Description: "Knows what to do.",
		Image:    &openbadges.Image{ID: "https://badges.example.org/ob/images/abc", Caption: "A red cross"},
		Criteria: openbadges.Criteria{ID: "https://badges.example.org/b/7/criteria", Narrative: "Pass the *test*."},
		Issuer:   openbadges.Profile{ID: "https://badges.example.org/ob/v2/issuers/1"},
		Tags:     []string{"health", "first aid"}, Language: "en",
		Alignments: []openbadges.Alignment{{TargetName: "Care", TargetURL: "https://example.org/care", TargetCode: "C-1"}},
	}
}

func assertion() v2.Assertion {
	return v2.Assertion{
		ID: "https://badges.example.org/ob/v2/assertions/x1",
		Award: openbadges.Award{
			BadgeClass: class(),
			Recipient:  v2.HashRecipient(openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: " Nobody@Example.org "}, "deadsea"),
			IssuedOn:   time.Date(2025, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600)),
			Expires:    time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC),
			Evidence:   []openbadges.Evidence{{ID: "https://example.org/e?x=1&y=2", Narrative: "Seen."}},
			Narrative:  "Well done",
		},
		Image: &openbadges.Image{ID: "https://badges.example.org/b/x1/baked.png"},
	}
}

func TestAnAssertionIsWrittenToTheByte(t *testing.T) {
	want := `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"https://badges.example.org/ob/v2/assertions/x1",` +
		`"recipient":{"type":"email","hashed":true,"salt":"deadsea","identity":"sha256$ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942"},` +
		`"badge":"https://badges.example.org/ob/v2/badgeclasses/7?a=1&b=2","issuedOn":"2025-03-04T04:06:07Z","expires":"2035-01-01T00:00:00Z",` +
		`"image":"https://badges.example.org/b/x1/baked.png","evidence":[{"type":"Evidence","id":"https://example.org/e?x=1&y=2","narrative":"Seen."}],` +
		`"narrative":"Well done","verification":{"type":"HostedBadge"}}`
	for range 3 {
		got, _, err := v2.EncodeAssertion(assertion())
		if err != nil || string(got) != want {
			t.Fatalf("got %s, %v\nwant %s", got, err, want)
		}
	}
}

func TestABadgeAnIssuerAndARevocationAreWrittenToTheByte(t *testing.T) {
	got, lost, err := v2.EncodeBadgeClass(class())
	want := `{"@context":"https://w3id.org/openbadges/v2","type":"BadgeClass","id":"https://badges.example.org/ob/v2/badgeclasses/7?a=1&b=2",` +
		`"name":"First Aid <basic>","description":"Knows what to do.","image":{"type":"Image","id":"https://badges.example.org/ob/images/abc","caption":"A red cross"},` +
		`"criteria":{"id":"https://badges.example.org/b/7/criteria","narrative":"Pass the *test*."},"issuer":"https://badges.example.org/ob/v2/issuers/1",` +
		`"tags":["health","first aid"],"alignment":[{"type":"AlignmentObject","targetName":"Care","targetUrl":"https://example.org/care","targetCode":"C-1"}],"version":"3","@language":"en"}`
	if err != nil || string(got) != want || len(lost) != 0 {
		t.Errorf("got %s, %v, %v\nwant %s", got, lost, err, want)
	}
	got, _, err = v2.EncodeIssuer(openbadges.Profile{ID: "https://x.example/i", Name: "A & B", URL: "https://x.example", Email: "a@x.example",
		Unknown: map[string]json.RawMessage{"z": json.RawMessage(`{ "b" : [1] }`), "a": json.RawMessage(`1`), "name": json.RawMessage(`"no"`)}})
	want = `{"@context":"https://w3id.org/openbadges/v2","type":"Issuer","id":"https://x.example/i","name":"A & B","url":"https://x.example","email":"a@x.example","a":1,"z":{"b":[1]}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	got, err = v2.EncodeRevoked("https://x.example/a", "Issued by mistake")
	want = `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"https://x.example/a","revoked":true,"revocationReason":"Issued by mistake"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
	revoked := assertion()
	revoked.Award.Revoked, revoked.Award.RevocationReason = true, "Issued by mistake"
	if got, _, err := v2.EncodeAssertion(revoked); err != nil || !strings.Contains(string(got), `"revoked":true`) || strings.Contains(string(got), "recipient") {
		t.Errorf("a revoked award was written as %s, %v", got, err)
	}
}

func TestAnIncompleteDocumentIsNotWritten(t *testing.T) {
	change := func(f func(*v2.Assertion)) error {
		a := assertion()
		f(&a)
		_, _, err := v2.EncodeAssertion(a)
		return err
	}
	for name, err := range map[string]error{
		"id":                 change(func(a *v2.Assertion) { a.ID = "x1" }),
		"badge":              change(func(a *v2.Assertion) { a.Award.BadgeClass.ID = "" }),
		"issuedOn":           change(func(a *v2.Assertion) { a.Award.IssuedOn = time.Time{} }),
		"expires":            change(func(a *v2.Assertion) { a.Award.Expires = a.Award.IssuedOn.Add(-1) }),
		"recipient.hashed":   change(func(a *v2.Assertion) { a.Award.Recipient.Hashed = false }),
		"recipient.identity": change(func(a *v2.Assertion) { a.Award.Recipient.Identity = "" }),
		"verification":       change(func(a *v2.Assertion) { a.Verification.Type = v2.SignedBadge }),
		"image": func() error {
			c := class()
			c.Image = nil
			_, _, err := v2.EncodeBadgeClass(c)
			return err
		}(),
		"criteria": func() error {
			c := class()
			c.Criteria = openbadges.Criteria{}
			_, _, err := v2.EncodeBadgeClass(c)
			return err
		}(),
		"email": func() error {
			_, _, err := v2.EncodeIssuer(openbadges.Profile{ID: "https://x.example/i", Name: "A", URL: "https://x.example", Email: "A <a@x.example>"})
			return err
		}(),
	} {
		if !errors.Is(err, v2.ErrIncomplete) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWhatOB2HasNoPlaceForIsReported(t *testing.T) {
	a := assertion()
	a.Award.Recipient.GivenName, a.Award.Recipient.FamilyName = "Demo", "Person"
	doc, lost, err := v2.EncodeAssertion(a)
	if err != nil || len(lost) != 1 || bytes.Contains(doc, []byte("Person")) {
		t.Errorf("got %v, %v", lost, err)
	}
	c := class()
	c.Alignments[0].TargetType = "CFItem"
	if _, lost, err := v2.EncodeBadgeClass(c); err != nil || len(lost) != 1 || lost[0].Path != "alignment[0].targetType" {
		t.Errorf("got %v, %v", lost, err)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	a := assertion()
	doc, _, _ := v2.EncodeAssertion(a)
	got, notes, err := v2.DecodeAssertion(doc)
	if err != nil || len(notes) != 0 {
		t.Fatalf("%v, %v", notes, err)
	}
	a.Award.BadgeClass = openbadges.BadgeClass{ID: a.Award.BadgeClass.ID}
	a.Award.IssuedOn = a.Award.IssuedOn.UTC()
	a.Award.AssertionURL = a.ID
	a.Verification.Type = v2.HostedBadge
	if !reflect.DeepEqual(got, a) {
		t.Errorf("got  %+v\nwant %+v", got, a)
	}
	doc, _, _ = v2.EncodeBadgeClass(class())
	c, notes, err := v2.DecodeBadgeClass(doc)
	if err != nil || len(notes) != 0 || !reflect.DeepEqual(c, class()) {
		t.Errorf("got %+v, %v, %v", c, notes, err)
	}
}

// Any class that can be written survives reading and writing again, unknown
// members included.
func TestEveryBadgeClassSurvivesTheRoundTrip(t *testing.T) {
	text := rapid.StringMatching(`[ -~æøå]{1,20}`).Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	rapid.Check(t, func(t *rapid.T) {
		c := class()
		c.Name, c.Description = text.Draw(t, "name"), text.Draw(t, "description")
		c.Tags = rapid.SliceOfN(text, 0, 3).Draw(t, "tags")
		c.Criteria.Narrative = rapid.OneOf(rapid.Just(""), text).Draw(t, "narrative")
		c.Image.Author = rapid.OneOf(rapid.Just(""), text).Draw(t, "author")
		raw, _ := json.Marshal(map[string]string{"k": text.Draw(t, "unknown")})
		c.Unknown = map[string]json.RawMessage{"extensions:" + rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "term"): raw}
		doc, _, err := v2.EncodeBadgeClass(c)
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := v2.DecodeBadgeClass(doc)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := v2.EncodeBadgeClass(back)
		if err != nil || !bytes.Equal(again, doc) {
			t.Fatalf("changed: %v\n%s\n%s", err, doc, again)
		}
	})
}

func TestCredlysDocumentsAreRead(t *testing.T) {
	doc := `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"https://api.example.com/v1/obi/v2/badge_assertions/b1",
	 "badge":"https://api.example.com/v1/obi/v2/issuers/o/badge_classes/t","issuedOn":"2024-04-01T14:41:00.000Z",
	 "recipient":{"type":"email","hashed":true,"identity":"sha256$00"},
	 "evidence":[{"@context":"https://w3id.org/openbadges/v2","type":"Evidence","id":"https://example.org/e","name":"n","description":"d","genre":"UrlEvidence"}],
	 "verification":{"type":"hosted"}}`
	a, notes, err := v2.DecodeAssertion([]byte(doc))
	if err != nil || len(notes) != 0 || a.Verification.Type != v2.HostedBadge || len(a.Award.Evidence) != 1 || a.Award.Evidence[0].Genre != "UrlEvidence" {
		t.Errorf("got %+v, %v, %v", a, notes, err)
	}
	doc = `{"@context":"https://w3id.org/openbadges/v2","type":"BadgeClass","id":"https://api.example.com/c","name":"N","description":"D",
	 "image":{"@context":"https://w3id.org/openbadges/v2","id":"https://images.example.com/i.png"},
	 "criteria":{"@context":"https://w3id.org/openbadges/v2","id":"https://example.com/t","narrative":"Course: A"},
	 "issuer":{"type":"Profile","id":"https://api.example.com/i","name":"Org","url":"https://example.com","email":"info@example.com"},"tags":["x"],"alignment":[]}`
	c, notes, err := v2.DecodeBadgeClass([]byte(doc))
	if err != nil || len(notes) != 0 || c.Issuer.Name != "Org" || c.Image.ID != "https://images.example.com/i.png" || c.Criteria.Narrative != "Course: A" {
		t.Errorf("got %+v, %v, %v", c, notes, err)
	}
}

func TestOddShapesAreReadAndNoted(t *testing.T) {
	for _, c := range []struct {
		doc, path string
		check     func(v2.Assertion) bool
	}{
		{`{"type":["Assertion","Extension"],"recipient":"nobody@example.org"}`, "recipient", func(a v2.Assertion) bool { return a.Award.Recipient.Identity == "nobody@example.org" }},
		{`{"recipient":"sha1$aa","salt":"x"}`, "recipient", func(a v2.Assertion) bool { return a.Award.Recipient.Hashed && a.Award.Recipient.Salt == "x" }},
		{`{"recipient":{"type":"email","hashed":"true","identity":"sha256$aa"}}`, "recipient.hashed", func(a v2.Assertion) bool { return a.Award.Recipient.Hashed }},
		{`{"recipient":{"identity":"sha256$aa"}}`, "recipient.type", func(a v2.Assertion) bool { return a.Award.Recipient.Type == openbadges.IdentityEmail }},
		{`{"recipient":[{"type":"email","hashed":false,"identity":"a@example.org"},{}]}`, "recipient", func(a v2.Assertion) bool { return a.Award.Recipient.Identity == "a@example.org" }},
		{`{"issuedOn":1400000000}`, "issuedOn", func(a v2.Assertion) bool { return a.Award.IssuedOn.Year() == 2014 }},
		{`{"issuedOn":"2015-04-30"}`, "issuedOn", func(a v2.Assertion) bool { return a.Award.IssuedOn.Year() == 2015 }},
		{`{"issued_on":"2015-04-30T00:00:00Z"}`, "issued_on", func(a v2.Assertion) bool { return a.Award.IssuedOn.Year() == 2015 }},
		{`{"issuedOn":"soon"}`, "issuedOn", func(a v2.Assertion) bool { return a.Award.IssuedOn.IsZero() }},
		{`{"verify":{"type":"hosted","url":"https://example.org/a"}}`, "verify", func(a v2.Assertion) bool { return a.Award.AssertionURL == "https://example.org/a" }},
		{`{"image":["https://example.org/1.png","https://example.org/2.png"]}`, "image", func(a v2.Assertion) bool { return a.Image.ID == "https://example.org/1.png" }},
		{`{"badge":{"type":"BadgeClass","name":"N","alignment":{"name":"n","url":"u"}}}`, "badge.alignment.name", func(a v2.Assertion) bool { return a.Award.BadgeClass.Alignments[0].TargetName == "n" }},
		{`{"badge":{"id":"a-12","issuer":[],"description":"<p>x</p>","tags":7}}`, "badge.description", func(a v2.Assertion) bool { return a.Award.BadgeClass.ID == "a-12" && a.Award.BadgeClass.Tags[0] == "7" }},
		{`{"revoked":"1","revocationReason":"r"}`, "revoked", func(a v2.Assertion) bool { return a.Award.Revoked }},
		{`{"narrative":{"@value":"hej","@language":"da"}}`, "narrative", func(a v2.Assertion) bool { return a.Award.Narrative == "hej" }},
	} {
		a, notes, err := v2.DecodeAssertion([]byte(c.doc))
		if err != nil || !c.check(a) {
			t.Errorf("%s: got %+v, %v", c.doc, a, err)
		}
		if !slices.ContainsFunc(notes, func(n v2.Note) bool { return n.Path == c.path }) {
			t.Errorf("%s: no note on %s in %v", c.doc, c.path, notes)
		}
	}
	for _, bad := range []string{"", "[]", "null", "{", `"x"`, "<html>"} {
		if _, _, err := v2.DecodeAssertion([]byte(bad)); !errors.Is(err, v2.ErrNotJSON) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, _, err := v2.DecodeAssertion(make([]byte, v2.MaxDocument+1)); !errors.Is(err, v2.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

func TestDatesAreReadAsTheSpecificationSays(t *testing.T) {
	want := time.Date(2016, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, s := range []string{
		"2016-12-31T23:59:59Z", "2016-12-31T23:59:59+00:00", "2017-01-01T00:59:59+0100", "2016-12-31T20:59:59-03",
		"20161231T235959Z", "2016-W52-6T23:59:59Z", "2016W526T235959Z", "2016-366T23:59:59Z", "2016-12-31T23:59:59.000Z", "2016-12-31T23:59:59,0Z",
	} {
		if got, err := v2.ParseTime(s); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v", s, got, err)
		}
	}
	for s, want := range map[string]string{"2016-12-31T24:00:00Z": "2017-01-01T00:00:00Z", "2016-12-31T23:59Z": "2016-12-31T23:59:00Z", "2016-12-31T10.5Z": "2016-12-31T10:30:00Z"} {
		if got, err := v2.ParseTime(s); err != nil || v2.FormatTime(got) != want {
			t.Errorf("%s: got %v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "T", "Z", "2016-12-31", "1483228799", "2016-12-31 23:59:59Z", "2016-12-31T23:59:59", "2016-12-31T23:59:59z", "2016-12-31t23:59:59Z",
		"2016-02-30T00:00:00Z", "2016-13-01T00:00:00Z", "2016-12-31T23:59:60Z", "2016-12-31T24:00:01Z", "2016-12-31T23:60:00Z", "2016-12-31T23:59:59+24:00",
		"2016-12-31T23:59:59+1", "2015-366T00:00:00Z", "2016-W53-1T00:00:00Z", "2016-W00-1T00:00:00Z", "2016-12-31T23:59:59.Z", "2016-12-31T23:59:59.1e3Z", "2016-1231T00:00:00Z", "yesterdayT00:00:00Z",
	} {
		if got, err := v2.ParseTime(s); err == nil {
			t.Errorf("%s was read as %v", s, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	doc, _, _ := v2.EncodeAssertion(assertion())
	f.Add(doc)
	f.Add([]byte(`{"badge":[{"issuer":[[]],"image":{},"criteria":[null]}],"recipient":[[]],"evidence":{},"type":{}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		a, _, err := v2.DecodeAssertion(doc)
		if err == nil {
			v2.EncodeAssertion(a)
		}
		if c, _, err := v2.DecodeBadgeClass(doc); err == nil {
			v2.EncodeBadgeClass(c)
		}
		v2.DecodeIssuer(doc)
	})
}

func ExampleEncodeAssertion() {
	doc, _, err := v2.EncodeAssertion(v2.Assertion{
		ID: "https://badges.example.org/ob/v2/assertions/1",
		Award: openbadges.Award{
			BadgeClass: openbadges.BadgeClass{ID: "https://badges.example.org/ob/v2/badgeclasses/1"},
			Recipient:  v2.HashRecipient(openbadges.Recipient{Identity: "nobody@example.org"}, "deadsea"),
			IssuedOn:   time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
		},
	})
	fmt.Println(len(doc) > 0, err)
	// Output: true <nil>
}
