package adaptertest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// FaultKind says how a FaultProxy answers in place of its target.
type FaultKind string

// The kinds of fault. The target does its work in Cut, Truncate, Stall and
// DropAfter; in the others it does not see the call.
const (
	// Cut announces the whole body, sends half of it and ends the connection.
	Cut FaultKind = "cut"
	// Truncate sends half of the body as if that were all.
	Truncate FaultKind = "truncate"
	// Stall sends the header and half of the body, then nothing until the
	// caller has gone.
	Stall FaultKind = "stall"
	// Hang sends nothing until the caller has gone.
	Hang FaultKind = "hang"
	// DropAfter lets the target do its work and ends the connection without an
	// answer: the write happened and the caller does not know.
	DropAfter FaultKind = "drop after commit"
	// DropBefore ends the connection; the target saw nothing.
	DropBefore FaultKind = "drop before"
	// SlowDown answers 429 with Retry-After in seconds.
	SlowDown FaultKind = "429 with seconds"
	// SlowDownDate answers 429 with Retry-After as an HTTP date.
	SlowDownDate FaultKind = "429 with a date"
	// Fail answers Status (503 when 0) with an HTML page, as load balancers do.
	Fail FaultKind = "fail"
	// HTML answers 200 with an HTML page.
	HTML FaultKind = "html"
	// Empty answers 200 with no body at all.
	Empty FaultKind = "empty"
	// Redirect answers Status (302 when 0) with Location.
	Redirect FaultKind = "redirect"
	// Stale repeats the last good answer that the same GET got, so that a fresh
	// write stays invisible; a GET never seen before goes through.
	Stale FaultKind = "stale"
)

// Fault is one planned misbehaviour.
type Fault struct {
	Kind FaultKind
	// Match chooses the calls, nil all of them. Reads and Writes are ready made.
	Match func(*http.Request) bool
	// Times is how many matching calls are hit, 0 all of them.
	Times      int
	Status     int
	RetryAfter time.Duration // of SlowDown and SlowDownDate
	Location   string        // of Redirect; the call's path and query are added
}

// Reads matches GET and HEAD.
func Reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// Writes matches every other method.
func Writes(r *http.Request) bool { return !Reads(r) }

// Call is one request as a FaultProxy or a Witness saw it.
type Call struct {
	Method string
	URL    string // path and query
	Header http.Header
	Body   []byte
}

// FaultProxy stands before a remote and misbehaves as told. It is an
// http.Handler, safe for concurrent use; serve it with httptest.NewServer.
type FaultProxy struct {
	target http.Handler

	mu     sync.Mutex
	faults []*Fault
	calls  []Call
	seen   chan struct{}
	stuck  chan struct{}
	last   map[string]*httptest.ResponseRecorder
}

// NewFaultProxy returns a proxy that passes everything to target until a fault
// is injected.
func NewFaultProxy(target http.Handler) *FaultProxy {
	return &FaultProxy{target: target, seen: make(chan struct{}, 1), stuck: make(chan struct{}, 1), last: map[string]*httptest.ResponseRecorder{}}
}

// Inject adds a fault. Of several that match a call the one injected first is
// taken.
func (p *FaultProxy) Inject(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	p.faults = append(p.faults, &f)
}

// Clear takes all faults away.
func (p *FaultProxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// Calls returns what was asked so far, oldest first, and forgets nothing.
func (p *FaultProxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Call(nil), p.calls...)
}

// Seen yields after a call arrived; several calls may yield once.
func (p *FaultProxy) Seen() <-chan struct{} { return p.seen }

// Stuck yields when a Stall or a Hang has begun to keep its caller waiting.
func (p *FaultProxy) Stuck() <-chan struct{} { return p.stuck }

// hold keeps the caller waiting until it has gone.
func (p *FaultProxy) hold(r *http.Request) {
	select {
	case p.stuck <- struct{}{}:
	default:
	}
	<-r.Context().Done()
}

func (p *FaultProxy) fault(r *http.Request, c Call) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
	select {
	case p.seen <- struct{}{}:
	default:
	}
	for _, f := range p.faults {
		if f.Times != 0 && (f.Match == nil || f.Match(r)) {
			if f.Times > 0 {
				f.Times--
			}
			return f
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (p *FaultProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f := p.fault(r, Call{Method: r.Method, URL: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body})
	if f == nil {
		p.pass(w, r)
		return
	}
	page := "<!doctype html><title>Sorry</title><h1>Something went wrong</h1>"
	switch f.Kind {
	case Hang:
		p.hold(r)
	case DropBefore:
		panic(http.ErrAbortHandler)
	case SlowDown, SlowDownDate:
		after := strconv.Itoa(int(f.RetryAfter.Seconds()))
		if f.Kind == SlowDownDate {
			after = time.Now().Add(f.RetryAfter).UTC().Format(http.TimeFormat)
		}
		w.Header().Set("Retry-After", after)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"data":{"message":"Slow down."},"metadata":{}}`)
	case Fail:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(or(f.Status, http.StatusServiceUnavailable))
		_, _ = io.WriteString(w, page)
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	case Empty:
	case Redirect:
		w.Header().Set("Location", f.Location+r.URL.RequestURI())
		w.WriteHeader(or(f.Status, http.StatusFound))
	case Stale:
		p.mu.Lock()
		old := p.last[r.URL.RequestURI()]
		p.mu.Unlock()
		if old == nil || !Reads(r) {
			p.pass(w, r)
			return
		}
		play(w, old, len(old.Body.Bytes()))
	default:
		p.spoil(f.Kind, w, r)
	}
}

// pass hands the call to the target and remembers a good answer to a GET.
func (p *FaultProxy) pass(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	p.target.ServeHTTP(rec, r)
	if r.Method == http.MethodGet && rec.Code == http.StatusOK {
		p.mu.Lock()
		p.last[r.URL.RequestURI()] = rec
		p.mu.Unlock()
	}
	play(w, rec, rec.Body.Len())
}

// spoil lets the target do its work and damages the answer.
func (p *FaultProxy) spoil(kind FaultKind, w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	p.target.ServeHTTP(rec, r)
	half := rec.Body.Len() / 2
	switch kind {
	case Cut, Stall:
		w.Header().Set("Content-Length", strconv.Itoa(max(rec.Body.Len(), 1)))
		play(w, rec, half)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		if kind == Stall {
			p.hold(r)
		}
		panic(http.ErrAbortHandler)
	case Truncate:
		w.Header().Set("Content-Length", strconv.Itoa(half))
		play(w, rec, half)
	default: // DropAfter
		panic(http.ErrAbortHandler)
	}
}

// play repeats a recorded answer with the first n bytes of its body.
func play(w http.ResponseWriter, rec *httptest.ResponseRecorder, n int) {
	for k, v := range rec.Header() {
		if k != "Content-Length" {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes()[:n])
}

func or(v, fallback int) int {
	if v == 0 {
		return fallback
	}
	return v
}

// Witness is a host where nothing of the adapter's should arrive. It notes all
// calls and answers them with an empty JSON object.
type Witness struct {
	mu    sync.Mutex
	calls []Call
}

// ServeHTTP implements http.Handler.
func (v *Witness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	v.mu.Lock()
	v.calls = append(v.calls, Call{Method: r.Method, URL: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body})
	v.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// Calls returns what arrived.
func (v *Witness) Calls() []Call {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Call(nil), v.calls...)
}
