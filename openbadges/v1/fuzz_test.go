package v1_test

import (
	"encoding/json"
	"testing"
	"time"

	v1 "badgebridge/openbadges/v1"
	v2 "badgebridge/openbadges/v2"
)

// FuzzDate reads a text as the date of an assertion of every version.
func FuzzDate(f *testing.F) {
	for _, s := range []string{
		"2016-12-31T23:59:59Z", "2016-12-31", "1483228799", "20161231T235959,5+0130", "2016-W52-6T24Z", "2016-366T23:59-08", "2016-12-31 23:59:59 MST",
		"Sat, 31 Dec 2016 23:59:59 GMT", "0001-01-01T00:00+23:59", "9999-12-31T24:00:00Z", "1e99", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := v2.ParseTime(s)
		if err == nil {
			if y := got.Year(); y < 1 || y > 9999 {
				t.Fatalf("%q is in the year %d", s, y)
			}
			if again, err := v2.ParseTime(v2.FormatTime(got)); err != nil || !again.Equal(got) {
				t.Fatalf("%q is %v, then %v, %v", s, got, again, err)
			}
			if want, err := time.Parse(time.RFC3339Nano, s); err == nil && want.Sub(got).Abs() > time.Microsecond {
				t.Fatalf("%q is %v, for the standard library %v", s, got, want)
			}
		}
		for _, value := range []any{s, json.Number(s)} {
			doc, err := json.Marshal(map[string]any{"uid": "1", "issuedOn": value, "expires": value, "verify": map[string]any{}})
			if err != nil {
				continue // not a number
			}
			a, _, err := v1.DecodeAssertion(doc)
			if err != nil {
				t.Fatal(err)
			}
			if !a.Award.IssuedOn.Equal(a.Award.Expires) {
				t.Fatalf("%s is read in two ways: %v, %v", doc, a.Award.IssuedOn, a.Award.Expires)
			}
			if !got.IsZero() && value == any(s) && !a.Award.IssuedOn.Equal(got) {
				t.Fatalf("%q is %v in OB 1, %v in OB 2", s, a.Award.IssuedOn, got)
			}
			v2.DecodeAssertion(doc)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"recipient":"a@example.org","evidence":"/e","issued_on":"2011-06-01","badge":{"version":"0.5.0","name":"N","image":"/i.png","description":"D","criteria":"/c","issuer":{"origin":"https://example.org","name":"O","org":"X"}}}`))
	f.Add([]byte(`{"uid":"1","recipient":{"type":"email","hashed":false,"identity":"a@example.org"},"badge":"https://example.org/b","verify":{"type":"hosted","url":"https://example.org/a"},"issuedOn":1311552000}`))
	f.Add([]byte(`{"badge":[{"issuer":[[]],"image":{},"criteria":[null]}],"recipient":[[]],"evidence":{},"type":{},"verify":7}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		a, _, err := v1.DecodeAssertion(doc)
		if err == nil {
			if out, _, err := v1.EncodeAssertion(a); err == nil && !json.Valid(out) {
				t.Fatalf("not JSON: %s", out)
			}
		}
		if c, _, err := v1.DecodeBadgeClass(doc); err == nil {
			v1.EncodeBadgeClass(c)
		}
		if p, _, err := v1.DecodeIssuer(doc); err == nil {
			v1.EncodeIssuer(p)
		}
	})
}
