package rdfc_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"badgebridge/openbadges/rdfc"
)

func Example() {
	quads, err := rdfc.Parse([]byte(`
_:someone <https://schema.org/name> "Ada" .
<https://example.org/award/1> <https://example.org/to> _:someone .
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := rdfc.Canonicalize(context.Background(), quads, rdfc.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", result.NQuads)
	// Output:
	// <https://example.org/award/1> <https://example.org/to> _:c14n0 .
	// _:c14n0 <https://schema.org/name> "Ada" .
}

// clique relates every one of n blank nodes to every other one.
func clique(n int) []rdfc.Quad {
	var quads []rdfc.Quad
	for i := range n {
		for j := range n {
			quads = append(quads, rdfc.Quad{
				Subject:   rdfc.Term{Kind: rdfc.Blank, Value: fmt.Sprint("e", i)},
				Predicate: rdfc.Term{Kind: rdfc.IRI, Value: "urn:p"},
				Object:    rdfc.Term{Kind: rdfc.Blank, Value: fmt.Sprint("e", j)},
			})
		}
	}
	return quads
}

func TestAPoisonGraphEndsWithAClearError(t *testing.T) {
	for _, n := range []int{10, 30, 200} {
		_, err := rdfc.Canonicalize(t.Context(), clique(n), rdfc.Options{})
		if !errors.Is(err, rdfc.ErrTooComplex) {
			t.Errorf("clique of %d: %v", n, err)
		}
	}
}

func TestALongChainOfBlankNodesIsCanonicalOrRefused(t *testing.T) {
	// A ring in which all nodes look alike: the recursion goes all around it.
	var quads []rdfc.Quad
	const n = 20_000
	for i := range n {
		quads = append(quads, rdfc.Quad{
			Subject:   rdfc.Term{Kind: rdfc.Blank, Value: fmt.Sprint("e", i)},
			Predicate: rdfc.Term{Kind: rdfc.IRI, Value: "urn:next"},
			Object:    rdfc.Term{Kind: rdfc.Blank, Value: fmt.Sprint("e", (i+1)%n)},
		})
	}
	if _, err := rdfc.Canonicalize(t.Context(), quads, rdfc.Options{}); !errors.Is(err, rdfc.ErrTooComplex) {
		t.Errorf("got %v", err)
	}
}

func TestACancelledContextStopsTheWork(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rdfc.Canonicalize(ctx, clique(3), rdfc.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTooManyQuadsAreRefused(t *testing.T) {
	if _, err := rdfc.Canonicalize(t.Context(), clique(4), rdfc.Options{MaxQuads: 15}); !errors.Is(err, rdfc.ErrTooComplex) {
		t.Errorf("got %v", err)
	}
}

func TestATermThatWouldBreakOutOfItsLineIsRefused(t *testing.T) {
	iri := func(s string) rdfc.Term { return rdfc.Term{Kind: rdfc.IRI, Value: s} }
	good := rdfc.Quad{Subject: iri("urn:s"), Predicate: iri("urn:p"), Object: iri("urn:o")}
	bad := map[string]func(*rdfc.Quad){
		"an IRI that closes itself":   func(q *rdfc.Quad) { q.Object = iri("urn:o> .\n<urn:x") },
		"an IRI with a space":         func(q *rdfc.Quad) { q.Subject = iri("urn:a b") },
		"a relative IRI":              func(q *rdfc.Quad) { q.Predicate = iri("p") },
		"a blank predicate":           func(q *rdfc.Quad) { q.Predicate = rdfc.Term{Kind: rdfc.Blank, Value: "p"} },
		"a literal subject":           func(q *rdfc.Quad) { q.Subject = rdfc.Term{Kind: rdfc.Literal, Value: "s"} },
		"a literal graph":             func(q *rdfc.Quad) { q.Graph = rdfc.Term{Kind: rdfc.Literal, Value: "g"} },
		"a language that is none":     func(q *rdfc.Quad) { q.Object = rdfc.Term{Kind: rdfc.Literal, Value: "o", Language: "en .\n"} },
		"a datatype that is none":     func(q *rdfc.Quad) { q.Object = rdfc.Term{Kind: rdfc.Literal, Value: "o", Datatype: "x"} },
		"a literal that is not UTF-8": func(q *rdfc.Quad) { q.Object = rdfc.Term{Kind: rdfc.Literal, Value: "\xff"} },
		"no object":                   func(q *rdfc.Quad) { q.Object = rdfc.Term{} },
	}
	for name, spoil := range bad {
		q := good
		spoil(&q)
		if _, err := rdfc.Canonicalize(t.Context(), []rdfc.Quad{good, q}, rdfc.Options{}); !errors.Is(err, rdfc.ErrInvalidTerm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLiteralsAreEscapedAsTheCanonicalFormAsks(t *testing.T) {
	q := rdfc.Quad{
		Subject:   rdfc.Term{Kind: rdfc.IRI, Value: "urn:s"},
		Predicate: rdfc.Term{Kind: rdfc.IRI, Value: "urn:p"},
		Object:    rdfc.Term{Kind: rdfc.Literal, Value: "\x00\b\t\n\v\f\r\x1f \"\\\x7f\u0080é\U0001F600"},
	}
	want := `<urn:s> <urn:p> "\u0000\b\t\n\u000B\f\r\u001F \"\\\u007F` + "\u0080é\U0001F600" + `" .` + "\n"
	if got := q.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOrderAndLabelsDoNotMatter(t *testing.T) {
	var quads []rdfc.Quad
	blank := func(i int) rdfc.Term { return rdfc.Term{Kind: rdfc.Blank, Value: fmt.Sprint("x", i)} }
	r := rand.New(rand.NewPCG(1, 2))
	for range 24 {
		quads = append(quads, rdfc.Quad{Subject: blank(r.IntN(8)), Predicate: rdfc.Term{Kind: rdfc.IRI, Value: fmt.Sprint("urn:p", r.IntN(2))}, Object: blank(r.IntN(8))})
	}
	want, err := rdfc.Canonicalize(t.Context(), quads, rdfc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		r.Shuffle(len(quads), func(i, j int) { quads[i], quads[j] = quads[j], quads[i] })
		other := make([]rdfc.Quad, len(quads))
		names := r.Perm(100)
		rename := func(t rdfc.Term) rdfc.Term {
			var n int
			fmt.Sscanf(t.Value, "x%d", &n)
			t.Value = fmt.Sprint("y", names[n])
			return t
		}
		for i, q := range quads {
			q.Subject, q.Object = rename(q.Subject), rename(q.Object)
			other[i] = q
		}
		got, err := rdfc.Canonicalize(t.Context(), other, rdfc.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.NQuads, want.NQuads) {
			t.Fatalf("another order and other labels give\n%s\ninstead of\n%s", got.NQuads, want.NQuads)
		}
	}
}

func TestDamagedNQuadsAreRefused(t *testing.T) {
	for _, bad := range []string{
		`<urn:s> <urn:p> <urn:o>`, `<urn:s> <urn:p> .`, `<urn:s <urn:p> <urn:o> .`, `<urn:s> <urn:p> "o .`, `<urn:s> <urn:p> "\x" .`,
		`<urn:s> <urn:p> "\ud800" .`, `<urn:s> <urn:p> "o"@ .`, `"s" <urn:p> <urn:o> .`, `<urn:s> _:p <urn:o> .`, `<urn:s> <urn:p> <urn:o> . x`,
		`<urn:s> <urn:p> <urn:o> <urn:g> <urn:h> .`, "<urn:s> <urn:p> \"\xff\" .", `<s> <urn:p> <urn:o> .`, `_: <urn:p> <urn:o> .`,
	} {
		if _, err := rdfc.Parse([]byte(bad)); !errors.Is(err, rdfc.ErrSyntax) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// bothWays holds the short way against the algorithm for every dataset.
func bothWays(tb testing.TB, quads []rdfc.Quad, opt rdfc.Options) {
	tb.Helper()
	got, err := rdfc.Canonicalize(tb.Context(), quads, opt)
	want, wantErr := rdfc.General(tb.Context(), quads, opt)
	if err != nil || wantErr != nil {
		if !errors.Is(err, rdfc.ErrTooComplex) || !errors.Is(wantErr, rdfc.ErrTooComplex) {
			tb.Fatalf("%v, where the general way gives %v", err, wantErr)
		}
		return
	}
	if !bytes.Equal(got.NQuads, want.NQuads) || !reflect.DeepEqual(got.Labels, want.Labels) {
		tb.Fatalf("got %v\n%s\nwant %v\n%s", got.Labels, got.NQuads, want.Labels, want.NQuads)
	}
	h := opt.Hash
	if h == 0 {
		h = crypto.SHA256
	}
	digest := h.New()
	digest.Write(want.NQuads)
	if sum, err := rdfc.Sum(tb.Context(), quads, opt); err != nil || !bytes.Equal(sum, digest.Sum(nil)) {
		tb.Fatalf("the sum is %x, %v", sum, err)
	}
}

// TestTheShortWayGivesTheSame: on random datasets with few and with many blank
// nodes, duplicates, and nodes that are alike.
func TestTheShortWayGivesTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	short := 0
	for range 3000 {
		nodes, predicates := 1+r.IntN(30), 1+r.IntN(20)
		term := func(kinds int) rdfc.Term {
			switch r.IntN(kinds) {
			case 0:
				return rdfc.Term{Kind: rdfc.IRI, Value: fmt.Sprint("urn:", r.IntN(9))}
			case 1:
				return rdfc.Term{Kind: rdfc.Blank, Value: fmt.Sprint("n", r.IntN(nodes))}
			case 2:
				return rdfc.Term{Kind: rdfc.Literal, Value: fmt.Sprint("z_:z\n", r.IntN(99)), Datatype: []string{"", rdfc.XSDString, "urn:t"}[r.IntN(3)]}
			}
			return rdfc.Term{Kind: rdfc.Literal, Value: "é\x00\x7f", Language: "de-ch", Datatype: []string{"", rdfc.LangString}[r.IntN(2)]}
		}
		var quads []rdfc.Quad
		for range r.IntN(60) {
			q := rdfc.Quad{Subject: term(2), Predicate: rdfc.Term{Kind: rdfc.IRI, Value: fmt.Sprint("urn:p", r.IntN(predicates))}, Object: term(4)}
			if r.IntN(4) == 0 {
				q.Graph = term(2)
			}
			quads = append(quads, q)
		}
		bothWays(t, quads, rdfc.Options{Hash: []crypto.Hash{0, crypto.SHA384}[r.IntN(2)], Budget: 20_000})
		if rdfc.GoesShort(t.Context(), quads) {
			short++
		}
	}
	if short < 1500 {
		t.Errorf("only %d datasets went the short way", short)
	}
}

func FuzzCanonicalize(f *testing.F) {
	f.Add([]byte("_:a <urn:p> _:b .\n_:b <urn:p> _:a _:g .\n"))
	f.Add([]byte("<urn:s> <urn:p> \"a\\n\\u00e9\"@en-GB .\n<urn:s> <urn:p> \"1\"^^<urn:t> .\n"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		quads, err := rdfc.Parse(doc)
		if err != nil {
			return
		}
		opt := rdfc.Options{Budget: 2_000, MaxQuads: 200}
		bothWays(t, quads, opt)
		first, err := rdfc.Canonicalize(t.Context(), quads, opt)
		if err != nil {
			return
		}
		// The canonical form is its own canonical form.
		quads, err = rdfc.Parse(first.NQuads)
		if err != nil {
			t.Fatalf("the canonical form can't be read: %v\n%s", err, first.NQuads)
		}
		again, err := rdfc.Canonicalize(t.Context(), quads, opt)
		if err != nil && !errors.Is(err, rdfc.ErrTooComplex) || err == nil && !bytes.Equal(again.NQuads, first.NQuads) {
			t.Fatalf("%v\n%s\nbecomes\n%s", err, first.NQuads, again.NQuads)
		}
	})
}

func BenchmarkCanonicalizeCredential(b *testing.B) {
	var doc strings.Builder
	for i := range 60 {
		fmt.Fprintf(&doc, "<urn:uuid:award> <urn:p%d> _:n%d .\n_:n%d <urn:name> \"value %d\" .\n", i, i, i, i)
		fmt.Fprintf(&doc, "_:n%d <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <urn:T> .\n", i)
	}
	quads, err := rdfc.Parse([]byte(doc.String()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rdfc.Canonicalize(b.Context(), quads, rdfc.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
