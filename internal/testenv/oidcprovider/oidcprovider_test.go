package oidcprovider_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"badgebridge/internal/testenv/oidcprovider"
)

func TestTheProviderComesBackAtTheSameAddress(t *testing.T) {
	s := oidcprovider.New(t, oidcprovider.Options{RedirectURIs: []string{"http://localhost:1/callback"}})
	for range 2 {
		if _, err := http.Get(s.Issuer + "/.well-known/openid-configuration"); err == nil {
			t.Fatal("it answers before it was started")
		}
		s.Start(t)
		resp, err := http.Get(s.Issuer + "/.well-known/openid-configuration")
		if err != nil {
			t.Fatal(err)
		}
		var meta struct {
			Issuer string `json:"issuer"`
		}
		err = json.NewDecoder(resp.Body).Decode(&meta)
		resp.Body.Close()
		if err != nil || meta.Issuer != s.Issuer {
			t.Fatalf("it says it is %q, %v", meta.Issuer, err)
		}
		s.Stop()
	}
}
