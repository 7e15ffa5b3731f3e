package credly

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// Names of faults.
const (
	FaultRateLimit     = "429"
	FaultRateLimitDate = "429-date"
	FaultRateLimitBare = "429-bare"
	FaultUnauthorized  = "401"
	FaultServerError   = "500"
	FaultErrorJSON     = "500-json"
	FaultErrorAfter    = "500-after"
	FaultBadGateway    = "502"
	FaultUnavailable   = "503"
	FaultTimeout       = "504"
	FaultTimeoutAfter  = "504-after"
	FaultHTML          = "html"
	FaultHTMLAfter     = "html-after"
	FaultEmpty         = "empty-after"
	FaultLatency       = "latency"
	FaultSlow          = "slow"
	FaultStall         = "stall"
	FaultDropBefore    = "drop"
	FaultDropAfter     = "drop-after"
	FaultTruncate      = "truncate"
	FaultCut           = "cut"
	FaultShiftIn       = "shift-in"
	FaultShiftOut      = "shift-out"
)

// FaultKind describes a kind of fault.
type FaultKind struct {
	Name string
	Doc  string
	// Done says that the call is carried out although it fails: the client can't
	// tell.
	Done bool
	// Answered says that the client gets the answer, whole and right.
	Answered bool

	strike func(*struck)
}

// struck is a call that is hit.
type struck struct {
	s    *Sim
	f    *fault
	w    http.ResponseWriter
	r    *http.Request
	next http.Handler
}

// FaultKinds lists the kinds of fault.
func FaultKinds() []FaultKind {
	return []FaultKind{
		{FaultRateLimit, "429 with Retry-After in seconds", false, false, func(x *struck) { x.limit(strconv.Itoa(x.f.Seconds)) }},
		{FaultRateLimitDate, "429 with Retry-After as an HTTP date", false, false, func(x *struck) {
			now := x.s.Now()
			x.w.Header().Set("Date", now.Format(http.TimeFormat))
			x.limit(now.Add(time.Duration(x.f.Seconds) * time.Second).Format(http.TimeFormat))
		}},
		{FaultRateLimitBare, "429 without Retry-After", false, false, func(x *struck) { x.limit("") }},
		{FaultUnauthorized, "401 to good credentials, as some have met now and then", false, false, func(x *struck) {
			writeJSON(x.w, http.StatusUnauthorized, fail(0, "Unauthorized").body)
		}},
		{FaultServerError, "500 with an HTML page", false, false, func(x *struck) { x.html(http.StatusInternalServerError) }},
		{FaultErrorJSON, "500 in Credly's envelope", false, false, func(x *struck) {
			writeJSON(x.w, http.StatusInternalServerError, fail(0, "Internal server error").body)
		}},
		{FaultErrorAfter, "carried out, then 500 with an HTML page", true, false, func(x *struck) {
			x.carryOut()
			x.html(http.StatusInternalServerError)
		}},
		{FaultBadGateway, "502 with a proxy's page", false, false, func(x *struck) { x.html(http.StatusBadGateway) }},
		{FaultUnavailable, "503 with a page, and Retry-After when there are seconds", false, false, func(x *struck) {
			if x.f.Seconds > 0 {
				x.w.Header().Set("Retry-After", strconv.Itoa(x.f.Seconds))
			}
			x.html(http.StatusServiceUnavailable)
		}},
		{FaultTimeout, "504 with a proxy's page", false, false, func(x *struck) { x.html(http.StatusGatewayTimeout) }},
		{FaultTimeoutAfter, "carried out, then 504 with a proxy's page", true, false, func(x *struck) {
			x.carryOut()
			x.html(http.StatusGatewayTimeout)
		}},
		{FaultHTML, "200 with an HTML page", false, false, func(x *struck) { x.html(http.StatusOK) }},
		{FaultHTMLAfter, "carried out, then its status with an HTML page", true, false, func(x *struck) { x.html(x.carryOut().Code) }},
		{FaultEmpty, "carried out, then its status without a body", true, false, func(x *struck) { x.w.WriteHeader(x.carryOut().Code) }},
		{FaultLatency, "carried out after a delay", true, true, func(x *struck) {
			if x.wait() {
				x.next.ServeHTTP(x.w, x.r)
			}
		}},
		{FaultSlow, "carried out, the body in ten pieces with a delay before each", true, true, func(x *struck) {
			rec := x.carryOut()
			x.head(rec, rec.Body.Len())
			for piece := rec.Body.Len()/10 + 1; rec.Body.Len() > 0; {
				if !x.wait() {
					return
				}
				x.write(rec.Body.Next(piece))
			}
		}},
		{FaultStall, "carried out, half of the body, then nothing until the client goes", true, false, func(x *struck) {
			rec := x.carryOut()
			x.head(rec, max(rec.Body.Len(), 1))
			x.write(rec.Body.Next(rec.Body.Len() / 2))
			<-x.r.Context().Done()
		}},
		{FaultDropBefore, "the connection ends, nothing was done", false, false, func(*struck) { panic(http.ErrAbortHandler) }},
		{FaultDropAfter, "carried out, then the connection ends without an answer", true, false, func(x *struck) {
			x.carryOut()
			panic(http.ErrAbortHandler)
		}},
		{FaultTruncate, "carried out, half of the body as if it were all", true, false, func(x *struck) {
			rec := x.carryOut()
			half := rec.Body.Next(rec.Body.Len() / 2)
			x.head(rec, len(half))
			x.write(half)
		}},
		{FaultCut, "carried out, the connection ends in the middle of the body", true, false, func(x *struck) {
			rec := x.carryOut()
			x.head(rec, max(rec.Body.Len(), 1))
			x.write(rec.Body.Next(rec.Body.Len() / 2))
			panic(http.ErrAbortHandler) // net/http ends the connection
		}},
		{FaultShiftIn, "carried out, then somebody adds a badge or template, so that the next page of the list has moved", true, true, func(x *struck) {
			x.next.ServeHTTP(x.w, x.r)
			x.s.shift(x.r, true)
		}},
		{FaultShiftOut, "carried out, then somebody deletes the first badge or template of the list, so that the next page has moved", true, true, func(x *struck) {
			x.next.ServeHTTP(x.w, x.r)
			x.s.shift(x.r, false)
		}},
	}
}

func (x *struck) limit(retryAfter string) {
	if retryAfter != "" {
		x.w.Header().Set("Retry-After", retryAfter)
	}
	writeJSON(x.w, http.StatusTooManyRequests, fail(0, "Too many requests").body)
}

func (x *struck) html(status int) {
	x.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	x.w.WriteHeader(status)
	_, _ = x.w.Write([]byte("<!doctype html><title>" + http.StatusText(status) + "</title><h1>We are sorry, but something went wrong.</h1>"))
}

// carryOut does what was asked and keeps the answer back.
func (x *struck) carryOut() *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	x.next.ServeHTTP(rec, x.r)
	return rec
}

// head sends the kept status and headers, with a length that need not be true.
func (x *struck) head(rec *httptest.ResponseRecorder, length int) {
	for k, v := range rec.Header() {
		x.w.Header()[k] = v
	}
	if rec.Code != http.StatusNoContent {
		x.w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	x.w.WriteHeader(rec.Code)
}

func (x *struck) write(b []byte) {
	_, _ = x.w.Write(b)
	if fl, isFlusher := x.w.(http.Flusher); isFlusher {
		fl.Flush()
	}
}

// wait waits for the fault's delay; false when the client went away.
func (x *struck) wait() bool {
	select {
	case <-time.After(x.f.delay):
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// shift changes a list behind the back of somebody who reads it page by page:
// in adds a record, otherwise the oldest goes.
func (s *Sim) shift(r *http.Request, in bool) {
	s.mu.Lock()
	parts := strings.Split(r.URL.Path, "/")
	org, of := "", parts[len(parts)-1]
	if len(parts) > 3 {
		org = parts[3]
	}
	var template *Template
	for _, t := range s.st.Templates {
		if t.OrgID == org && !t.Deleted && (template == nil || template.State != "active") {
			template = t
		}
	}
	if template == nil {
		s.mu.Unlock()
		return
	}
	now := s.now()
	switch {
	case of == "badge_templates" && in:
		t := &Template{ID: newID(), ImageID: newID(), OrgID: org, Name: "A template that somebody just made", Description: "Made while the list was read.", State: "active", CreatedAt: now, UpdatedAt: now}
		s.st.Templates = append(s.st.Templates, t)
		s.st.templates[t.ID] = t
		s.event(org, "badge_template.created", nil, t)
	case of == "badge_templates":
		s.dropTemplate(template)
	case in:
		b := &Badge{
			ID: newID(), OrgID: org, TemplateID: template.ID, State: Pending, Email: "shifted-" + newID()[:8] + "@example.org",
			FirstName: "Somebody", LastName: "Else", Locale: "en", Public: true, SuppressMail: true, IssuedAt: now, CreatedAt: now, UpdatedAt: now, VisibleAt: now,
		}
		s.addBadge(b)
		s.event(org, "badge.created", b, nil)
	default:
		for _, b := range s.st.Badges {
			if b.OrgID == org {
				s.dropBadge(b)
				s.event(org, "badge.deleted", b, nil)
				break
			}
		}
	}
	s.save()
	s.mu.Unlock()
	s.kick()
}
