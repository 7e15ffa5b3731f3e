// Package wordpress is the client of one WordPress site with the Badgebridge
// plugin. The contract between the two is wordpress/site-api.yaml; the simulated
// association site (sandbox/site) keeps the same.
//
// The site is a source of awards, can award and revoke, and tells of changes by
// webhook. Every call is signed and names the site that is meant; nothing is
// taken from a site that says it is another one.
package wordpress

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/internal/httpx"
	"badgebridge/openbadges"
)

// Kind is the driver's kind.
const Kind = "wordpress"

// Driver makes adapters for paired sites; their configuration is Config.
func Driver() adapters.Driver {
	return adapters.Driver{
		Kind: Kind,
		New: func(cfg json.RawMessage, hc *http.Client) (adapters.Adapter, error) {
			a, err := New(cfg, hc, time.Now)
			if err != nil {
				return nil, err
			}
			return a, nil
		},
		Hosts: func(cfg json.RawMessage) ([]string, error) {
			c, err := ParseConfig(cfg)
			if err != nil {
				return nil, fmt.Errorf("wordpress: %w", err)
			}
			u, err := url.Parse(c.RESTURL)
			if err != nil {
				return nil, fmt.Errorf("wordpress: rest_url: %w", err)
			}
			return []string{u.Host}, nil
		},
	}
}

// Adapter speaks to one site. It is safe for concurrent use.
type Adapter struct {
	client
	nonces nonceMemory
}

var (
	_ adapters.Source        = (*Adapter)(nil)
	_ adapters.Issuer        = (*Adapter)(nil)
	_ adapters.Finder        = (*Adapter)(nil)
	_ adapters.Revoker       = (*Adapter)(nil)
	_ adapters.Catalog       = (*Adapter)(nil)
	_ adapters.CatalogWriter = (*Adapter)(nil)
	_ adapters.Notifier      = (*Adapter)(nil)
)

// New makes an adapter from its configuration and does no I/O. now is the clock
// that signatures are made and checked with.
func New(cfg json.RawMessage, hc *http.Client, now func() time.Time) (*Adapter, error) {
	c, err := ParseConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("wordpress: %w", err)
	}
	// A redirected call would carry the signature elsewhere and could not pass
	// there either: the signature names the address that was meant.
	direct := *hc
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	rest := httpx.Resty(&direct, "").SetResponseBodyLimit(maxAnswer)
	return &Adapter{client: client{cfg: c, rest: rest, now: now}}, nil
}

// The versions of the contract that this gateway speaks.
const (
	contract      = 2
	contractLeast = 1
)

// contractWords says why a site that keeps one version, and works with those from
// another one on, can't be worked with; "" when it can.
func contractWords(keeps, least string) string {
	n, err := strconv.Atoi(keeps)
	from := 1
	if err == nil && least != "" {
		from, err = strconv.Atoi(least)
	}
	switch {
	case err != nil:
		return fmt.Sprintf("The plugin speaks version %.20q of the contract, which is none. Update the plugin.", keeps)
	case n < contractLeast:
		return fmt.Sprintf("The plugin speaks version %d of the contract, this gateway needs at least %d. Update the plugin.", n, contractLeast)
	case from > contract:
		return fmt.Sprintf("The plugin needs at least version %d of the contract, this gateway speaks %d. Update the gateway.", from, contract)
	}
	return ""
}

// Check implements adapters.Adapter. Identity is "uuid home_url".
func (a *Adapter) Check(ctx context.Context) (adapters.Health, error) {
	const op = "check"
	var site wireSite
	if f := a.call(ctx, op, http.MethodGet, "/site", nil, nil, &site); f != nil {
		return adapters.Health{}, f.Error
	}
	if !a.pinned(site.UUID, site.HomeURL) {
		return adapters.Health{}, &adapters.Error{Op: op, Kind: adapters.ErrIdentity, Words: a.anotherSite(site.UUID, site.HomeURL)}
	}
	if words := contractWords(site.Contract, site.ContractLeast); words != "" {
		return adapters.Health{}, &adapters.Error{Op: op, Kind: adapters.ErrUnavailable, Words: words}
	}
	health := adapters.Health{
		Identity: a.cfg.SiteUUID + " " + a.cfg.HomeURL,
		Name:     site.Name,
		Version:  site.PluginVersion,
		Details: map[string]string{
			"Home":      a.cfg.HomeURL,
			"Provider":  strings.TrimSpace(providerName(site.Provider.ID) + " " + site.Provider.Version),
			"Plugin":    site.PluginVersion,
			"WordPress": site.WordPressVersion,
			"PHP":       site.PHPVersion,
			"Time zone": site.Timezone,
			"Sign-in":   site.OIDCIssuer,
		},
		Warnings: site.Warnings,
	}
	for name, value := range health.Details {
		if value == "" {
			delete(health.Details, name)
		}
	}
	if site.Provider.ID == "none" {
		health.Warnings = append(health.Warnings, "Neither BadgeOS nor GamiPress is active at the site: it has no badges to report and can award none. Activate one of them.")
	}
	if u, err := url.Parse(a.cfg.RESTURL); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		health.Warnings = append(health.Warnings, "The site is called without https: members' names and addresses travel in clear. Give the site a certificate and pair it again.")
	}
	return health, nil
}

func providerName(id string) string {
	switch id {
	case "badgeos":
		return "BadgeOS"
	case "gamipress":
		return "GamiPress"
	}
	return id
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// Changes implements adapters.Source.
func (a *Adapter) Changes(ctx context.Context, after adapters.Cursor) (adapters.Page, error) {
	const op = "read changes"
	page, f := a.page(ctx, op, "/awards/changes", string(after))
	if f != nil {
		return adapters.Page{}, f
	}
	out := adapters.Page{Records: make([]adapters.Record, 0, len(page.Changes)), Next: adapters.Cursor(page.Next), More: page.More}
	for _, raw := range page.Changes {
		record, ok, err := normalizeChange(a.cfg.SiteUUID, raw)
		if err != nil {
			return adapters.Page{}, broken(op, err)
		}
		if ok {
			out.Records = append(out.Records, record)
		}
	}
	if out.Next == "" {
		out.Next = after // an empty one would start all over
	}
	return out, nil
}

// List implements adapters.Source.
//
// Its cursor carries the changes cursor of the listing's first page along: a
// later page's would skip what changed, meanwhile, in entries already read.
func (a *Adapter) List(ctx context.Context, from adapters.Cursor) (adapters.Page, error) {
	const op = "list awards"
	state, err := url.ParseQuery(string(from))
	if err != nil {
		return adapters.Page{}, &adapters.Error{Op: op, Kind: adapters.ErrRejected, Err: fmt.Errorf("the cursor is not one of this listing: %w", err)}
	}
	page, f := a.page(ctx, op, "/awards", state.Get("after"))
	if f != nil {
		return adapters.Page{}, f
	}
	changesFrom := page.ChangesFrom
	if state.Has("changes") {
		changesFrom = state.Get("changes")
	}
	out := adapters.Page{
		Records: make([]adapters.Record, 0, len(page.Awards)), More: page.More, ChangesFrom: adapters.Cursor(changesFrom),
	}
	if page.More {
		out.Next = adapters.Cursor(url.Values{"after": {page.Next}, "changes": {changesFrom}}.Encode())
	}
	for _, raw := range page.Awards {
		record, err := normalizeAward(a.cfg.SiteUUID, raw)
		if err != nil {
			return adapters.Page{}, broken(op, err)
		}
		out.Records = append(out.Records, record)
	}
	return out, nil
}

// Absence implements adapters.Source: a row may vanish because a user or a badge
// was deleted or points were lost, and the site does not say which.
func (a *Adapter) Absence() adapters.Absence { return adapters.AbsenceUnknown }

// BadgeClasses implements adapters.Catalog. A Ref is the badge's id.
func (a *Adapter) BadgeClasses(ctx context.Context, from adapters.Cursor) (adapters.ClassPage, error) {
	const op = "list badges"
	page, f := a.page(ctx, op, "/badges", string(from))
	if f != nil {
		return adapters.ClassPage{}, f
	}
	out := adapters.ClassPage{Classes: make([]adapters.Class, 0, len(page.Badges)), Next: adapters.Cursor(page.Next), More: page.More}
	for _, raw := range page.Badges {
		class, err := normalizeClass(raw)
		if err != nil {
			return adapters.ClassPage{}, broken(op, err)
		}
		out.Classes = append(out.Classes, class)
	}
	return out, nil
}

func (a *Adapter) page(ctx context.Context, op, route, after string) (wirePage, error) {
	query := url.Values{"limit": {pageLimit}}
	if after != "" {
		query.Set("after", after)
	}
	var page wirePage
	if f := a.call(ctx, op, http.MethodGet, route, query, nil, &page); f != nil {
		return page, f.Error
	}
	if page.More && (page.Next == "" || page.Next == after) {
		return page, broken(op, fmt.Errorf("there is more, but the page does not say where"))
	}
	return page, nil
}

// Issue implements adapters.Issuer. The site awards once per key. The recipient
// must be a member: by the plain address.
func (a *Adapter) Issue(ctx context.Context, in adapters.Issuance) (adapters.Ref, error) {
	const op = "award at the site"
	refuse := func(words string) error {
		return &adapters.Error{Op: op, Kind: adapters.ErrRejected, Words: words}
	}
	badge, err := strconv.ParseInt(string(in.Class), 10, 64)
	switch {
	case err != nil || badge <= 0:
		return "", refuse(fmt.Sprintf("%.80q is no badge of a site. Choose another in the mapping.", string(in.Class)))
	case in.Recipient.Type != openbadges.IdentityEmail || in.Recipient.Hashed || strings.TrimSpace(in.Recipient.Identity) == "":
		return "", refuse("A site finds its members by their e-mail address, and this award does not name one in clear.")
	case in.Award.IssuedOn.IsZero():
		return "", refuse("The award has no date.")
	}
	grant := wireGrant{
		Key: string(in.Key), BadgeID: badge, Email: strings.TrimSpace(in.Recipient.Identity),
		IssuedOn: in.Award.IssuedOn.UTC().Format("2006-01-02T15:04:05Z"), PageURL: in.PageURL,
	}
	var raw json.RawMessage
	if f := a.call(ctx, op, http.MethodPost, "/awards", nil, grant, &raw); f != nil {
		return "", f.Error
	}
	record, err := normalizeAward(a.cfg.SiteUUID, raw)
	if err == nil && record.External != "" && record.External != in.Key {
		err = fmt.Errorf("entry %s was granted under another key", record.Ref)
	}
	if err != nil {
		f := broken(op, err)
		f.Ambiguous = true
		return "", f
	}
	return record.Ref, nil
}

// Find implements adapters.Finder: the site keeps our key.
func (a *Adapter) Find(ctx context.Context, in adapters.Issuance) (adapters.Ref, adapters.Found, error) {
	const op = "find an award at the site"
	var raw json.RawMessage
	f := a.call(ctx, op, http.MethodGet, "/awards/by-key/"+string(in.Key), nil, nil, &raw)
	switch {
	case f != nil && f.code == "not_found":
		return "", adapters.Absent, nil
	case f != nil && f.code == "revoked": // it was done and undone; what now is a person's matter
		return "", adapters.Unknown, nil
	case f != nil:
		return "", adapters.Unknown, f.Error
	}
	record, err := normalizeAward(a.cfg.SiteUUID, raw)
	if err != nil {
		return "", adapters.Unknown, broken(op, err)
	}
	return record.Ref, adapters.Present, nil
}

// Settle implements adapters.Finder: the site answers from its own database.
func (a *Adapter) Settle() time.Duration { return 0 }

// Revoke implements adapters.Revoker. What is not there (any more) needs no
// revoking. ErrConflict when the entry is another award by now.
func (a *Adapter) Revoke(ctx context.Context, r adapters.Ref, reason string) error {
	const op = "revoke at the site"
	uuid, entry, fingerprint, err := splitRef(r)
	if err != nil {
		return &adapters.Error{Op: op, Kind: adapters.ErrRejected, Err: err}
	}
	if uuid != a.cfg.SiteUUID {
		return &adapters.Error{Op: op, Kind: adapters.ErrIdentity, Words: "The award was made at another site than the one that is paired now."}
	}
	if runes := []rune(reason); len(runes) > 1000 {
		reason = string(runes[:1000])
	}
	f := a.call(ctx, op, http.MethodPost, "/awards/"+strconv.FormatInt(entry, 10)+"/revoke", nil,
		wireRevocation{Fingerprint: fingerprint, Reason: reason}, nil)
	if f == nil || f.code == "not_found" {
		return nil
	}
	return f.Error
}

// CutPairing makes the key dead at the site, at once and for good. A key that
// the site refuses already is no error.
func (a *Adapter) CutPairing(ctx context.Context) error {
	f := a.call(ctx, "cut the pairing", http.MethodDelete, "/pairing", nil, nil, nil)
	if f == nil || f.code == "bad_signature" {
		return nil
	}
	return f.Error
}

// broken is an answer that does not keep the contract. Nothing of it is taken: a
// feed may repeat, it must not skip.
func broken(op string, err error) *adapters.Error {
	return &adapters.Error{Op: op, Kind: adapters.ErrUnavailable, Err: err,
		Words: "The site's answer is not what the plugin's contract says (" + err.Error() + "). Update the Badgebridge plugin."}
}
