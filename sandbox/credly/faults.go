package credly

import (
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The kinds of fault. In DropAfter, Cut and Truncate the call is carried out;
// in the others it is not.
const (
	FaultRateLimit     = "429"        // 429 with Retry-After in seconds
	FaultRateLimitDate = "429-date"   // 429 with Retry-After as an HTTP date
	FaultRateLimitBare = "429-bare"   // 429 without Retry-After
	FaultServerError   = "500"        // 500 with an HTML page
	FaultLatency       = "latency"    // carried out after Delay
	FaultDropBefore    = "drop"       // connection ends, nothing was done
	FaultDropAfter     = "drop-after" // carried out, then the connection ends without an answer
	FaultTruncate      = "truncate"   // carried out, half of the JSON as if it were all
	FaultCut           = "cut"        // carried out, the connection ends in mid-body
)

// Fault is a planned failure.
type Fault struct {
	ID     int    `json:"id"`
	Kind   string `json:"kind"`
	Method string `json:"method,omitempty"` // "" any
	// Path is a pattern for the path without /api, where * stands for one
	// segment: "/v1/organizations/*/badges". "" any.
	Path string `json:"path,omitempty"`
	// Count is how many matching calls are hit; 0 with Probability 0 means all.
	Count int `json:"count,omitempty"`
	// Probability hits that share of the matching calls, from a seeded source.
	Probability float64 `json:"probability,omitempty"`
	Seconds     int     `json:"seconds,omitempty"` // of Retry-After
	Delay       string  `json:"delay,omitempty"`   // of latency: a Go duration
	left        int     // of Count
}

// Inject adds a fault and returns its id.
func (s *Sim) Inject(f Fault) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.ID, f.left = 1, f.Count
	if n := len(s.faults); n > 0 {
		f.ID = s.faults[n-1].ID + 1
	}
	s.faults = append(s.faults, &f)
	return f.ID
}

// ClearFaults takes all faults away.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault chooses the fault for a call and counts the call if it writes.
func (s *Sim) takeFault(r *http.Request) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.calls[endpoint(r)]++
	}
	for _, f := range s.faults {
		if f.Method != "" && !strings.EqualFold(f.Method, r.Method) {
			continue
		}
		if m, err := path.Match(f.Path, r.URL.Path); f.Path != "" && (err != nil || !m) {
			continue
		}
		if f.Count > 0 {
			if f.left == 0 {
				continue
			}
			f.left--
		} else if f.Probability > 0 && s.rng.Float64() >= f.Probability {
			continue
		}
		return *f, true
	}
	return Fault{}, false
}

var uuidSegment = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// endpoint names a call without its ids: "POST /v1/organizations/{id}/badges".
func endpoint(r *http.Request) string {
	return r.Method + " " + uuidSegment.ReplaceAllString(r.URL.Path, "{id}")
}

func (s *Sim) withFaults(w http.ResponseWriter, r *http.Request, next http.Handler) {
	f, hit := s.takeFault(r)
	if !hit {
		next.ServeHTTP(w, r)
		return
	}
	switch f.Kind {
	case FaultRateLimit:
		w.Header().Set("Retry-After", strconv.Itoa(f.Seconds))
		writeJSON(w, http.StatusTooManyRequests, fail(0, "Too many requests").body)
	case FaultRateLimitDate:
		now := s.Now()
		w.Header().Set("Date", now.Format(http.TimeFormat))
		w.Header().Set("Retry-After", now.Add(time.Duration(f.Seconds)*time.Second).Format(http.TimeFormat))
		writeJSON(w, http.StatusTooManyRequests, fail(0, "Too many requests").body)
	case FaultRateLimitBare:
		writeJSON(w, http.StatusTooManyRequests, fail(0, "Too many requests").body)
	case FaultServerError:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("<!doctype html><title>Error</title><h1>We are sorry, but something went wrong.</h1>"))
	case FaultLatency:
		d, _ := time.ParseDuration(f.Delay)
		select {
		case <-time.After(d):
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	case FaultDropBefore:
		panic(http.ErrAbortHandler) // net/http ends the connection
	default:
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		if f.Kind == FaultDropAfter {
			panic(http.ErrAbortHandler)
		}
		body := rec.Body.Bytes()
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		length := len(body) / 2
		if f.Kind == FaultCut {
			length = max(len(body), 1)
		}
		w.Header().Set("Content-Length", strconv.Itoa(length))
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body[:len(body)/2])
		if f.Kind == FaultCut {
			if fl, ok := w.(http.Flusher); ok {
				fl.Flush()
			}
			panic(http.ErrAbortHandler)
		}
	}
}
