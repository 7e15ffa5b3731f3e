package sitecontract

import (
	"net/http"
	"testing"
)

func (s *suite) webhook(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	s.Control.RetryWebhooks(t)
	s.gw.take()
	id := s.Control.AwardBadge(t, badgeID, memberID)
	e := s.gw.until(t, func(e event) bool { return e.Kind == "award.granted" && e.EntryID == id })
	if e.SiteUUID != s.UUID || e.HomeURL != s.Home {
		t.Errorf("it is from %q at %q", e.SiteUUID, e.HomeURL)
	}
	s.Control.RevokeAward(t, id)
	s.gw.until(t, func(e event) bool { return e.Kind == "award.revoked" && e.EntryID == id })
	s.gw.check(t)
}

func (s *suite) webhookRetried(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	s.gw.setRefuse(true)
	id := s.Control.AwardBadge(t, badgeID, memberID)
	s.Control.RetryWebhooks(t)
	if refused := s.gw.setRefuse(false); refused == 0 {
		t.Error("nothing was tried")
	}
	s.Control.RetryWebhooks(t)
	// What is late may come as one event for all.
	s.gw.until(t, func(e event) bool { return e.EntryID == id || e.Kind == "award.changed" && e.EntryID == 0 })
	s.Control.RetryWebhooks(t)
	if more := s.gw.take(); len(more) != 0 {
		t.Errorf("what has arrived was sent again: %+v", more)
	}
	s.gw.check(t)
}

func (s *suite) clone(t *testing.T) {
	badgeID, memberID, email := s.fresh(t)
	s.Control.RetryWebhooks(t)
	s.gw.take()
	s.Control.SetHome(t, "https://staging.example.org")
	restored := false
	defer func() {
		if !restored {
			s.Control.SetHome(t, s.Home)
		}
	}()
	in := grant{Key: random(52), BadgeID: badgeID, Email: email, IssuedOn: "2024-01-02T03:04:05Z"}
	s.refused(t, call{method: "GET", path: "/site"}, http.StatusConflict, "another_site")
	s.refused(t, post(in), http.StatusConflict, "another_site")
	// Nor when the caller believes the new address: the pairing is the old one's.
	s.refused(t, call{method: "GET", path: "/site", spoil: func(r *http.Request) {
		r.Header.Set(homed, "https://staging.example.org")
	}}, http.StatusConflict, "another_site")
	s.Control.AwardBadge(t, badgeID, memberID)
	s.Control.RetryWebhooks(t)
	if sent := s.gw.take(); len(sent) != 0 {
		t.Errorf("the clone sent %+v", sent)
	}
	s.Control.SetHome(t, s.Home)
	restored = true
	var got site
	s.get(t, "/site", nil, &got)
	s.refused(t, call{method: "GET", path: "/awards/by-key/" + in.Key}, http.StatusNotFound, "not_found")
}

func (s *suite) pairRefused(t *testing.T) {
	err := s.Control.Pair(t, s.gw.url, "WRONG-CODE")
	if err == nil || err.Error() == "" {
		t.Fatal("it is not refused")
	}
	if err := s.Control.Pair(t, "http://127.0.0.1:1", pairCode); err == nil {
		t.Fatal("a gateway that is not there pairs")
	}
	// The pairing that was there goes on.
	s.get(t, "/site", nil, nil)
	s.gw.check(t)
}

func (s *suite) cut(t *testing.T) {
	s.want(t, call{method: "DELETE", path: "/pairing"}, http.StatusNoContent, nil)
	s.unpaired = true
	s.refused(t, call{method: "GET", path: "/site"}, http.StatusUnauthorized, "bad_signature")
	badgeID, memberID, _ := s.fresh(t)
	s.gw.take()
	s.Control.AwardBadge(t, badgeID, memberID)
	s.Control.RetryWebhooks(t)
	if sent := s.gw.take(); len(sent) != 0 {
		t.Errorf("the site still sends %+v", sent)
	}
	// Pairing again is the way back.
	if err := s.Control.Pair(t, s.gw.url, pairCode); err != nil {
		t.Fatalf("it does not pair again: %v", err)
	}
	s.unpaired = false
	s.get(t, "/site", nil, nil)
	s.gw.check(t)
}

func (s *suite) rekeyed(t *testing.T) {
	put := func(id, secret string) call {
		return call{method: "PUT", path: "/pairing/key", body: m{"key_id": id, "secret": secret}}
	}
	s.refused(t, put("key-"+random(8), "short"), http.StatusUnprocessableEntity, "invalid")
	id, secret := "key-"+random(8), random(48)
	s.want(t, put(id, secret), http.StatusNoContent, nil)
	s.refused(t, call{method: "GET", path: "/site"}, http.StatusUnauthorized, "bad_signature")
	s.gw.mu.Lock()
	s.gw.keyID, s.gw.secret = id, secret
	s.gw.mu.Unlock()
	s.want(t, call{method: "GET", path: "/site"}, http.StatusOK, nil)
	// The answer may have been lost: the call comes again under the new key.
	s.want(t, put(id, secret), http.StatusNoContent, nil)
	badgeID, memberID, _ := s.fresh(t)
	entry := s.Control.AwardBadge(t, badgeID, memberID)
	s.gw.until(t, func(e event) bool { return e.EntryID == entry })
	s.gw.check(t)
}
