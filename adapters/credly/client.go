package credly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"

	"badgebridge/adapters"
	"badgebridge/internal/httpx"
)

const (
	callTimeout = 20 * time.Second
	maxAnswer   = 16 << 20
	maxWords    = 300
)

// client makes the calls. It follows no redirect, repeats nothing by itself and
// sends the token to the configured host alone.
type client struct {
	settings
	rest *resty.Client
	now  func() time.Time
}

func newClient(s settings, hc *http.Client) *client {
	own := *hc // the caller's client stays as it is
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{settings: s, rest: httpx.Resty(&own, "").SetResponseBodyLimit(maxAnswer), now: time.Now}
}

// orgURL is an address below the organization.
func (c *client) orgURL(path string, q url.Values) string {
	u := c.base.String() + "/organizations/" + c.org + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	return u
}

// answer is a success of Credly's.
type answer struct {
	envelope
	at time.Time // Credly's clock when it answered
}

// do makes one call. body nil sends none. Its errors are *adapters.Error.
func (c *client) do(ctx context.Context, op, method, to string, body any) (answer, error) {
	fail := func(kind error, cause error) *adapters.Error {
		return &adapters.Error{Op: "credly: " + op, Kind: kind, Err: cause}
	}
	if err := ctx.Err(); err != nil {
		return answer{}, fail(adapters.ErrUnavailable, err)
	}
	var trace sending
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req := c.rest.R().SetContext(trace.watch(ctx)).SetBasicAuth(c.token.Reveal(), "").SetHeader("Accept", "application/json")
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return answer{}, fail(adapters.ErrRejected, err)
		}
		req.SetHeader("Content-Type", "application/json").SetBody(b)
	}
	write := method != http.MethodGet
	res, err := req.Execute(method, to)
	if err != nil {
		e := fail(adapters.ErrUnavailable, c.plain(err))
		e.Ambiguous = write && trace.mayHaveLeft(err)
		if res != nil {
			e.Status = res.StatusCode()
		}
		return answer{}, e
	}
	if !res.IsSuccess() {
		return answer{}, c.refusal(op, write, res)
	}
	out := answer{at: c.clock(res)}
	if method == http.MethodDelete {
		return out, nil
	}
	if cause := readEnvelope(res.Body(), &out.envelope); cause != nil {
		e := fail(adapters.ErrUnavailable, cause)
		e.Status, e.Ambiguous = res.StatusCode(), write
		return answer{}, e
	}
	return out, nil
}

func readEnvelope(body []byte, into *envelope) error {
	trimmed := strings.TrimSpace(string(body))
	switch {
	case trimmed == "":
		return errors.New("the answer is empty")
	case strings.HasPrefix(trimmed, "<"):
		return errors.New("the answer is a web page instead of JSON; is base_url right, or does something in between answer?")
	case json.Unmarshal(body, into) != nil:
		return errors.New("the answer is no whole JSON document")
	case len(into.Data) == 0 || string(into.Data) == "null":
		return errors.New("the answer is not in Credly's form: it has no data")
	}
	return nil
}

// refusal maps an answer that is no success.
func (c *client) refusal(op string, write bool, res *resty.Response) *adapters.Error {
	status := res.StatusCode()
	e := &adapters.Error{Op: "credly: " + op, Status: status, Words: c.words(res.Body())}
	switch {
	case status == http.StatusUnauthorized:
		e.Kind = adapters.ErrUnauthorized
		e.Err = errors.New("the token is wrong, has expired (tokens live 180 days) or belongs to the other environment")
	case status == http.StatusForbidden:
		e.Kind = adapters.ErrUnauthorized
		e.Err = errors.New("the token lacks the permission for this, or belongs to another organization")
	case status == http.StatusNotFound, status == http.StatusGone:
		e.Kind = adapters.ErrNotFound
	case status == http.StatusConflict, status == http.StatusUnprocessableEntity && isDuplicate(e.Words):
		e.Kind = adapters.ErrConflict
	case status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = adapters.ErrRateLimited, c.retryAfter(res)
	case status >= 500, status == http.StatusRequestTimeout:
		e.Kind, e.RetryAfter, e.Ambiguous = adapters.ErrUnavailable, c.retryAfter(res), write
	case status < 400:
		e.Kind, e.Ambiguous = adapters.ErrUnavailable, write
		e.Err = errors.New("the answer is a redirect, which is not followed; check base_url")
	default:
		e.Kind = adapters.ErrRejected
	}
	return e
}

// isDuplicate tells the refusal of a second badge from other validation errors,
// which have the same status.
func isDuplicate(words string) bool {
	return strings.Contains(strings.ToLower(words), "already has this badge")
}

var markup = regexp.MustCompile(`<[^>]*>|[<>]`)

// words is what Credly said, in a form that fits a page.
func (c *client) words(body []byte) string {
	var env envelope
	var p problem
	if json.Unmarshal(body, &env) != nil || lenient(env.Data, &p) != nil {
		return ""
	}
	parts := []string{p.Message.String()}
	for _, e := range p.Errors {
		for _, m := range e.Messages {
			label := e.Label.String()
			if label == "" {
				label = e.Attribute.String()
			}
			if one := strings.TrimSpace(label + " " + m.String()); !strings.Contains(parts[0], one) {
				parts = append(parts, one)
			}
		}
	}
	return c.clean(strings.Trim(strings.Join(parts, "; "), "; "))
}

func (c *client) clean(s string) string {
	s = strings.ReplaceAll(s, c.token.Reveal(), "[redacted]")
	s = strings.Join(strings.Fields(markup.ReplaceAllString(s, " ")), " ")
	if r := []rune(s); len(r) > maxWords {
		s = string(r[:maxWords-1]) + "…"
	}
	return s
}

// plain takes the address off a transport error: it may hold a recipient's
// e-mail address.
func (c *client) plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if strings.Contains(err.Error(), c.token.Reveal()) {
		return errors.New("the call failed")
	}
	return err
}

// clock is the time at Credly's end of an answer, our own when it names none.
func (c *client) clock(res *resty.Response) time.Time {
	if t, err := http.ParseTime(res.Header().Get("Date")); err == nil {
		return t.UTC()
	}
	return c.now().UTC()
}

// retryAfter reads both forms of Retry-After, 0 when there is none.
func (c *client) retryAfter(res *resty.Response) time.Duration {
	v := strings.TrimSpace(res.Header().Get("Retry-After"))
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(max(n, 0), 86400)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(c.clock(res)), 0), 24*time.Hour)
	}
	return 0
}

// sending watches whether a request can have left this machine.
type sending struct{ asked, got atomic.Bool }

func (s *sending) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { s.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { s.got.Store(true) },
	})
}

// mayHaveLeft is false only when it is sure that nothing was sent: no connection
// was made, or our own limits held the call back.
func (s *sending) mayHaveLeft(err error) bool {
	for _, held := range []error{httpx.ErrCircuitOpen, httpx.ErrRateWait, httpx.ErrBlocked} {
		if errors.Is(err, held) {
			return false
		}
	}
	return s.got.Load() || !s.asked.Load()
}

// object reads the data of a single answer.
func object(op string, a answer, into any) error {
	if err := lenient(a.Data, into); err != nil {
		return &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnavailable, Err: fmt.Errorf("the answer is not understood: %w", err)}
	}
	return nil
}
