package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/sony/gobreaker/v2"
)

// finish is the outermost layer: scheme, User-Agent, body limit.
type finish struct {
	next      http.RoundTripper
	userAgent string
	maxBody   int64
}

func (f *finish) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && req.URL.Scheme != "http" {
		return nil, refuse(req, fmt.Errorf("%w: %q is no web address", ErrBlocked, req.URL.Scheme))
	}
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", f.userAgent)
	resp, err := f.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > f.maxBody {
		resp.Body.Close()
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, resp.ContentLength, f.maxBody)
	}
	resp.Body = &limitedBody{body: resp.Body, left: f.maxBody, limit: f.maxBody}
	return resp, nil
}

// refuse closes the request's body, as a RoundTripper has to.
func refuse(req *http.Request, err error) error {
	if req.Body != nil {
		req.Body.Close()
	}
	return err
}

// limitedBody fails with ErrTooLarge instead of ending early, so that a cut
// document is never taken for a whole one.
type limitedBody struct {
	body        io.ReadCloser
	left, limit int64
}

func (l *limitedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.body.Read(p)
	if int64(n) > l.left {
		n, l.left = int(l.left), 0
		return n, fmt.Errorf("%w: the limit is %d bytes", ErrTooLarge, l.limit)
	}
	l.left -= int64(n)
	return n, err
}

func (l *limitedBody) Close() error { return l.body.Close() }

// harmless are the request headers that go to hosts which get no credentials.
// It is a list of what may pass, because signatures and tokens come under any
// name.
func harmless(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Range",
		"If-None-Match", "If-Modified-Since", "Content-Type", "Content-Length", "Traceparent", "Tracestate":
		return true
	}
	return false
}

func dropCredentials(h http.Header) {
	for name := range h {
		if !harmless(name) {
			delete(h, name)
		}
	}
}

// bare sends requests without credentials.
type bare struct{ next http.RoundTripper }

func (b *bare) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.User != nil {
		return nil, refuse(req, fmt.Errorf("%w: it holds a user name or password", ErrBlocked))
	}
	req = req.Clone(req.Context())
	dropCredentials(req.Header)
	return b.next.RoundTrip(req)
}

// fork sends the operator's hosts one way and all others through the guard. It
// holds whatever the redirect policy of the client above it is: an OAuth
// transport puts its token on every hop.
type fork struct {
	named      hostSet
	own, other http.RoundTripper
}

func (f *fork) RoundTrip(req *http.Request) (*http.Response, error) {
	if f.named.hasAddr(authority(req.URL)) {
		return f.own.RoundTrip(req)
	}
	return f.other.RoundTrip(req)
}

// authority is the "host:port" that a URL leads to.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if strings.EqualFold(u.Scheme, "https") {
			port = "443"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// limited keeps the remote's pace.
type limited struct {
	next http.RoundTripper
	pace *pace
}

func (l *limited) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := l.pace.wait(req.Context()); err != nil {
		return nil, refuse(req, err)
	}
	began := l.pace.now()
	resp, err := l.next.RoundTrip(req)
	if err == nil {
		l.pace.heard(resp, began)
	}
	return resp, err
}

// broken keeps a circuit breaker over the calls to one remote.
type broken struct {
	next    http.RoundTripper
	circuit *gobreaker.TwoStepCircuitBreaker[struct{}]
}

// errServer stands for an answer of 5xx in the breaker's count.
var errServer = errors.New("server error")

func newCircuit(c RemoteConfig) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout: c.OpenFor,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			return c.TripAfter > 0 && n.ConsecutiveFailures >= uint32(c.TripAfter)
		},
		// A call that we or the caller stopped says nothing about the remote.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) || errors.Is(err, ErrBlocked) },
	})
}

func (b *broken) RoundTrip(req *http.Request) (*http.Response, error) {
	done, err := b.circuit.Allow()
	if err != nil {
		return nil, refuse(req, ErrCircuitOpen)
	}
	resp, err := b.next.RoundTrip(req)
	switch {
	case err != nil:
		done(err)
	case resp.StatusCode >= 500:
		done(errServer)
	default:
		done(nil)
	}
	return resp, err
}

// redirectPolicy bounds redirects and takes credentials off those that leave the
// origin of the first request.
func redirectPolicy(limit int) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		first, last := via[0], via[len(via)-1]
		if first.Method != http.MethodGet && first.Method != http.MethodHead {
			return fmt.Errorf("%w: the server answered a %s with a redirect to %s://%s: configure that address instead",
				ErrRedirect, first.Method, req.URL.Scheme, req.URL.Host)
		}
		if len(via) > max(limit, 0) {
			return fmt.Errorf("%w: more than %d in a row", ErrRedirect, max(limit, 0))
		}
		if last.URL.Scheme == "https" && req.URL.Scheme != "https" {
			return fmt.Errorf("%w: it leads from https to %s", ErrRedirect, req.URL.Scheme)
		}
		// net/http copies the first request's headers to every hop, so a chain that
		// once left the origin stays without them, even where it comes back.
		left := !sameOrigin(first.URL, req.URL)
		for _, hop := range via {
			left = left || !sameOrigin(first.URL, hop.URL)
		}
		if left {
			dropCredentials(req.Header)
		}
		return nil
	}
}

// sameOrigin allows the step from http to https of one host, which every site
// makes at some time.
func sameOrigin(a, b *url.URL) bool {
	if !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	if a.Scheme == "http" && b.Scheme == "https" && a.Port() == "" && b.Port() == "" {
		return true
	}
	return a.Scheme == b.Scheme && authority(a) == authority(b)
}
