package backpack

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"badgebridge/adapters"
	"badgebridge/internal/httpx"
)

const (
	callTimeout = 45 * time.Second // the other side reads the badge from its issuer meanwhile
	maxAnswer   = 1 << 20
	maxWords    = 300
)

// client makes the calls. It follows no redirect, repeats nothing by itself, and
// sends the token below the API's root alone.
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

// call is one request. body nil sends none; bearer says whether the token goes
// along.
type call struct {
	op, method, to string
	body           any
	bearer         bool
}

// answer is what came back: a success, or (304) a badge that is there already.
type answer struct {
	said
	status int
}

// do makes one call. Its errors are *adapters.Error.
func (c *client) do(ctx context.Context, in call) (answer, error) {
	fail := func(kind error, cause error) *adapters.Error {
		return &adapters.Error{Op: "backpack: " + in.op, Kind: kind, Err: cause}
	}
	if err := ctx.Err(); err != nil {
		return answer{}, fail(adapters.ErrUnavailable, err)
	}
	var trace httpx.Sending
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req := c.rest.R().SetContext(trace.Watch(ctx)).SetHeader("Accept", "application/json")
	if in.bearer {
		// The protocol wants the token in base64 once more.
		req.SetHeader("Authorization", "Bearer "+base64.StdEncoding.EncodeToString([]byte(c.access.Reveal())))
	}
	write := in.method != http.MethodGet
	if in.body != nil {
		b, err := json.Marshal(in.body)
		if err != nil {
			return answer{}, fail(adapters.ErrRejected, err)
		}
		req.SetHeader("Content-Type", "application/json").SetBody(b)
	}
	res, err := req.Execute(in.method, in.to)
	if err != nil {
		e := fail(adapters.ErrUnavailable, c.plainCause(err))
		e.Ambiguous = write && trace.MayHaveLeft(err)
		return answer{}, e
	}
	if res.StatusCode() == http.StatusNotModified {
		return answer{status: http.StatusNotModified}, nil
	}
	if !res.IsSuccess() {
		return answer{}, c.refusal(in, res)
	}
	out := answer{status: res.StatusCode()}
	if cause := readAnswer(res.Body(), &out.said); cause != nil {
		e := fail(adapters.ErrUnavailable, cause)
		e.Status, e.Ambiguous = res.StatusCode(), write
		return answer{}, e
	}
	return out, nil
}

func readAnswer(body []byte, into *said) error {
	trimmed := strings.TrimSpace(string(body))
	switch {
	case trimmed == "":
		return errors.New("the answer is empty")
	case strings.HasPrefix(trimmed, "<"):
		return errors.New("the answer is a web page instead of JSON; is this the address of a backpack?")
	case json.Unmarshal(body, into) != nil:
		return errors.New("the answer is no whole JSON document")
	}
	return nil
}

// refusal maps an answer that is no success.
func (c *client) refusal(in call, res *resty.Response) *adapters.Error {
	status := res.StatusCode()
	write := in.method != http.MethodGet
	e := &adapters.Error{Op: "backpack: " + in.op, Status: status, Words: c.words(res)}
	switch {
	case status == http.StatusUnauthorized:
		e.Kind = adapters.ErrUnauthorized
	case status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = adapters.ErrRateLimited, c.retryAfter(res)
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusGone:
		e.Kind = adapters.ErrNotFound
	case status >= 500, status == http.StatusRequestTimeout:
		e.Kind, e.RetryAfter, e.Ambiguous = adapters.ErrUnavailable, c.retryAfter(res), write
	case status < 400:
		e.Kind, e.Ambiguous = adapters.ErrUnavailable, write
		e.Err = errors.New("the answer is a redirect, which is not followed")
	default:
		e.Kind = adapters.ErrRejected
	}
	return e
}

var (
	markup   = regexp.MustCompile(`<[^>]*>|[<>]`)
	describe = regexp.MustCompile(`error_description="([^"]*)"`)
)

// words is what the backpack itself said, in a form that fits a page.
func (c *client) words(res *resty.Response) string {
	body := strings.TrimSpace(res.String())
	var s said
	switch {
	case json.Unmarshal([]byte(body), &s) == nil && s.Message != "":
		return c.clean(s.Message)
	case describe.MatchString(res.Header().Get("WWW-Authenticate")):
		return c.clean(describe.FindStringSubmatch(res.Header().Get("WWW-Authenticate"))[1])
	case strings.HasPrefix(res.Header().Get("Content-Type"), "text/plain"):
		return c.clean(body) // the protocol's own refusals of a token
	}
	return ""
}

func (c *client) clean(s string) string {
	for _, token := range []string{c.access.Reveal(), c.refresh.Reveal()} {
		if token != "" {
			s = strings.NewReplacer(token, "[redacted]", base64.StdEncoding.EncodeToString([]byte(token)), "[redacted]").Replace(s)
		}
	}
	s = strings.Join(strings.Fields(markup.ReplaceAllString(s, " ")), " ")
	if r := []rune(s); len(r) > maxWords {
		s = string(r[:maxWords-1]) + "…"
	}
	return s
}

// plainCause takes the address off a transport error, and anything secret.
func (c *client) plainCause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	for _, token := range []string{c.access.Reveal(), c.refresh.Reveal()} {
		if token != "" && strings.Contains(err.Error(), token) {
			return errors.New("the call failed")
		}
	}
	return err
}

// retryAfter reads both forms of Retry-After, 0 when there is none.
func (c *client) retryAfter(res *resty.Response) time.Duration {
	v := strings.TrimSpace(res.Header().Get("Retry-After"))
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(max(n, 0), 86400)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(c.now()), 0), 24*time.Hour)
	}
	return 0
}
