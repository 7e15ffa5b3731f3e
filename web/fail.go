package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/auth/login"
	"badgebridge/store"
)

// The errors of the pages themselves.
var (
	errCode      = errors.New("the pairing code is wrong, used or too old")
	errMethod    = errors.New("method not allowed")
	errPanic     = errors.New("panic")
	errForbidden = errors.New("forbidden")
	errSignIn    = errors.New("signed out")
	errCrossSite = errors.New("another site sent this request")
	errTooMany   = errors.New("too many requests")
	errBadInput  = errors.New("the request can't be read")
	errGone      = errors.New("gone")
	errTooBig    = errors.New("the document is too large")
	errAway      = errors.New("the database can't be reached")
	errNoAsset   = fmt.Errorf("static file: %w", store.ErrNotFound)
)

// fieldError is an error of one field of a request; Key names its text under
// "error.".
type fieldError struct {
	Field, Key string
}

// Error implements error.
func (e *fieldError) Error() string { return e.Field + ": " + e.Key }

// outcome is a kind of error as the outside sees it. Code is stable and names
// the texts "fail.CODE.title" and "fail.CODE.text".
type outcome struct {
	status int
	code   string
}

// outcomes is in the order in which kinds are tried.
func outcomeOf(err error) outcome {
	var tooBig *http.MaxBytesError
	var field *fieldError
	switch {
	case errors.Is(err, errAway):
		return outcome{http.StatusServiceUnavailable, "away"}
	case errors.Is(err, errSignIn):
		return outcome{http.StatusUnauthorized, "sign-in"}
	case errors.Is(err, errForbidden):
		return outcome{http.StatusForbidden, "forbidden"}
	case errors.Is(err, errCrossSite):
		return outcome{http.StatusForbidden, "cross-site"}
	case errors.Is(err, errFormat):
		return outcome{http.StatusNotImplemented, "no-format"}
	case errors.Is(err, errMethod):
		return outcome{http.StatusMethodNotAllowed, "method"}
	case errors.Is(err, errGone):
		return outcome{http.StatusGone, "gone"}
	case errors.Is(err, errTooMany):
		return outcome{http.StatusTooManyRequests, "too-many"}
	case errors.As(err, &tooBig):
		return outcome{http.StatusRequestEntityTooLarge, "too-large"}
	case errors.Is(err, errBadInput), errors.As(err, &field):
		return outcome{http.StatusBadRequest, "bad-input"}
	case errors.Is(err, errCode):
		return outcome{http.StatusForbidden, "code"}
	case errors.Is(err, login.ErrUnknownState):
		return outcome{http.StatusBadRequest, "login-state"}
	case errors.Is(err, login.ErrUnknownProvider):
		return outcome{http.StatusNotFound, "not-found"}
	case errors.Is(err, login.ErrDenied):
		return outcome{http.StatusForbidden, "login-denied"}
	case errors.Is(err, login.ErrProviderDown):
		return outcome{http.StatusBadGateway, "provider-down"}
	case errors.Is(err, login.ErrRefused), errors.Is(err, login.ErrToken):
		return outcome{http.StatusBadGateway, "provider-wrong"}
	case errors.Is(err, login.ErrNotReady):
		return outcome{http.StatusServiceUnavailable, "not-ready"}
	case errors.Is(err, login.ErrTooMany):
		return outcome{http.StatusTooManyRequests, "too-many"}
	case errors.Is(err, login.ErrAddressTaken):
		return outcome{http.StatusConflict, "address-taken"}
	case errors.Is(err, store.ErrNotFound):
		return outcome{http.StatusNotFound, "not-found"}
	case errors.Is(err, store.ErrExists), errors.Is(err, store.ErrStale), errors.Is(err, adapters.ErrConflict):
		return outcome{http.StatusConflict, "conflict"}
	case errors.Is(err, adapters.ErrUnauthorized):
		return outcome{http.StatusBadGateway, "remote-refused"}
	case errors.Is(err, adapters.ErrUnavailable), errors.Is(err, adapters.ErrRateLimited):
		return outcome{http.StatusBadGateway, "remote-away"}
	case errors.Is(err, adapters.ErrRejected), errors.Is(err, adapters.ErrIdentity), errors.Is(err, adapters.ErrNotFound):
		return outcome{http.StatusBadGateway, "remote-said-no"}
	case errors.Is(err, context.DeadlineExceeded):
		return outcome{http.StatusGatewayTimeout, "too-slow"}
	}
	return outcome{http.StatusInternalServerError, "broken"}
}

// apiError is the JSON form of an error; the code is stable, the message is for
// people.
type apiError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Request string `json:"request,omitempty"`
}

// fail ends a request with an error: as a page, or as JSON where the caller is
// a program. What the caller can't help is logged, once, here.
func (s *Server) fail(c *gin.Context, err error) {
	out := outcomeOf(err)
	ctx := c.Request.Context()
	if errors.Is(ctx.Err(), context.Canceled) {
		c.AbortWithStatus(499) // the browser went away; nobody reads an answer
		return
	}
	if out.status >= 500 && !errors.Is(err, errPanic) {
		s.cfg.Log.ErrorContext(ctx, "request failed", "id", requestIDOf(ctx), "route", c.FullPath(), "error", err)
	}
	c.Abort()
	c.Header("Cache-Control", "no-store")
	if wantsJSON(c.Request) {
		e := apiError{Code: out.code, Message: s.wordsOf(c).T("fail." + out.code + ".text"), Request: requestIDOf(ctx)}
		var field *fieldError
		if errors.As(err, &field) {
			e.Field, e.Message = field.Field, s.fieldText(c, field)
		}
		writeJSON(c, out.status, e)
		return
	}
	if out.code == "sign-in" && c.Request.Method == http.MethodGet {
		c.Redirect(http.StatusSeeOther, "/login?return="+queryEscape(c.Request.URL.RequestURI()))
		return
	}
	view := failView{Code: out.code, Request: requestIDOf(ctx), Words: remoteWords(err)}
	if out.code == "sign-in" {
		view.Action, view.Kept = c.Request.URL.RequestURI(), kept(c)
	}
	s.render(c, out.status, "fail", view)
}

type failView struct {
	Code    string
	Request string
	Words   string // what a remote itself said
	Action  string // where what was written can be sent again
	Kept    []keptField
}

type keptField struct{ Name, Value string }

// keptMost is how much of a form a page keeps for whoever was signed out while
// they filled it in, in bytes.
const keptMost = 64 << 10

// kept is what a form said, in the order of its names; nothing of one that is too
// long or has files in it.
func kept(c *gin.Context) (out []keptField) {
	if c.ContentType() != gin.MIMEPOSTForm || c.Request.ContentLength > keptMost {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, keptMost))
	if err != nil {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			out = append(out, keptField{name, value})
		}
	}
	return out
}

func remoteWords(err error) string {
	var e *adapters.Error
	if errors.As(err, &e) {
		return e.Words
	}
	return ""
}

func (s *Server) fieldText(c *gin.Context, e *fieldError) string {
	return s.wordsOf(c).T("error." + e.Key)
}

// wantsJSON: the API, and whoever asks for JSON and not for a page.
func wantsJSON(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/webhooks/") {
		return true
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

// failOutside is fail for what goes wrong before the router.
func (s *Server) failOutside(w http.ResponseWriter, r *http.Request, err error) {
	c := gin.CreateTestContextOnly(w, s.router)
	c.Request = r
	s.fail(c, err)
	c.Writer.WriteHeaderNow()
}
