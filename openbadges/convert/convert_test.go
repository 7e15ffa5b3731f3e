package convert_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"badgebridge/openbadges"
	"badgebridge/openbadges/convert"
)

var written = []openbadges.Version{openbadges.V11, openbadges.V20, openbadges.V30}

// Whatever the model says comes back, but for what the notes name.
func TestModelToWireToModelIsTheIdentityUpToTheReportedLosses(t *testing.T) {
	for _, version := range written {
		t.Run(string(version), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				d := &draw{t: t, version: version}
				a := d.assertion()
				if version != openbadges.V30 {
					a.Award.BadgeClass.Issuer = a.Issuer
				}
				before := asJSON(a)
				doc, lost, err := convert.Write(a, version, "")
				if err != nil {
					t.Fatal(err)
				}
				if asJSON(a) != before {
					t.Fatal("writing changed what it was given")
				}
				again, _, err := convert.Write(a, version, "")
				if err != nil || !bytes.Equal(again, doc) {
					t.Fatal("the same input gave other bytes")
				}
				got, remarks, err := convert.Read(doc)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range remarks {
					// What we write is as the specification has it; only 1.1 embeds.
					if (version != openbadges.V11 || !strings.Contains(n.Message, "embedded")) && !strings.Contains(n.Message, "holds HTML") {
						t.Errorf("reading what was written remarks: %v\n%s", n, doc)
					}
				}
				forget(t, &a, lost)
				if version != openbadges.V30 {
					a.Issuer = a.Award.BadgeClass.Issuer
				} else if a.Award.BadgeClass.Issuer.ID == a.Issuer.ID && reflect.DeepEqual(got.Award.BadgeClass.Issuer, got.Issuer) {
					a.Award.BadgeClass.Issuer = a.Issuer // one profile, which was written once
				}
				got.Document = nil
				if !reflect.DeepEqual(got, a) {
					t.Fatalf("lost without a word (reported: %v)\ngot  %s\nwant %s", lost, asJSON(got), asJSON(a))
				}
			})
		})
	}
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestTheVersionIsToldByTheContent(t *testing.T) {
	for doc, want := range map[string]openbadges.Version{
		`{"recipient":"a@example.org","badge":{"version":"0.5.0","issuer":{"origin":"https://example.org"}}}`:               openbadges.V05,
		`{"recipient":{"type":"email"},"badge":"https://example.org/b","verify":{"type":"hosted"}}`:                         openbadges.V10,
		`{"@context":"https://w3id.org/openbadges/v1","badge":"https://example.org/b"}`:                                     openbadges.V11,
		`{"@context":["https://w3id.org/openbadges/v2",{"x":"https://example.org/x"}],"type":["Assertion"]}`:                openbadges.V20,
		`{"badge":"https://example.org/b","verification":{"type":"hosted"}}`:                                                openbadges.V20,
		`{"@context":["https://www.w3.org/ns/credentials/v2"],"credentialSubject":{}}`:                                      openbadges.V30,
		`{"iss":"https://example.org","vc":{"@context":["https://www.w3.org/2018/credentials/v1"],"credentialSubject":{}}}`: openbadges.V30,
	} {
		if got, err := convert.Detect([]byte(doc)); err != nil || got != want {
			t.Errorf("%s: got %q, %v", doc, got, err)
		}
	}
	for doc, want := range map[string]error{
		"": convert.ErrNotJSON, "[]": convert.ErrNotJSON, "<html>": convert.ErrNotJSON,
		`{"type":"BadgeClass","name":"x"}`:                 convert.ErrNotABadge,
		strings.Repeat(" ", 3<<20):                         convert.ErrTooLarge,
		`{"type":"RevocationList","revokedAssertions":[]}`: convert.ErrNotABadge,
	} {
		if _, err := convert.Detect([]byte(doc)); !errors.Is(err, want) {
			t.Errorf("%.30s: %v", doc, err)
		}
	}
	if _, _, err := convert.Write(openbadges.Assertion{}, "0.5", ""); !errors.Is(err, convert.ErrVersion) {
		t.Errorf("0.5 is not written: %v", err)
	}
}

func TestALinkedBadgeAndIssuerAreFetched(t *testing.T) {
	pages := map[string]string{
		"https://a.example.org/b": `{"@context":"https://w3id.org/openbadges/v2","type":"BadgeClass","id":"https://a.example.org/b","name":"B","issuer":"https://a.example.org/i"}`,
		"https://a.example.org/i": `{"@context":"https://w3id.org/openbadges/v2","type":"Issuer","id":"https://a.example.org/i","name":"I"}`,
	}
	fetch := func(_ context.Context, url string) ([]byte, error) {
		if p, ok := pages[url]; ok {
			return []byte(p), nil
		}
		return nil, errors.New("unreachable")
	}
	doc := `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"https://a.example.org/a","badge":"https://a.example.org/b"}`
	a, _, err := convert.Read([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := convert.Complete(t.Context(), &a, fetch); err != nil || a.Award.BadgeClass.Name != "B" || a.Issuer.Name != "I" {
		t.Errorf("got %+v, %v", a, err)
	}
	delete(pages, "https://a.example.org/i")
	a, _, _ = convert.Read([]byte(doc))
	if _, err := convert.Complete(t.Context(), &a, fetch); err == nil || !strings.Contains(err.Error(), "https://a.example.org/i") {
		t.Errorf("an unreachable issuer: %v", err)
	}
}

// An upgraded badge points to the documents that it was made from, and is the
// same each time.
func TestAnUpgradePointsToItsOrigin(t *testing.T) {
	a := openbadges.Assertion{ID: "https://a.example.org/a", Version: openbadges.V20, Award: openbadges.Award{
		BadgeClass: openbadges.BadgeClass{ID: "https://a.example.org/b", Name: "B", Description: "D", Criteria: openbadges.Criteria{Narrative: "C"}, Language: "da",
			Endorsements: []openbadges.Endorsement{{ID: "https://e.example.org/1"}}},
		Recipient: openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: "sha256$00", Hashed: true},
	}, Issuer: openbadges.Profile{ID: "https://a.example.org/i"}}
	a.Award.IssuedOn = a.Award.IssuedOn.AddDate(2020, 0, 0)
	doc, _, err := convert.Write(a, openbadges.V30, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"evidence":[{"id":"https://a.example.org/a","type":["Evidence","https://w3id.org/openbadges#Assertion"]`,
		`"related":[{"id":"https://a.example.org/b","type":["Related","https://w3id.org/openbadges#BadgeClass"],"inLanguage":"da"},{"id":"https://e.example.org/1","type":["Related","https://w3id.org/openbadges#Endorsement"]}]`,
		`"type":["Achievement","https://w3id.org/openbadges#BadgeClass"]`, `"id":"urn:uuid:`,
	} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("%s is not in %s", want, doc)
		}
	}
	again, _, _ := convert.Write(a, openbadges.V30, "")
	if !bytes.Equal(doc, again) {
		t.Error("a second conversion differs")
	}
	own, _, err := convert.Write(a, openbadges.V30, "https://new.example.org/c")
	if err != nil || !strings.Contains(string(own), `"id":"https://new.example.org/c","type":["VerifiableCredential"`) {
		t.Errorf("got %s, %v", own, err)
	}
}

// vectors finds the shared test data beside the module; without it the test is
// skipped, but not in CI.
func vectors(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "vectors", name)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the test data is missing: %v", err)
		}
		t.Skipf("the test data is missing: %v", err)
	}
	return dir
}

func TestEveryDocumentOfTheVectorsIsRead(t *testing.T) {
	var docs [][]byte
	var cases struct {
		Cases []struct {
			Input     struct{ Value string }
			Resources map[string]struct{ Body string }
		}
	}
	b, err := os.ReadFile(filepath.Join(vectors(t, "ob2"), "cases.json"))
	if err == nil {
		err = json.Unmarshal(b, &cases)
	}
	if err != nil || len(cases.Cases) == 0 {
		t.Fatal(err)
	}
	for _, c := range cases.Cases {
		docs = append(docs, []byte(c.Input.Value))
		for _, r := range c.Resources {
			docs = append(docs, []byte(r.Body))
		}
	}
	err = filepath.WalkDir(vectors(t, "ob3"), func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		b, err := os.ReadFile(path)
		docs = append(docs, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	read := map[openbadges.Version]int{}
	for _, doc := range docs {
		a, _, err := convert.Read(doc)
		if err != nil {
			if json.Valid(doc) && !errors.Is(err, convert.ErrNotABadge) && !errors.Is(err, convert.ErrNotJSON) {
				t.Errorf("%.60s: %v", doc, err)
			}
			continue
		}
		read[a.Version]++
		for _, to := range written {
			_, _, _ = convert.Write(a, to, "https://new.example.org/1") // must not panic; many are broken on purpose
		}
	}
	for _, v := range []openbadges.Version{openbadges.V05, openbadges.V10, openbadges.V11, openbadges.V20, openbadges.V30} {
		if read[v] == 0 {
			t.Errorf("no document of %s was read", v)
		}
	}
	t.Logf("read %v", read)
}

func FuzzConvert(f *testing.F) {
	shapes, _ := filepath.Glob("testdata/*.json")
	for _, s := range shapes {
		if b, err := os.ReadFile(s); err == nil && len(b) < 4096 {
			f.Add(b)
		}
	}
	f.Add([]byte(`{"badge":[{"issuer":[[]],"image":{},"criteria":[null]}],"recipient":[[]],"evidence":{},"type":{}}`))
	f.Add([]byte(`{"credentialSubject":[{"achievement":[{}],"identifier":[[],{}],"result":7}],"issuer":{"parentOrg":{"parentOrg":{}}},"proof":[null]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		a, _, err := convert.Read(doc)
		if err != nil {
			return
		}
		for _, to := range written {
			out, _, err := convert.Write(a, to, "")
			if err != nil {
				continue
			}
			back, _, err := convert.Read(out)
			if err != nil {
				t.Fatalf("what was written in %s is not read: %v\n%s", to, err, out)
			}
			if !json.Valid(out) || a.Award.Revoked || to == openbadges.V11 {
				continue
			}
			second, lost, err := convert.Write(back, to, "")
			if err != nil || !bytes.Equal(out, second) {
				t.Fatalf("a second round through %s differs: %v, %v\n%s\n%s", to, err, lost, out, second)
			}
		}
	})
}

func ExampleWrite() {
	a, _, err := convert.Read([]byte(`{"recipient":"nobody@example.org","issued_on":"2011-06-01","badge":{"version":"0.5.0","name":"Reader",
		"image":"/reader.png","description":"Reads.","criteria":"/reader.html","issuer":{"origin":"https://example.org","name":"Library","contact":"library@example.org"}}}`))
	if err != nil {
		panic(err)
	}
	_, lost, err := convert.Write(a, openbadges.V20, "https://badges.example.org/1")
	for _, n := range lost {
		fmt.Println(n)
	}
	fmt.Println(a.Version, a.Award.BadgeClass.Image.ID, err)
	// Output:
	// badge.issuer.id: is missing; the issuer's own address takes its place
	// badge.id: is missing; it got one of its own
	// recipient: is not hashed, as in the original: anybody can read the address
	// 0.5 https://example.org/reader.png <nil>
}
