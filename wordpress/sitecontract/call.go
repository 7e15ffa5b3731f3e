package sitecontract

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

const (
	base  = "/badgebridge/v1"
	sited = "Badgebridge-Site"
	homed = "Badgebridge-Home"
)

// suite is one run.
type suite struct {
	Target
	gw       *gateway
	router   routers.Router
	unpaired bool
}

// call is one request to the site, before it is signed.
type call struct {
	method, path string
	query        url.Values
	body         any
	// spoil may change the signed request before it leaves.
	spoil func(*http.Request)
	at    time.Time // zero: now
	nonce string    // "": a fresh one
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends c and holds the answer against the contract.
func (s *suite) do(t *testing.T, c call) answer {
	t.Helper()
	a, err := s.send(c)
	if err != nil {
		t.Fatalf("%s %s: %v", c.method, c.path, err)
	}
	if err := s.conforms(c, a); err != nil {
		t.Fatalf("%s %s answered %d, which is not what the contract says: %v\n%s", c.method, c.path, a.status, err, a.body)
	}
	if got := a.header.Get("Cache-Control"); a.status < 300 && !strings.Contains(got, "no-store") {
		t.Errorf("%s %s: Cache-Control %q, not no-store", c.method, c.path, got)
	}
	if a.status < 300 && (a.header.Get(sited) != s.UUID || a.header.Get(homed) != s.Home) {
		t.Errorf("%s %s: the answer is from site %q at %q, not %q at %q", c.method, c.path,
			a.header.Get(sited), a.header.Get(homed), s.UUID, s.Home)
	}
	return a
}

func (s *suite) send(c call) (answer, error) {
	var body []byte
	if c.body != nil {
		var err error
		if body, err = json.Marshal(c.body); err != nil {
			return answer{}, err
		}
	}
	address := s.RestURL + base + c.path
	if len(c.query) > 0 {
		join := "?"
		if strings.Contains(address, "?") {
			join = "&"
		}
		address += join + c.query.Encode()
	}
	req, err := http.NewRequest(c.method, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	at, nonce := c.at, c.nonce
	if at.IsZero() {
		at = s.Now()
	}
	if nonce == "" {
		nonce = random(20)
	}
	seconds := strconv.FormatInt(at.Unix(), 10)
	req.Header.Set("Badgebridge-Key", s.gw.keyID)
	req.Header.Set("Badgebridge-Time", seconds)
	req.Header.Set("Badgebridge-Nonce", nonce)
	req.Header.Set("Badgebridge-Signature", signature(s.gw.secret, c.method, base+c.path, c.query, seconds, nonce, body))
	req.Header.Set(sited, s.UUID)
	req.Header.Set(homed, s.Home)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.spoil != nil {
		c.spoil(req)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	return answer{resp.StatusCode, resp.Header, got}, err
}

func (s *suite) conforms(c call, a answer) error {
	if s.router == nil {
		router, err := legacy.NewRouter(s.gw.doc)
		if err != nil {
			return err
		}
		s.router = router
	}
	req, err := http.NewRequest(c.method, "http://site.example.org"+base+c.path, nil)
	if err != nil {
		return err
	}
	route, params, err := s.router.FindRoute(req)
	if err != nil {
		return err
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 a.status,
		Header:                 a.header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	in.SetBodyBytes(a.body)
	return openapi3filter.ValidateResponse(context.Background(), in)
}

// get calls a path, expects 200, and decodes the answer into out.
func (s *suite) get(t *testing.T, path string, query url.Values, out any) {
	t.Helper()
	s.want(t, call{method: "GET", path: path, query: query}, http.StatusOK, out)
}

// want does c, expects the status, and decodes the answer into out unless that is nil.
func (s *suite) want(t *testing.T, c call, status int, out any) {
	t.Helper()
	a := s.do(t, c)
	if a.status != status {
		t.Fatalf("%s %s answered %d, not %d: %s", c.method, c.path, a.status, status, a.body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		t.Fatalf("%s %s: %v", c.method, c.path, err)
	}
}

// refused does c and expects this status and error code.
func (s *suite) refused(t *testing.T, c call, status int, code string) {
	t.Helper()
	var e struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	s.want(t, c, status, &e)
	if e.Code != code {
		t.Fatalf("%s %s: code %q, not %q (%s)", c.method, c.path, e.Code, code, e.Message)
	}
	if e.Message == "" {
		t.Errorf("%s %s: no message for people", c.method, c.path)
	}
}

// random gives n characters that no run has used.
func random(n int) string {
	raw := make([]byte, n)
	rand.Read(raw)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))[:n]
}
