package credly

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"badgebridge/adapters"
	"badgebridge/internal/httpx"
)

const maxWords = 400

// refusal maps an answer that is no success. Its Words begin with Credly's own,
// as far as there are any; what they can mean and what to do follows.
func (c *client) refusal(op string, write bool, res *resty.Response) *adapters.Error {
	status := res.StatusCode()
	e := &adapters.Error{Op: "credly: " + op, Status: status, Words: c.words(res.Body())}
	end := c.tokenEnd()
	expired := !end.IsZero() && !c.clock(res).Before(end)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden && expired:
		e.Kind = adapters.ErrUnauthorized
		e.Words, e.Reason = c.unauthorized(statusWords(status, e.Words), expired)
	case status == http.StatusForbidden:
		e.Kind, e.Reason = adapters.ErrUnauthorized, adapters.ReasonForbidden
		e.Words = "Credly refuses this with the credentials it was given (" + statusWords(status, e.Words) + "). They lack the permission for it, or " +
			"belong to another organization. Enable it for them at Credly under Developers, or enter others for this remote."
	case status == http.StatusNotFound, status == http.StatusGone:
		e.Kind = adapters.ErrNotFound
	case isDuplicate(status, e.Words):
		e.Kind, e.Reason = adapters.ErrConflict, adapters.ReasonDuplicate
	case isReplaced(status, e.Words, res.Body()):
		e.Kind, e.Reason = adapters.ErrConflict, adapters.ReasonReplaced
	case status == http.StatusConflict:
		e.Kind = adapters.ErrConflict
	case status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = adapters.ErrRateLimited, httpx.RetryAfter(res.Header(), c.now())
	case status >= 500, status == http.StatusRequestTimeout:
		e.Kind, e.RetryAfter, e.Ambiguous = adapters.ErrUnavailable, httpx.RetryAfter(res.Header(), c.now()), write
	case status < 400:
		e.Kind, e.Ambiguous = adapters.ErrUnavailable, write
		e.Err = errors.New("the answer is a redirect, which is not followed; check base_url")
	case status == http.StatusUnprocessableEntity && e.Words == "":
		// It may be "has it already" as well as "not like that": nothing was done, and
		// only another answer tells which.
		e.Kind = adapters.ErrUnavailable
		e.Err = errors.New("the answer that says why is cut off or empty")
	default:
		e.Kind, e.Reason = adapters.ErrRejected, adapters.ReasonInvalid
	}
	return e
}

func statusWords(status int, words string) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, words))
}

// unauthorized says of refused credentials what that can mean and what to do:
// Credly's own "Unauthorized" helps nobody. That a token has expired is not told by
// Credly; it is known when its end was.
func (c *client) unauthorized(said string, expired bool) (string, adapters.Reason) {
	if c.bearer != nil {
		return "Credly refuses the access token that it gave to the OAuth application (" + said + "). The application was changed or deleted at " +
			"Credly; check it there under Organization, Developers.", ""
	}
	if expired {
		return "Credly refuses the token (" + said + "), which expired on " + day(c.tokenEnd()) + ". Make a new one at Credly under Organization, Developers, " +
			"and enter it for this remote.", adapters.ReasonExpired
	}
	return "Credly refuses the token (" + said + "). It is mistyped, has expired (a token lasts 180 days), or belongs to the other environment, " +
		"production or sandbox. Make a new token at Credly under Developers and enter it for this remote.", ""
}

// tokenEnd is when the token expires, zero when that is not known.
func (c *client) tokenEnd() time.Time {
	if !c.expires.IsZero() {
		return c.expires
	}
	if t := c.known.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

func day(t time.Time) string { return t.Format("2 January 2006") }

// isDuplicate tells the refusal of a second badge from other validation errors,
// which have the same status. Only this part of the sentence is known.
func isDuplicate(status int, words string) bool {
	return status == http.StatusUnprocessableEntity && strings.Contains(strings.ToLower(words), "already has this badge")
}

// isReplaced tells the refusal to replace a badge a second time. The status that
// comes with it is not known.
func isReplaced(status int, words string, body []byte) bool {
	return status >= 400 && status < 500 &&
		(strings.Contains(strings.ToLower(words), "already been replaced") || currentBadge(body) != "")
}

// currentBadge is the badge at the end of a row of replacements, which Credly
// names when one before it was to be replaced; "" when it named none.
func currentBadge(body []byte) string {
	var env struct {
		Metadata struct {
			Current text `json:"current_badge_id"`
		} `json:"metadata"`
	}
	if lenient(body, &env) != nil || !uuid.MatchString(env.Metadata.Current.String()) {
		return ""
	}
	return env.Metadata.Current.String()
}

var markup = regexp.MustCompile(`<[^>]*>|[<>]`)

// words is what Credly said, in a form that fits a page: its message, and what it
// has against single fields where the message does not say that already.
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

// clean makes a text fit for a page: one line, no markup, no secret, not too long.
func (c *client) clean(s string) string {
	s = strings.Join(strings.Fields(markup.ReplaceAllString(c.redact(s), " ")), " ")
	if r := []rune(s); len(r) > maxWords {
		s = string(r[:maxWords-1]) + "…"
	}
	return s
}
