package backpack_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// fake is a backpack of Mozilla's kind, as its documentation has it. It judges a
// badge by its address alone.
type fake struct {
	mu       sync.Mutex
	access   string
	refresh  string
	turns    int
	stored   map[string]bool
	old      bool // knows Open Badges 1.x alone
	noRevoke bool // as Mozilla's own
	revoked  bool
	mux      *http.ServeMux
}

const (
	accessToken  = "c2VjcmV0LWFjY2Vzcy10b2tlbg==_GE3TCMRX"
	refreshToken = "c2VjcmV0LXJlZnJlc2gtdG9rZW4=_GE3TCMRY"
)

func newFake() *fake {
	f := &fake{access: accessToken, refresh: refreshToken, stored: map[string]bool{}, mux: http.NewServeMux()}
	f.mux.HandleFunc("GET /access", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("callback") == "" {
			http.Error(w, "callback expected", http.StatusBadRequest)
		}
	})
	f.mux.HandleFunc("GET /api/identity", f.bearer(func(w http.ResponseWriter, _ map[string]string) {
		answer(w, http.StatusOK, map[string]any{"recipient": "sha256$abc", "salt": "s", "type": "email"})
	}))
	f.mux.HandleFunc("POST /api/issue", f.bearer(f.issue))
	f.mux.HandleFunc("POST /api/token", f.token)
	f.mux.HandleFunc("POST /api/revoke", func(w http.ResponseWriter, r *http.Request) {
		if f.noRevoke {
			http.Error(w, "Not Found", http.StatusNotFound)
			return
		}
		in := map[string]string{}
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in["token"] == f.refresh {
			f.revoked, f.access, f.refresh = true, "", ""
		}
		answer(w, http.StatusOK, map[string]any{"status": "okay"}) // RFC 7009: whether it was known or not
	})
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fake) bearer(next func(http.ResponseWriter, map[string]string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		token, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if err != nil || string(token) != f.access || f.access == "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="openbadges", error="invalid_token", error_description="The access token expired"`)
			answer(w, http.StatusUnauthorized, map[string]any{"status": "unauthorized", "message": "invalid_token: The access token expired"})
			return
		}
		fields := map[string]string{}
		_ = json.NewDecoder(r.Body).Decode(&fields)
		next(w, fields)
	}
}

func (f *fake) issue(w http.ResponseWriter, in map[string]string) {
	badge := in["badge"]
	// One award in two versions has the same end of its address.
	name := badge[strings.LastIndexByte(badge, '/')+1:]
	refuse := func(status int, code, words string) {
		answer(w, status, map[string]any{"code": code, "message": words})
	}
	switch {
	case badge == "":
		refuse(http.StatusBadRequest, "", "must provide either url or signature")
	case strings.Contains(badge, "somebody"):
		refuse(http.StatusForbidden, "", "badge assertion is for a different user")
	case strings.Contains(badge, "broken"):
		refuse(http.StatusBadRequest, "resources", "Could not get all linked resources")
	case f.old && strings.Contains(badge, "/v2/"):
		refuse(http.StatusBadRequest, "structure", "Invalid assertion structure")
	case f.stored[name] && f.old:
		refuse(http.StatusBadRequest, "", "badge already exists")
	case f.stored[name]:
		w.WriteHeader(http.StatusNotModified)
	default:
		f.stored[name] = true
		answer(w, http.StatusCreated, map[string]any{"exists": false, "badge": map[string]any{"uid": name}})
	}
}

func (f *fake) token(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in struct {
		Type    string `json:"grant_type"`
		Refresh string `json:"refresh_token"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Type != "refresh_token" || in.Refresh != f.refresh {
		http.Error(w, "invalid refresh_token", http.StatusBadRequest)
		return
	}
	f.turns++
	f.access, f.refresh = fmt.Sprintf("%s-%d", accessToken, f.turns), fmt.Sprintf("%s-%d", refreshToken, f.turns)
	answer(w, http.StatusOK, map[string]any{"expires": 3600, "access_token": f.access, "refresh_token": f.refresh})
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.stored)
}
