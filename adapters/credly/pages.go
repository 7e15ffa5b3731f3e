package credly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"badgebridge/adapters"
)

const (
	perPage = 50
	// maxPages bounds a listing: a million rows.
	maxPages = 20000
	// rereads is how often a page is read again because rows above it vanished.
	rereads = 5
)

// query is a list to read: newest first, so that rows which appear meanwhile
// push others to later pages, where they are seen twice, and never past us.
type query struct {
	op     string // for errors
	path   string // below the organization
	filter string
	sort   string
	format string // of the export alone
}

func (q query) set(v url.Values) {
	if q.filter != "" {
		v.Set("filter", q.filter)
	}
	if q.sort != "" {
		v.Set("sort", q.sort)
	}
	if q.format != "" {
		v.Set("badge_format", q.format)
	}
}

// place is where in a list the next page begins. The zero value is the start.
type place struct {
	Page  int    `json:"page,omitempty"`  // the page to read; 0 and 1 the first
	Next  string `json:"next,omitempty"`  // Credly's own link to it, path and query
	Total int    `json:"total,omitempty"` // rows in the list when the last page was read
	Mark  string `json:"mark,omitempty"`  // of the export: a link seen before
}

// rows is one page of a list.
type rows struct {
	items []json.RawMessage
	next  place
	more  bool
	pages int // that the list has
	at    time.Time
}

// page reads one page. When rows were deleted since the page before, those that
// follow have moved up, some of them perhaps past the border between the pages;
// then it goes back by as many pages as that can have been.
func (c *client) page(ctx context.Context, q query, p place) (rows, error) {
	for range rereads {
		p.Page = max(p.Page, 1)
		res, err := c.do(ctx, q.op, http.MethodGet, c.pageURL(q, p), nil)
		if err != nil {
			return rows{}, err
		}
		bad := func(format string, args ...any) (rows, error) {
			return rows{}, &adapters.Error{Op: "credly: " + q.op, Kind: adapters.ErrUnavailable, Err: fmt.Errorf(format, args...)}
		}
		var items []json.RawMessage
		m := res.Metadata
		if json.Unmarshal(res.Data, &items) != nil || m == nil || m.CurrentPage < 1 {
			return bad("the answer is not a page of a list")
		}
		if m.CurrentPage != p.Page {
			return bad("asked for page %d and got page %d", p.Page, m.CurrentPage)
		}
		if gone := p.Total - m.TotalCount; p.Page > 1 && gone > 0 {
			p = place{Page: max(1, p.Page-(gone+perPage-1)/perPage), Total: m.TotalCount}
			continue
		}
		out := rows{items: items, pages: m.TotalPages, at: res.at}
		var link string
		if m.Next != nil {
			link = m.Next.String()
		}
		if link == "" && m.CurrentPage >= m.TotalPages {
			return out, nil
		}
		if p.Page >= maxPages {
			return bad("the list does not end")
		}
		out.more = true
		out.next = place{Page: p.Page + 1, Total: m.TotalCount}
		if link != "" {
			if out.next.Next, err = c.checkLink(q, link, p.Page); err != nil {
				return bad("the link to the next page: %w", err)
			}
		}
		return out, nil
	}
	return rows{}, &adapters.Error{Op: "credly: " + q.op, Kind: adapters.ErrUnavailable, Err: errors.New("the list keeps changing while it is read")}
}

func (c *client) pageURL(q query, p place) string {
	if p.Next != "" {
		u := *c.base
		u.RawPath = ""
		u.Path, u.RawQuery, _ = strings.Cut(p.Next, "?")
		return u.String()
	}
	v := url.Values{}
	q.set(v)
	if p.Page > 1 {
		v.Set("page", strconv.Itoa(p.Page))
	}
	return c.orgURL(q.path, v)
}

// export reads one page of the high-volume search. Its pages have no numbers but
// each a link to the next, so that a circle is found by a link that comes again.
func (c *client) export(ctx context.Context, q query, p place) (rows, error) {
	p.Page = max(p.Page, 1)
	res, err := c.do(ctx, q.op, http.MethodGet, c.pageURL(q, place{Next: p.Next}), nil)
	if err != nil {
		return rows{}, err
	}
	bad := func(format string, args ...any) (rows, error) {
		return rows{}, &adapters.Error{Op: "credly: " + q.op, Kind: adapters.ErrUnavailable, Err: fmt.Errorf(format, args...)}
	}
	out := rows{at: res.at}
	if json.Unmarshal(res.Data, &out.items) != nil || res.Metadata == nil {
		return bad("the answer is not a page of a list")
	}
	if res.Metadata.Next == nil || res.Metadata.Next.String() == "" {
		return out, nil
	}
	if p.Page >= maxPages {
		return bad("the list does not end")
	}
	link, err := c.sameList(q, res.Metadata.Next.String())
	if err != nil {
		return bad("the link to the next page: %w", err)
	}
	out.more, out.next = true, place{Page: p.Page + 1, Next: address(q, link), Mark: p.Mark}
	mark := fingerprint(out.next.Next)
	if mark == p.Mark || out.next.Next == p.Next {
		return bad("the pages lead in a circle")
	}
	// Brent's method: of all links one is remembered, ever later ones.
	if p.Page&(p.Page-1) == 0 {
		out.next.Mark = mark
	}
	return out, nil
}

// checkLink takes Credly's link to the next page if it leads to the same list, and
// forward.
func (c *client) checkLink(q query, link string, current int) (string, error) {
	u, err := c.sameList(q, link)
	if err != nil {
		return "", err
	}
	page := u.Query().Get("page")
	if n, err := strconv.Atoi(page); err != nil || n != current+1 {
		return "", fmt.Errorf("page %d is followed by page %q", current, page)
	}
	return address(q, u), nil
}

// sameList takes a link if it leads to the same list at the configured host or at
// another name of it. The call itself always goes to the configured host: only
// the path's prefix may differ.
func (c *client) sameList(q query, link string) (*url.URL, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, errors.New("it is no address")
	}
	if u.Host != "" {
		sameHost := strings.EqualFold(u.Host, c.base.Host) ||
			u.Port() == "" && c.base.Port() == "" && slices.Contains(family(c.base.Hostname()), strings.ToLower(u.Hostname()))
		if !sameHost || u.User != nil {
			return nil, fmt.Errorf("it leads to another host, %s", u.Host)
		}
		if u.Scheme != "" && u.Scheme != c.base.Scheme {
			return nil, fmt.Errorf("it leads from %s to %s", c.base.Scheme, u.Scheme)
		}
	}
	// Decoded, a path can hide a way out of the list.
	if clean := path.Clean(u.Path); clean != strings.TrimRight(u.Path, "/") || strings.ContainsAny(clean, "?#") ||
		!strings.HasSuffix(clean, "/organizations/"+c.org+q.path) {
		return nil, errors.New("it leads to another list")
	}
	return u, nil
}

// address is path and query of a link. It is not known whether Credly always keeps
// filter and order.
func address(q query, u *url.URL) string {
	v := u.Query()
	q.set(v)
	return u.Path + "?" + v.Encode()
}
