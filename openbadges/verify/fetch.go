package verify

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Resource is an answer to a request, whatever its status.
type Resource struct {
	Status int
	Header http.Header
	Body   []byte
	URL    string // that answered in the end, after redirects; "" means the one that was asked
}

// moved tells whether a redirect led from url to another host, or to another
// port of it. Who may place a redirect on a site does not speak for the site.
func (r Resource) moved(from string) bool {
	if r.URL == "" || r.URL == from {
		return false
	}
	a, errA := url.Parse(from)
	b, errB := url.Parse(r.URL)
	return errA != nil || errB != nil || strings.TrimPrefix(hostPort(a), "www.") != strings.TrimPrefix(hostPort(b), "www.")
}

// Fetcher gets a resource. It returns an error only when there is no answer or
// it is longer than maxBytes; a status is no error. Redirects are its business.
// It has to be safe against addresses that come from strangers.
type Fetcher interface {
	Fetch(ctx context.Context, url, accept string, maxBytes int64) (Resource, error)
}

// HTTP is a Fetcher over a client, which should be a guarded one.
type HTTP struct{ Client *http.Client }

// Fetch implements Fetcher.
func (h HTTP) Fetch(ctx context.Context, rawURL, accept string, maxBytes int64) (Resource, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return Resource{}, err
	}
	req.Header.Set("Accept", accept)
	resp, err := h.Client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the rest repeats the address
		}
		return Resource{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBytes+1))
	if err != nil {
		return Resource{}, err
	}
	if int64(len(body)) > maxBytes {
		return Resource{}, errTooLarge
	}
	return Resource{Status: resp.StatusCode, Header: resp.Header, Body: body, URL: resp.Request.URL.String()}, nil
}

// Offline is a Fetcher over resources in memory; any other URL is unreachable.
// A redirect among them (a status of 3xx with a Location) is followed as over the
// wire.
type Offline map[string]Resource

var (
	errNotListed = errors.New("not among the given resources")
	errRedirect  = errors.New("the redirect is not followed")
)

const maxRedirects = 5

// Fetch implements Fetcher.
func (o Offline) Fetch(_ context.Context, rawURL, _ string, maxBytes int64) (Resource, error) {
	for range maxRedirects + 1 {
		r, ok := o[rawURL]
		if !ok {
			return Resource{}, errNotListed
		}
		location := r.Header.Get("Location")
		switch r.Status {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			location = ""
		}
		if location == "" {
			if int64(len(r.Body)) > maxBytes {
				return Resource{}, errTooLarge
			}
			r.URL = rawURL
			return r, nil
		}
		from, err := url.Parse(rawURL)
		if err != nil {
			return Resource{}, errRedirect
		}
		to, err := from.Parse(location)
		if err != nil || checkWebURL(to.String()) != nil || from.Scheme == "https" && to.Scheme != "https" {
			return Resource{}, errRedirect
		}
		to.Fragment = ""
		rawURL = to.String()
	}
	return Resource{}, errRedirect
}

var (
	errTooLarge = errors.New("the answer is too large")
	errBudget   = errors.New("too many other documents had to be fetched before it")
)

type fetched struct {
	res Resource
	err error
}

// get fetches within the session's budget, each address once.
func (s *session) get(rawURL, accept string, maxBytes int64) (Resource, error) {
	key, _, _ := strings.Cut(rawURL, "#")
	if f, ok := s.seen[key]; ok {
		return f.res, f.err
	}
	if *s.left <= 0 {
		return Resource{}, errBudget
	}
	*s.left--
	res, err := s.opt.Fetcher.Fetch(s.ctx, key, accept, maxBytes)
	if err == nil && res.Status == http.StatusOK && accept == acceptBadge && looksLikeHTML(res) && *s.left > 0 {
		// Some sites answer a page unless JSON is the only thing asked for.
		*s.left--
		if again, err2 := s.opt.Fetcher.Fetch(s.ctx, key, "application/json", maxBytes); err2 == nil && again.Status == http.StatusOK {
			res = again
		}
	}
	s.seen[key] = fetched{res, err}
	return res, err
}

func looksLikeHTML(r Resource) bool {
	start := strings.ToLower(strings.TrimSpace(string(r.Body[:min(len(r.Body), 256)])))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

func (s *session) unreachable(name, rawURL string, err error) {
	switch {
	case errors.Is(err, errBudget), errors.Is(err, errTooLarge):
		s.rep.undecided(name, rawURL, "%s was not read: %v", rawURL, err)
	default:
		s.rep.undecided(name, rawURL, "%s could not be reached: %v", rawURL, err)
	}
}

// document fetches a JSON document and reports under "hosting" (and "status" for
// an assertion that is gone) what keeps it from being used. what names it in
// messages.
func (s *session) document(rawURL, what string) (doc map[string]any, raw []byte, ok bool) {
	if err := checkWebURL(rawURL); err != nil {
		s.rep.fail("hosting", rawURL, "the %s's address can't be used: %v", what, err)
		return nil, nil, false
	}
	res, err := s.get(rawURL, acceptBadge, s.opt.MaxImage)
	if err != nil {
		s.unreachable("hosting", rawURL, err)
		return nil, nil, false
	}
	switch {
	case res.Status == http.StatusGone && what == "assertion":
		s.revoked(rawURL, res.Body, "the issuer answers that the badge is gone (HTTP 410)")
		return nil, nil, false
	case res.Status == http.StatusNotFound || res.Status == http.StatusGone:
		s.rep.fail("hosting", rawURL, "the %s is not there (HTTP %d)", what, res.Status)
		return nil, nil, false
	case res.Status != http.StatusOK:
		s.rep.undecided("hosting", rawURL, "the %s could not be read: its host answers HTTP %d", what, res.Status)
		return nil, nil, false
	}
	if int64(len(res.Body)) > s.opt.MaxDocument {
		s.rep.undecided("hosting", rawURL, "the %s is larger than %d bytes", what, s.opt.MaxDocument)
		return nil, nil, false
	}
	if res.moved(rawURL) {
		s.rep.undecided("hosting", rawURL, "the %s is answered by another host through a redirect, %s, which does not speak for this one", what, clip(res.URL))
	} else if res.URL != "" && res.URL != rawURL {
		s.rep.warn("hosting", rawURL, "the %s was fetched through a redirect to %s", what, clip(res.URL))
	}
	doc, err = parseObject(res.Body)
	if err != nil {
		if looksLikeHTML(res) {
			s.rep.fail("format", rawURL, "the %s's address answers with a page for people instead of JSON", what)
		} else {
			s.rep.fail("format", rawURL, "the %s can't be read: %v", what, err)
		}
		return nil, nil, false
	}
	return s.plain2(rawURL, doc), res.Body, true
}

// revoked reports a badge that was taken back, with the issuer's reason.
func (s *session) revoked(node string, stub []byte, message string) {
	s.rep.Revoked = true
	if s.rep.Subject == "" {
		s.rep.Subject = node
	}
	if s.rep.Verification == "none" {
		s.rep.Verification = "hosted"
	}
	if doc, err := parseObject(stub); err == nil {
		if s.rep.Version == "" {
			s.rep.Version = string(versionOf(doc))
		}
		if reason, _ := doc["revocationReason"].(string); reason != "" {
			s.reason(reason)
			message += ": " + clip(reason)
		}
	}
	s.rep.fail("status", node, "%s", message)
}

func (s *session) reason(reason string) {
	if s.rep.Badge == nil {
		s.rep.Badge = &Badge{}
	}
	s.rep.Badge.RevocationReason = clip(reason)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}
