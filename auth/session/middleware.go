package session

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

const saveTimeout = 5 * time.Second

// Middleware gives each request its session and writes it back before the
// first byte of the answer. Requests that did not change theirs write nothing.
//
// It stands in for the middleware of scs, which reads the clock of the machine
// and hides http.Flusher from handlers that stream.
func (s *Sessions) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Cookie")
		token := ""
		if c, err := r.Cookie(cookieName(s.secure(r.Context()))); err == nil && len(c.Value) <= 128 {
			token = c.Value
		}
		ctx := context.WithValue(r.Context(), loadedKey{}, new(loaded))
		ctx, err := s.scs.Load(ctx, token)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.touch(ctx)
		r = r.WithContext(ctx)
		sw := &writer{ResponseWriter: w, r: r, s: s}
		next.ServeHTTP(sw, r)
		sw.save()
	})
}

// writer saves the session when the answer begins.
type writer struct {
	http.ResponseWriter
	r      *http.Request
	s      *Sessions
	saved  bool
	failed bool // the session could not be saved: the handler's answer is dropped
}

func (w *writer) save() {
	if w.saved {
		return
	}
	w.saved = true
	// A browser that went away still gets its sign-out written.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.r.Context()), saveTimeout)
	defer cancel()
	switch w.s.scs.Status(ctx) {
	case scs.Modified:
		token, expiry, err := w.s.scs.Commit(ctx)
		if err != nil {
			w.failed = true
			w.s.fail(w.ResponseWriter, w.r, err)
			return
		}
		w.setCookie(token, int(expiry.Sub(w.s.now()).Seconds())+1)
	case scs.Destroyed:
		w.setCookie("", -1)
	}
}

func (w *writer) setCookie(token string, maxAge int) {
	secure := w.s.secure(w.r.Context())
	http.SetCookie(w.ResponseWriter, &http.Cookie{
		Name: cookieName(secure), Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
	// An answer with a session in it is nobody else's.
	w.Header().Set("Cache-Control", "private, no-store")
}

// WriteHeader saves the session first. Informational answers don't begin one.
func (w *writer) WriteHeader(code int) {
	if code >= 200 || code == http.StatusSwitchingProtocols {
		w.save()
	}
	if !w.failed {
		w.ResponseWriter.WriteHeader(code)
	}
}

// Write saves the session first.
func (w *writer) Write(b []byte) (int, error) {
	w.save()
	if w.failed {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Flush sends what was written so far.
func (w *writer) Flush() {
	w.save()
	if f, ok := w.ResponseWriter.(http.Flusher); ok && !w.failed {
		f.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func unavailable(w http.ResponseWriter, _ *http.Request, _ error) {
	http.Error(w, "The service can't reach its database right now. Please try again in a moment.", http.StatusServiceUnavailable)
}
