package wordpress

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-resty/resty/v2"

	"badgebridge/adapters"
	"badgebridge/internal/httpx"
)

const (
	namespace   = "/badgebridge/v1"
	callTimeout = 30 * time.Second
	maxAnswer   = 8 << 20 // bytes; a page of 200 awards is a few hundred KiB
	pageLimit   = "200"
)

// client makes signed calls to one site and turns its refusals into errors.
type client struct {
	cfg  Config
	rest *resty.Client
	now  func() time.Time
}

// refusal is a failed call: the error for the caller and the site's own code,
// "" when the answer did not come from the plugin.
type refusal struct {
	*adapters.Error
	code string
}

// call sends one signed request and decodes the answer into out (nil: ignored).
// route starts behind the namespace. On failure exactly the refusal is set.
func (c *client) call(ctx context.Context, op, method, route string, query url.Values, in, out any) *refusal {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	fail := func(kind error, words string, err error) *refusal {
		return &refusal{Error: &adapters.Error{Op: op, Kind: kind, Words: words, Err: err}}
	}
	if err := ctx.Err(); err != nil {
		return fail(adapters.ErrUnavailable, "", err)
	}
	var body []byte
	request := c.rest.R().SetContext(ctx).SetHeader("Accept", "application/json")
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fail(adapters.ErrRejected, "", err)
		}
		request.SetBody(body).SetHeader("Content-Type", "application/json")
	}
	route = namespace + route
	if method == http.MethodGet {
		query = fresh(query)
	}
	SignRequest(request.Header, c.cfg.KeyID, c.cfg.Secret.Reveal(), method, Target(route, query), c.now(), body)
	request.SetHeader(HeaderSite, c.cfg.SiteUUID).SetHeader(HeaderHome, c.cfg.HomeURL)

	// Once a write is on its way, a missing or broken answer says nothing about
	// whether the site did it.
	writes := method != http.MethodGet
	response, err := request.Execute(method, c.address(route, query))
	if err != nil {
		f := fail(adapters.ErrUnavailable, "", bare(err))
		f.Ambiguous, f.RetryAfter = writes && !neverSent(err), httpx.WaitOf(err)
		return f
	}
	f := c.judge(op, response)
	if f == nil && out != nil {
		if err := json.Unmarshal(text(response), out); err != nil {
			f = fail(adapters.ErrUnavailable, "The site's answer is not what the plugin's contract says. Update the Badgebridge plugin.", err)
			f.Status = response.StatusCode()
		}
	}
	if status := response.StatusCode(); f != nil && writes && f.code != "no_provider" && f.code != "another_site" {
		// A PHP notice in front of the answer, or a fatal error after the deed.
		f.Ambiguous = status >= 500 || status < 300
	}
	return f
}

// fresh adds a parameter that no call had before: an edge that keeps answers
// whatever they say of it has none for this address. Sites ignore it.
func fresh(query url.Values) url.Values {
	out := url.Values{"fresh": {rand.Text()}}
	for name, values := range query {
		out[name] = values
	}
	return out
}

// address is the URL of a route, in either of the two forms that WordPress has.
func (c *client) address(route string, query url.Values) string {
	base, _ := url.Parse(c.cfg.RESTURL) // ParseConfig has parsed it
	parameters := base.Query()
	for name, values := range query {
		parameters[name] = values
	}
	if parameters.Has("rest_route") {
		parameters.Set("rest_route", strings.TrimRight(parameters.Get("rest_route"), "/")+route)
	} else {
		base.Path = strings.TrimRight(base.Path, "/") + route
	}
	base.RawQuery = strings.ReplaceAll(parameters.Encode(), "+", "%20")
	return base.String()
}

// judge decides whether an answer may be used at all, and turns a refusal into
// its kind. The identity comes first: what another site says counts for nothing.
func (c *client) judge(op string, response *resty.Response) *refusal {
	status := response.StatusCode()
	header := response.Header()
	body := text(response)
	failed := func(kind error, code, words string) *refusal {
		return &refusal{code: code, Error: &adapters.Error{
			Op: op, Kind: kind, Status: status, Words: words, RetryAfter: httpx.RetryAfter(header, c.now()),
		}}
	}
	site, home := header.Get(HeaderSite), header.Get(HeaderHome)
	if (site != "" || home != "") && !c.pinned(site, home) {
		return failed(adapters.ErrIdentity, "another_site", c.anotherSite(site, home))
	}
	if status >= 300 && status < 400 {
		where := response.RawResponse.Request.URL
		if location := header.Get("Location"); location != "" {
			if u, err := where.Parse(location); err == nil {
				where = u
			}
		}
		return failed(adapters.ErrUnavailable, "", "The site redirects its REST API to "+where.Scheme+"://"+where.Host+
			". A signed call can't follow. Pair the site again, or set rest_url to the address that it redirects to.")
	}
	if isPage(header, body) {
		kind := adapters.ErrUnavailable
		if status == http.StatusTooManyRequests {
			kind = adapters.ErrRateLimited
		}
		return failed(kind, "", "The site answered with a web page instead of JSON; a firewall, a maintenance page or a PHP notice stands in front of its REST API. Open "+
			c.cfg.RESTURL+" in a browser to see it.")
	}
	if status >= 200 && status < 300 {
		if site == "" || home == "" {
			return failed(adapters.ErrUnavailable, "", "The answer does not say which site it comes from; a cache or another program answers in the plugin's place. Exclude "+
				namespace+" from caching.")
		}
		return nil
	}
	var w wireError
	if json.Unmarshal(body, &w) != nil {
		w = wireError{}
	}
	kind, words := c.classify(status, w)
	return failed(kind, w.Code, words)
}

func (c *client) classify(status int, w wireError) (error, string) {
	words := c.clean(w.Message)
	if w.Field != "" {
		words = c.clean(w.Field) + ": " + words
	}
	switch w.Code {
	case "unsigned":
		return adapters.ErrUnauthorized, "The signature headers did not reach the site; a proxy strips headers that start with Badgebridge-. " + words
	case "bad_signature":
		return adapters.ErrUnauthorized, "The site does not take the pairing's key. Pair the site again. " + words
	case "clock":
		return adapters.ErrUnauthorized, "The site's clock and the gateway's are more than five minutes apart. Set both by NTP. " + words
	case "another_site":
		return adapters.ErrIdentity, "Another site answers here than the one that was paired. " + words
	case "rest_no_route":
		return adapters.ErrUnavailable, "The site has no Badgebridge API: the plugin is not active there, or is too old. Activate or update it."
	case "no_such_member":
		return adapters.ErrRejected, "No member of the site has the recipient's address. Add the member, or the address to the member's profile, then send again."
	case "no_such_badge":
		return adapters.ErrRejected, "The site has no such badge (any more). Choose another in the mapping."
	case "another_badge":
		return adapters.ErrConflict, "Either the badge was put under another key before, or the key names another badge. " + words
	case "no_provider":
		return adapters.ErrUnavailable, "Neither BadgeOS nor GamiPress is active at the site. " + words
	case "another_award":
		return adapters.ErrConflict, "The site's entry is another award by now. " + words
	case "revoked":
		return adapters.ErrRejected, "It was awarded under this key before and revoked since. Issue it again to make a new award. " + words
	case "cursor_gone":
		return adapters.ErrCursorGone, words
	case "invalid":
		return adapters.ErrRejected, words
	case "not_found":
		return adapters.ErrNotFound, words
	}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return adapters.ErrUnauthorized, words
	case status == http.StatusTooManyRequests:
		return adapters.ErrRateLimited, words
	case status >= 500 || status == http.StatusRequestTimeout || status == http.StatusNotFound:
		// A 404 without the plugin's code is not about the record: something
		// else answered.
		return adapters.ErrUnavailable, words
	}
	return adapters.ErrRejected, words
}

func (c *client) pinned(site, home string) bool {
	return strings.EqualFold(site, c.cfg.SiteUUID) && sameHome(home, c.cfg.HomeURL)
}

func (c *client) anotherSite(site, home string) string {
	return fmt.Sprintf("Paired with %s (%s), but %s (%s) answers: a clone, a staging copy or a moved site. Nothing was taken from it. If the site moved, pair it again.",
		c.cfg.HomeURL, c.cfg.SiteUUID, c.clean(home), c.clean(site))
}

var markup = regexp.MustCompile(`<[^<>]*>?`)

// clean makes the remote's words fit for a page: one line, no markup, no control
// characters, no secret, at most 300 characters.
func (c *client) clean(s string) string {
	if len(s) > 4096 {
		s = s[:4096]
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), c.cfg.Secret.Reveal(), "[redacted]")
	s = strings.ReplaceAll(markup.ReplaceAllString(s, " "), ">", "")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if utf8.RuneCountInString(s) > 300 {
		s = string([]rune(s)[:299]) + "…"
	}
	return s
}

// text is the body without the byte order mark that some themes print first.
func text(response *resty.Response) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(response.Body(), []byte("\xef\xbb\xbf")))
}

func isPage(h http.Header, body []byte) bool {
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return media == "text/html" || media == "application/xhtml+xml" || bytes.HasPrefix(body, []byte("<"))
}

// neverSent reports whether the failure came before the request could have
// reached the site.
func neverSent(err error) bool {
	for _, before := range []error{httpx.ErrBlocked, httpx.ErrCircuitOpen, httpx.ErrRateWait} {
		if errors.Is(err, before) {
			return true
		}
	}
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

// bare drops the method and URL that net/http puts in front; the operation says
// that already.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
