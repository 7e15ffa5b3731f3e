package convert_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"badgebridge/openbadges/convert"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The documents are written after what the systems in their names publish:
// their members and their deviations, with made-up people and places.
func TestTheShapesOfRealIssuersAreReadAndTheirDeviationsNamed(t *testing.T) {
	files, err := filepath.Glob("testdata/shapes/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d shapes, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			doc, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := told(doc)
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("it is told as\n%s\nnot as\n%s", got, want)
			}
		})
	}
}

// told is what the model has of a document, what reading remarked, and what would be
// lost in each version that is written.
func told(doc []byte) []byte {
	var b bytes.Buffer
	a, notes, err := convert.Read(doc)
	if err != nil {
		fmt.Fprintf(&b, "refused: %v\n", err)
		return b.Bytes()
	}
	w := a.Award
	fmt.Fprintf(&b, "version: %s\nid: %s\nbadge: %s (%s)\nissuer: %s (%s)\n", a.Version, a.ID, w.BadgeClass.Name, w.BadgeClass.ID, a.Issuer.Name, a.Issuer.ID)
	fmt.Fprintf(&b, "recipient: %s hashed=%v salt=%q %s\n", w.Recipient.Type, w.Recipient.Hashed, w.Recipient.Salt, w.Recipient.Identity)
	fmt.Fprintf(&b, "issued: %s\nexpires: %s\nrevoked: %v %s\ncriteria: %s %q\n", w.IssuedOn.UTC(), w.Expires.UTC(), w.Revoked, w.RevocationReason, w.BadgeClass.Criteria.ID, w.BadgeClass.Criteria.Narrative)
	for _, e := range w.Evidence {
		fmt.Fprintf(&b, "evidence: %s %q %q\n", e.ID, e.Name, e.Narrative)
	}
	for _, n := range notes {
		fmt.Fprintf(&b, "remark: %s\n", n)
	}
	for _, v := range written {
		_, lost, err := convert.Write(a, v, "")
		if err != nil {
			fmt.Fprintf(&b, "to %s: %v\n", v, err)
			continue
		}
		fmt.Fprintf(&b, "to %s:\n", v)
		for _, n := range lost {
			fmt.Fprintf(&b, "  lost: %s\n", n)
		}
	}
	return b.Bytes()
}
