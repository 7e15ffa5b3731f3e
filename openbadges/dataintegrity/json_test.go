package dataintegrity

import (
	"bytes"
	"testing"

	"github.com/gowebpki/jcs"

	"badgebridge/openbadges/jsonld"
)

// FuzzCanonicalJSON holds our writer of canonical JSON against the library's,
// which reads the JSON text itself.
func FuzzCanonicalJSON(f *testing.F) {
	for _, s := range []string{
		`{"b":[1,-0,1e21,1e-7,0.1,333333333.33333329,5e-324,9007199254740993],"a":{"z":null,"y":true,"x":false}}`,
		`{"\u20ac":"Euro","\r":"CR","\ufb33":"Dalet","1":"One","\ud83d\ude00":"Smiley","\u0080":"Control","\u00f6":"o"}`,
		`{"s":"\u0000\u001f\b\t\n\f\r\"\\\/<>&\u2028\u2029\u007f\uffff\ue000"}`,
		`{"":{"":[]},"e":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := jsonld.ParseObject(raw, jsonld.Limits{MaxBytes: 8192})
		if err != nil {
			return
		}
		got, err := canonicalJSON(doc)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		want, err := jcs.Transform(raw)
		if err != nil {
			return // it refuses some that are fine, such as numbers out of range for it
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%q gives\n%q, the library\n%q", raw, got, want)
		}
	})
}
