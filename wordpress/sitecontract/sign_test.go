package sitecontract

import (
	"encoding/json"
	"net/url"
	"os"
	"testing"
)

func TestSignaturesAreThoseOfTheSharedVectors(t *testing.T) {
	data, err := os.ReadFile("../tests/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Signatures []struct {
			Name, Secret, Method, Path, Time, Nonce, Body, Signature string
			Query                                                    map[string]string
		}
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Signatures) < 4 {
		t.Fatal("there are no vectors")
	}
	for _, v := range vectors.Signatures {
		query := url.Values{}
		for name, value := range v.Query {
			query.Set(name, value)
		}
		if got := signature(v.Secret, v.Method, v.Path, query, v.Time, v.Nonce, []byte(v.Body)); got != v.Signature {
			t.Errorf("%s: %s, not %s", v.Name, got, v.Signature)
		}
	}
}
