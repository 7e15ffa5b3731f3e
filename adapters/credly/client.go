package credly

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
)

// client makes the calls. It follows no redirect, repeats nothing by itself but a
// call whose access token had ended, and sends the token to the configured host
// alone.
type client struct {
	settings
	rest   *resty.Client
	bearer *bearer // nil with an authorization token
	now    func() time.Time
	// known is when the token expires by what Credly said of it last.
	known atomic.Pointer[time.Time]
}

func newClient(s settings, hc *http.Client) *client {
	own := *hc // the caller's client stays as it is
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &client{settings: s, rest: httpx.Resty(&own, "").SetResponseBodyLimit(maxAnswer), now: time.Now}
	if s.oauth != nil {
		c.bearer = newBearer(s.oauth, &own, c.now)
	}
	return c
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
	if err := ctx.Err(); err != nil {
		return answer{}, &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnavailable, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for {
		token, used, e := c.access(ctx, op)
		if e != nil {
			return answer{}, e
		}
		out, e := c.once(ctx, op, method, to, body, token)
		if e == nil {
			return out, nil
		}
		if e.Status == http.StatusUnauthorized && token != "" {
			c.bearer.drop(token)
			if used {
				continue // it was refused unread: with a new token, once
			}
		}
		return answer{}, e
	}
}

// access is the access token to call with; "" when it is the authorization token.
func (c *client) access(ctx context.Context, op string) (token string, used bool, _ *adapters.Error) {
	if c.bearer == nil {
		return "", false, nil
	}
	token, used, err := c.bearer.get(ctx)
	if err != nil {
		return "", false, c.noToken(op, err)
	}
	return token, used, nil
}

func (c *client) once(ctx context.Context, op, method, to string, body any, token string) (answer, *adapters.Error) {
	fail := func(kind error, cause error) *adapters.Error {
		return &adapters.Error{Op: "credly: " + op, Kind: kind, Err: cause}
	}
	var trace httpx.Sending
	req := c.rest.R().SetContext(trace.Watch(ctx)).SetHeader("Accept", "application/json")
	if token == "" {
		req.SetBasicAuth(c.token.Reveal(), "")
	} else {
		req.SetAuthToken(token)
	}
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
		e.Ambiguous = write && trace.MayHaveLeft(err)
		if e.RetryAfter = httpx.WaitOf(err); e.RetryAfter > 0 {
			e.Kind = adapters.ErrRateLimited // Credly asked for a pause, and it still lasts
		}
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

// redact takes everything secret out of a text.
func (c *client) redact(s string) string {
	var secrets []string
	if tok := c.token.Reveal(); tok != "" {
		secrets = append(secrets, tok, base64.StdEncoding.EncodeToString([]byte(tok+":")))
	}
	if c.oauth != nil {
		secrets = append(secrets, c.oauth.secret.Reveal(), url.QueryEscape(c.oauth.secret.Reveal()), c.bearer.current())
	}
	for _, one := range secrets {
		if one != "" {
			s = strings.ReplaceAll(s, one, "[redacted]")
		}
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
	if text := err.Error(); c.redact(text) != text {
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

// object reads the data of a single answer.
func object(op string, a answer, into any) error {
	if err := lenient(a.Data, into); err != nil {
		return &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnavailable, Err: fmt.Errorf("the answer is not understood: %w", err)}
	}
	return nil
}
