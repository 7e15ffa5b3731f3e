package httpx_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"badgebridge/internal/httpx"
)

func serve(t *testing.T, h http.HandlerFunc) (base, host string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL, strings.TrimPrefix(srv.URL, "http://")
}

func ok(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }

func get(c *http.Client, u string) (httpx.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return httpx.Fetch(ctx, c, u, "", 0)
}

func TestGuardedRefusesEveryAddressThatIsNotPublic(t *testing.T) {
	_, host := serve(t, ok)
	_, port, _ := net.SplitHostPort(host)
	c := httpx.Guarded(httpx.Config{})
	for _, u := range []string{
		"http://127.0.0.1/", "http://localhost/", "http://" + host + "/", "http://localhost:" + port + "/",
		"http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://10.0.0.1/", "http://172.16.0.1/",
		"http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://[fd00::1]/",
		"http://100.64.0.1/", "http://224.0.0.1/", "http://8.8.8.8:22/", "http://user:pw@8.8.8.8/", "ftp://8.8.8.8/", "file:///etc/passwd",
	} {
		if _, err := get(c, u); !errors.Is(err, httpx.ErrBlocked) {
			t.Errorf("%s: want ErrBlocked, got %v", u, err)
		} else if strings.Contains(err.Error(), "pw") && strings.Contains(u, "pw") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// resolver answers every name with addr.
func resolver(t *testing.T, addr [4]byte) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: addr},
				}}
			}
			if out, err := m.Pack(); err == nil {
				pc.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func TestANameThatLeadsToAPrivateAddressIsRefusedWhenDialled(t *testing.T) {
	var hits atomic.Int32
	_, host := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	_, port, _ := net.SplitHostPort(host)
	var p uint16
	fmt.Sscan(port, &p)
	c := httpx.Guarded(httpx.Config{Resolver: resolver(t, [4]byte{127, 0, 0, 1}), Ports: []uint16{p}})
	_, err := get(c, "http://rebind.example.test:"+port+"/")
	if !errors.Is(err, httpx.ErrBlocked) || hits.Load() != 0 {
		t.Fatalf("got %v, %d requests arrived", err, hits.Load())
	}
	if strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("the error tells where the name leads: %v", err)
	}
}

func TestAnAllowedLoopbackNameReachesNothingElse(t *testing.T) {
	allow := []string{"demo.example.test:80"}
	c := httpx.Guarded(httpx.Config{Resolver: resolver(t, [4]byte{10, 0, 0, 1}), AllowLoopback: allow})
	if _, err := get(c, "http://demo.example.test/"); !errors.Is(err, httpx.ErrBlocked) {
		t.Fatalf("got %v", err)
	}
}

func TestLoopbackIsReachedOnlyAtTheListedPort(t *testing.T) {
	base, host := serve(t, ok)
	other, _ := serve(t, ok)
	c := httpx.Guarded(httpx.Config{AllowLoopback: []string{host}})
	if r, err := get(c, base); err != nil || string(r.Body) != "ok" {
		t.Fatalf("got %q, %v", r.Body, err)
	}
	if _, err := get(c, other); !errors.Is(err, httpx.ErrBlocked) {
		t.Fatalf("got %v", err)
	}
}

func TestEveryRedirectIsCheckedAgain(t *testing.T) {
	secret, _ := serve(t, ok)
	var self string
	base, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/inside":
			http.Redirect(w, r, secret, http.StatusFound)
		case "/loop":
			http.Redirect(w, r, self+"/loop", http.StatusFound)
		case "/once":
			http.Redirect(w, r, self+"/", http.StatusFound)
		default:
			ok(w, r)
		}
	})
	self = base
	c := httpx.Guarded(httpx.Config{AllowLoopback: []string{host}, MaxRedirects: 3})
	if _, err := get(c, base+"/inside"); !errors.Is(err, httpx.ErrBlocked) {
		t.Errorf("a redirect to a private address: got %v", err)
	}
	if _, err := get(c, base+"/loop"); !errors.Is(err, httpx.ErrRedirect) {
		t.Errorf("a redirect loop: got %v", err)
	}
	if r, err := get(c, base+"/once"); err != nil || r.URL != base+"/" {
		t.Errorf("one redirect: got %q, %v", r.URL, err)
	}
	none := httpx.Guarded(httpx.Config{AllowLoopback: []string{host}, MaxRedirects: -1})
	if _, err := get(none, base+"/once"); !errors.Is(err, httpx.ErrRedirect) {
		t.Errorf("redirects switched off: got %v", err)
	}
}

func TestHTTPSNeverFallsBackToHTTP(t *testing.T) {
	plain, plainHost := serve(t, ok)
	tls := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain, http.StatusFound)
	}))
	defer tls.Close()
	c := httpx.Guarded(httpx.Config{AllowLoopback: []string{plainHost}, Wrap: func(next http.RoundTripper) http.RoundTripper {
		return pick(func(r *http.Request) http.RoundTripper {
			if r.URL.Scheme == "https" {
				return tls.Client().Transport
			}
			return next
		})
	}})
	if _, err := get(c, tls.URL); !errors.Is(err, httpx.ErrRedirect) {
		t.Fatalf("got %v", err)
	}
}

type pick func(*http.Request) http.RoundTripper

func (p pick) RoundTrip(r *http.Request) (*http.Response, error) { return p(r).RoundTrip(r) }

func TestGuardedSendsNoCredentials(t *testing.T) {
	var got http.Header
	base, host := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header.Clone(); ok(w, r) })
	c := httpx.Guarded(httpx.Config{AllowLoopback: []string{host}, Version: "1.2.3"})
	req, _ := http.NewRequest(http.MethodGet, base, nil)
	for _, h := range []string{"Authorization", "Cookie", "X-Badgebridge-Signature", "X-Api-Key"} {
		req.Header.Set(h, "s3cr3t")
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if strings.Contains(fmt.Sprint(got), "s3cr3t") {
		t.Errorf("credentials were sent: %v", got)
	}
	if got.Get("Accept") != "application/json" || got.Get("User-Agent") != "Badgebridge/1.2.3" {
		t.Errorf("got %v", got)
	}
}

func TestAHostThatAMemberNamedGetsItsCredentialsAtAPublicAddressAlone(t *testing.T) {
	var got http.Header
	base, host := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header.Clone(); ok(w, r) })
	call := func(allow ...string) error {
		got = nil
		c := httpx.ForRemote([]string{host}, httpx.RemoteConfig{Config: httpx.Config{AllowLoopback: allow}, Strange: true})
		req, _ := http.NewRequest(http.MethodGet, base, nil)
		req.Header.Set("Authorization", "Bearer s3cr3t")
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if err := call(); !errors.Is(err, httpx.ErrBlocked) || got != nil {
		t.Errorf("a private address: %v, and it got %v", err, got)
	}
	if err := call(host); err != nil || got.Get("Authorization") != "Bearer s3cr3t" {
		t.Errorf("an address that may be called: %v, and it got %v", err, got)
	}
}

func TestARemotesCredentialsStayWithIt(t *testing.T) {
	var atB http.Header
	baseB, hostB := serve(t, func(w http.ResponseWriter, r *http.Request) { atB = r.Header.Clone(); ok(w, r) })
	var atA http.Header
	baseA, hostA := serve(t, func(w http.ResponseWriter, r *http.Request) {
		atA = r.Header.Clone()
		http.Redirect(w, r, baseB+"/elsewhere", http.StatusFound)
	})
	withToken := func(next http.RoundTripper) http.RoundTripper {
		return pick(func(r *http.Request) http.RoundTripper {
			r.Header.Set("Authorization", "Bearer s3cr3t") // as an OAuth transport does, on every hop
			return next
		})
	}
	cases := map[string]*http.Client{
		"both named":         httpx.ForRemote([]string{hostA, hostB}, httpx.RemoteConfig{}),
		"the other a guest":  httpx.ForRemote([]string{hostA}, httpx.RemoteConfig{Config: httpx.Config{AllowLoopback: []string{hostB}}}),
		"token on every hop": httpx.ForRemote([]string{hostA}, httpx.RemoteConfig{Config: httpx.Config{AllowLoopback: []string{hostB}, Wrap: withToken}}),
	}
	for name, c := range cases {
		atA, atB = nil, nil
		req, _ := http.NewRequest(http.MethodGet, baseA, nil)
		req.Header.Set("Authorization", "Bearer s3cr3t")
		req.Header.Set("X-Badgebridge-Signature", "s3cr3t")
		req.Header.Set("Accept", "application/json")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		resp.Body.Close()
		if atA.Get("Authorization") == "" || atA.Get("X-Badgebridge-Signature") == "" {
			t.Errorf("%s: the remote itself got no credentials: %v", name, atA)
		}
		if strings.Contains(fmt.Sprint(atB), "s3cr3t") || atB.Get("Accept") == "" {
			t.Errorf("%s: the other host got %v", name, atB)
		}
	}
}

func TestARemoteIsPinnedToItsHosts(t *testing.T) {
	base, host := serve(t, ok)
	other, _ := serve(t, ok)
	c := httpx.ForRemote([]string{host}, httpx.RemoteConfig{})
	if _, err := get(c, base); err != nil {
		t.Fatalf("the named private host: %v", err)
	}
	if _, err := get(c, other); !errors.Is(err, httpx.ErrBlocked) {
		t.Fatalf("another private host: %v", err)
	}
	linkLocal := httpx.ForRemote([]string{"169.254.169.254"}, httpx.RemoteConfig{})
	if _, err := get(linkLocal, "http://169.254.169.254/"); !errors.Is(err, httpx.ErrBlocked) {
		t.Fatalf("a named link-local host: %v", err)
	}
}

func TestAWriteIsNeverRedirected(t *testing.T) {
	var writes atomic.Int32
	baseB, hostB := serve(t, func(w http.ResponseWriter, r *http.Request) { writes.Add(1) })
	baseA, hostA := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, baseB, http.StatusTemporaryRedirect)
	})
	c := httpx.ForRemote([]string{hostA, hostB}, httpx.RemoteConfig{})
	resp, err := c.Post(baseA, "application/json", strings.NewReader(`{"a":1}`))
	if resp != nil {
		resp.Body.Close()
	}
	if !errors.Is(err, httpx.ErrRedirect) || writes.Load() != 0 {
		t.Fatalf("got %v, %d writes arrived elsewhere", err, writes.Load())
	}
}

func TestTheCircuitOpensOnServerErrorsOnly(t *testing.T) {
	var status, hits atomic.Int32
	base, host := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.WriteHeader(int(status.Load()))
	})
	c := httpx.ForRemote([]string{host}, httpx.RemoteConfig{TripAfter: 3, OpenFor: 50 * time.Millisecond, PerSecond: -1})
	for _, s := range []int32{404, 429, 401, 422, 404, 429} {
		status.Store(s)
		if _, err := get(c, base); err != nil {
			t.Fatalf("status %d: %v", s, err)
		}
	}
	status.Store(503)
	for range 3 {
		if _, err := get(c, base); err != nil {
			t.Fatal(err)
		}
	}
	before := hits.Load()
	if _, err := get(c, base); !errors.Is(err, httpx.ErrCircuitOpen) || hits.Load() != before {
		t.Fatalf("got %v, %d more requests", err, hits.Load()-before)
	}
	status.Store(200)
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := get(c, base); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the circuit never closed again: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestACallThatTheCallerGaveUpDoesNotOpenTheCircuit(t *testing.T) {
	release := make(chan struct{})
	var slow atomic.Bool
	slow.Store(true)
	base, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if slow.Load() {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	})
	defer close(release)
	c := httpx.ForRemote([]string{host}, httpx.RemoteConfig{TripAfter: 1})
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	if _, err := httpx.Fetch(ctx, c, base, "", 0); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	slow.Store(false)
	if _, err := get(c, base); err != nil {
		t.Fatalf("the circuit opened: %v", err)
	}
}

func TestTheRateLimitIsKept(t *testing.T) {
	var hits atomic.Int32
	base, host := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	c := httpx.ForRemote([]string{host}, httpx.RemoteConfig{PerSecond: 0.001, Burst: 2})
	for range 2 {
		if _, err := get(c, base); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := get(c, base); !errors.Is(err, httpx.ErrRateWait) || hits.Load() != 2 {
		t.Fatalf("got %v after %d requests", err, hits.Load())
	}
}

func TestABodyOverTheLimitIsAnErrorNeverACutDocument(t *testing.T) {
	big := strings.Repeat("x", 5000)
	base, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/length":
			w.Header().Set("Content-Length", "5000")
			io.WriteString(w, big)
		case "/chunked":
			io.WriteString(w, big[:10])
			w.(http.Flusher).Flush()
			io.WriteString(w, big[10:])
		case "/gzip":
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			io.WriteString(z, big)
			z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(b.Bytes())
		case "/exact":
			io.WriteString(w, big[:1000])
		}
	})
	c := httpx.Guarded(httpx.Config{AllowLoopback: []string{host}, MaxBody: 1000})
	for _, p := range []string{"/length", "/chunked", "/gzip"} {
		if r, err := get(c, base+p); !errors.Is(err, httpx.ErrTooLarge) {
			t.Errorf("%s: got %d bytes, %v", p, len(r.Body), err)
		}
	}
	if r, err := get(c, base+"/exact"); err != nil || len(r.Body) != 1000 {
		t.Errorf("exactly the limit: %d bytes, %v", len(r.Body), err)
	}
	if _, err := httpx.Fetch(context.Background(), c, base+"/exact", "", 999); !errors.Is(err, httpx.ErrTooLarge) {
		t.Errorf("Fetch's own limit: %v", err)
	}
}

func TestASilentServerIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	base, host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	allow := []string{host}
	for name, c := range map[string]httpx.Config{
		"/":     {AllowLoopback: allow, HeaderTimeout: 30 * time.Millisecond},
		"/body": {AllowLoopback: allow, Timeout: 30 * time.Millisecond},
	} {
		_, err := get(httpx.Guarded(c), base+name)
		var te interface{ Timeout() bool }
		if !errors.As(err, &te) || !te.Timeout() {
			t.Errorf("%s: want a timeout, got %v", name, err)
		}
	}
}

func TestErrorsDoNotShowTheQuery(t *testing.T) {
	c := httpx.Guarded(httpx.Config{})
	_, err := get(c, "http://127.0.0.1/hook?token=s3cr3t")
	var ue *url.Error
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || errors.As(err, &ue) {
		t.Fatalf("got %v", err)
	}
}

func TestRestySendsAWriteOnce(t *testing.T) {
	var hits atomic.Int32
	base, host := serve(t, func(w http.ResponseWriter, _ *http.Request) { hits.Add(1); w.WriteHeader(500) })
	r := httpx.Resty(httpx.ForRemote([]string{host}, httpx.RemoteConfig{}), base)
	resp, err := r.R().SetBody(map[string]int{"a": 1}).Post("/issue")
	if err != nil || resp.StatusCode() != 500 || hits.Load() != 1 {
		t.Fatalf("got %v, %v, %d requests", resp.StatusCode(), err, hits.Load())
	}
	if r.GetClient().Jar != nil {
		t.Fatal("a cookie jar would be shared by all remotes")
	}
}

func ExampleGuarded() {
	client := httpx.Guarded(httpx.Config{Version: "1.0"})
	_, err := httpx.Fetch(context.Background(), client, "http://169.254.169.254/latest/meta-data/", "application/json", 1<<20)
	fmt.Println(errors.Is(err, httpx.ErrBlocked))
	// Output: true
}

func TestEachRemoteHasItsOwnPause(t *testing.T) {
	var hits atomic.Int32
	busy, busyHost := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	free, freeHost := serve(t, ok)
	one := httpx.ForRemote([]string{busyHost}, httpx.RemoteConfig{})
	if r, err := get(one, busy); err != nil || r.Status != http.StatusTooManyRequests {
		t.Fatalf("%d, %v", r.Status, err)
	}
	_, err := get(one, busy)
	if !errors.Is(err, httpx.ErrRateWait) || hits.Load() != 1 {
		t.Fatalf("%v after %d requests", err, hits.Load())
	}
	if left := httpx.WaitOf(err); left <= 50*time.Minute || left > time.Hour {
		t.Errorf("%v are left", left)
	}
	if _, err := get(httpx.ForRemote([]string{freeHost}, httpx.RemoteConfig{}), free); err != nil {
		t.Errorf("another remote: %v", err)
	}
}
