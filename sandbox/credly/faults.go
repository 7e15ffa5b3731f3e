package credly

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Fault is a planned failure: of a kind, on some calls, some of the time.
type Fault struct {
	ID   int    `json:"id"`
	Kind string `json:"kind"` // one of FaultKinds; several with commas: one of them each time
	// Method of the calls, "" any.
	Method string `json:"method,omitempty"`
	// Path is a pattern for the path without /api, where * stands for one
	// segment: "/v1/organizations/*/badges". "" any.
	Path string `json:"path,omitempty"`
	// Skip lets so many matching calls pass first.
	Skip int `json:"skip,omitempty"`
	// Count is how many matching calls are hit after that; 0 with Probability 0
	// means all.
	Count int `json:"count,omitempty"`
	// Probability hits that share of the matching calls. Which ones follows from
	// Config.FaultSeed, the fault's ID and how many matched before, so a run with
	// the same calls fails in the same places.
	Probability float64 `json:"probability,omitempty"`
	Seconds     int     `json:"seconds,omitempty"` // of Retry-After
	Delay       string  `json:"delay,omitempty"`   // of latency and slow: a Go duration
}

// fault is a Fault at work.
type fault struct {
	Fault
	delay      time.Duration
	kinds      []string
	skip, left int
	hits       int
	rng        *rand.Rand
}

// Inject adds a fault and returns its id. It panics on a fault that CheckFault
// refuses.
func (s *Sim) Inject(f Fault) int {
	id, err := s.inject(f)
	if err != nil {
		panic("credly simulator: " + err.Error())
	}
	return id
}

// CheckFault says what is wrong with a fault: an unknown kind, a pattern or a
// duration that can't be read, a probability that is none.
func CheckFault(f Fault) error {
	_, err := newFault(f)
	return err
}

func newFault(f Fault) (*fault, error) {
	out := &fault{Fault: f, skip: f.Skip, left: f.Count}
	for _, kind := range strings.Split(f.Kind, ",") {
		kind = strings.TrimSpace(kind)
		if !slices.ContainsFunc(FaultKinds(), func(k FaultKind) bool { return k.Name == kind }) {
			return nil, fmt.Errorf("no kind of fault is called %q", kind)
		}
		out.kinds = append(out.kinds, kind)
	}
	if _, err := path.Match(f.Path, ""); err != nil {
		return nil, fmt.Errorf("path %q: %w", f.Path, err)
	}
	if f.Probability < 0 || f.Probability > 1 {
		return nil, fmt.Errorf("a probability is between 0 and 1, not %g", f.Probability)
	}
	if f.Delay != "" {
		d, err := time.ParseDuration(f.Delay)
		if err != nil {
			return nil, fmt.Errorf("delay: %w", err)
		}
		out.delay = d
	}
	return out, nil
}

func (s *Sim) inject(f Fault) (int, error) {
	add, err := newFault(f)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultID++
	add.ID = s.faultID
	add.rng = rand.New(rand.NewPCG(s.cfg.FaultSeed, uint64(add.ID))) //nolint:gosec // it has to repeat itself
	s.faults = append(s.faults, add)
	return add.ID, nil
}

// ClearFaults takes all faults away.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// RemoveFault takes one fault away.
func (s *Sim) RemoveFault(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *fault) bool { return f.ID == id })
}

// hit says whether a call is to fail, and how.
func (f *fault) hit(r *http.Request) (kind string, yes bool) {
	if f.Method != "" && !strings.EqualFold(f.Method, r.Method) {
		return "", false
	}
	if m, err := path.Match(f.Path, r.URL.Path); f.Path != "" && (err != nil || !m) {
		return "", false
	}
	switch {
	case f.skip > 0:
		f.skip--
		return "", false
	case f.Probability > 0 && f.rng.Float64() >= f.Probability:
		return "", false
	case f.Count > 0 && f.left == 0:
		return "", false
	case f.Count > 0:
		f.left--
	}
	f.hits++
	if len(f.kinds) == 1 {
		return f.kinds[0], true
	}
	return f.kinds[f.rng.IntN(len(f.kinds))], true
}

// takeFault chooses the fault for a call and counts the call.
func (s *Sim) takeFault(r *http.Request) (*fault, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		s.reads[endpoint(r)]++
	} else {
		s.calls[endpoint(r)]++
	}
	for _, f := range s.faults {
		if kind, yes := f.hit(r); yes {
			return f, kind
		}
	}
	return nil, ""
}

var uuidSegment = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// endpoint names a call without its ids: "POST /v1/organizations/{id}/badges".
func endpoint(r *http.Request) string {
	return r.Method + " " + uuidSegment.ReplaceAllString(r.URL.Path, "{id}")
}

func (s *Sim) withFaults(w http.ResponseWriter, r *http.Request, next http.Handler) {
	f, kind := s.takeFault(r)
	if f == nil {
		next.ServeHTTP(w, r)
		return
	}
	i := slices.IndexFunc(FaultKinds(), func(k FaultKind) bool { return k.Name == kind })
	FaultKinds()[i].strike(&struck{s, f, w, r, next})
}
