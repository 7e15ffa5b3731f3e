package credly

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// perPage is the one page size there is.
const perPage = 50

// filters reads both spellings: filter=key::value|key::value and
// filter[key]=value.
func (s *Sim) filters(q url.Values) map[string]string {
	out := map[string]string{}
	for _, part := range strings.Split(q.Get("filter"), "|") {
		if k, v, ok := strings.Cut(part, "::"); ok {
			out[k] = v
		}
	}
	for k, vs := range q {
		if name, ok := strings.CutPrefix(k, "filter["); ok && strings.HasSuffix(name, "]") && !s.opt.NewFilterSyntaxIgnored {
			out[strings.TrimSuffix(name, "]")] = vs[0]
		}
	}
	return out
}

// sorting is one key of a sort order.
type sorting struct {
	key  string
	down bool
}

func sortings(q url.Values) []sorting {
	var out []sorting
	for _, part := range strings.Split(q.Get("sort"), "|") {
		if part = strings.TrimSpace(part); part != "" {
			key, down := strings.CutPrefix(part, "-")
			out = append(out, sorting{key, down})
		}
	}
	return out
}

// field compares by one key; null values are told apart.
type field[T any] struct {
	cmp  func(a, b T) int
	null func(T) bool
}

// keep is one filter: whether v passes with the value asked for.
type keep[T any] func(v T, want string) bool

// choose filters and sorts.
func choose[T any](s *Sim, all []T, fs map[string]string, sorts []sorting, by map[string]keep[T], order map[string]field[T]) (out []T, refuse *reply) {
	unknown := func(kind, key string) *reply {
		f := fail(http.StatusUnprocessableEntity, "Unknown "+kind+": "+key)
		return &f
	}
	for k := range fs {
		if by[k] == nil && s.opt.UnknownFilterRefused {
			return nil, unknown("filter", k)
		}
	}
	out = make([]T, 0, len(all))
next:
	for _, v := range all {
		for k, want := range fs {
			if test := by[k]; test != nil && !test(v, want) {
				continue next
			}
		}
		out = append(out, v)
	}
	for _, so := range sorts {
		if order[so.key].cmp == nil && s.opt.UnknownFilterRefused {
			return nil, unknown("sort key", so.key)
		}
	}
	if len(sorts) == 0 && s.opt.NewestFirst {
		slices.Reverse(out)
	}
	slices.SortStableFunc(out, func(a, b T) int {
		for _, so := range sorts {
			f := order[so.key]
			if f.cmp == nil {
				continue
			}
			an, bn := f.null != nil && f.null(a), f.null != nil && f.null(b)
			c := 0
			switch {
			case an && bn:
			case an != bn: // nulls count as largest, unless NullsLast
				c = 1
				if bn {
					c = -1
				}
				if so.down && !s.opt.NullsLast {
					c = -c
				}
				return c
			default:
				c = f.cmp(a, b)
			}
			if so.down {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return out, nil
}

// page cuts the page that was asked for and describes it.
func page[T any](s *Sim, c *call, all []T, render func(T) any) reply {
	n, err := strconv.Atoi(c.r.URL.Query().Get("page"))
	if err != nil || n < 1 {
		n = 1
	}
	per := perPage
	if s.opt.PerPageHonoured {
		for _, name := range []string{"per", "page_size"} {
			if v, err := strconv.Atoi(c.r.URL.Query().Get(name)); err == nil && v > 0 {
				per = min(per, v)
			}
		}
	}
	pages := max(1, (len(all)+per-1)/per)
	if n > pages && s.opt.PastEndIs404 {
		return fail(http.StatusNotFound, "Page not found")
	}
	from, to := min((n-1)*per, len(all)), min(n*per, len(all))
	data := make([]any, 0, to-from)
	for _, v := range all[from:to] {
		data = append(data, render(v))
	}
	link := func(n int) any {
		if n < 1 || n > pages {
			return nil
		}
		return s.pageURL(c, strconv.Itoa(n))
	}
	return reply{status: http.StatusOK, body: map[string]any{"data": data, "metadata": map[string]any{
		"count": len(data), "current_page": n, "total_count": len(all), "total_pages": pages, "per": per,
		"previous_page_url": link(min(n-1, pages)), "next_page_url": link(n + 1),
	}}}
}

// pageURL is the address of a page: under /api/v1 whatever prefix was asked, as
// recorded from the real service.
func (s *Sim) pageURL(c *call, n string) string {
	q := url.Values{}
	for k, v := range c.r.URL.Query() {
		if s.opt.DropFilterOnNext && (k == "sort" || strings.HasPrefix(k, "filter")) {
			continue
		}
		q[k] = v
	}
	q.Set("page", n)
	return c.base + "/api" + c.r.URL.Path + "?" + q.Encode()
}

func byTime[T any](get func(T) time.Time) field[T] {
	return field[T]{cmp: func(a, b T) int { return get(a).Compare(get(b)) }}
}

func byText[T any](get func(T) string) field[T] {
	return field[T]{cmp: func(a, b T) int { return cmp.Compare(strings.ToLower(get(a)), strings.ToLower(get(b))) }}
}

// oneOf tests a comma list.
func oneOf(list, v string) bool {
	return slices.Contains(strings.Split(list, ","), v)
}

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// dayRange reads *_min and *_max, which are dates or times; both ends count.
func dayRange(t *time.Time, want string, isMax bool) bool {
	if t == nil {
		return false
	}
	limit, ok := parseTime(want)
	if !ok {
		return false
	}
	if isMax {
		if len(want) == len(time.DateOnly) {
			limit = limit.AddDate(0, 0, 1).Add(-time.Millisecond)
		}
		return !t.After(limit)
	}
	return !t.Before(limit)
}
