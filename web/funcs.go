package web

import (
	"html/template"
	"net/url"
	"reflect"
	"sort"
	"strings"
	"time"

	"golang.org/x/text/language"

	"badgebridge/web/locale"
)

// funcs are what templates can call, in one language.
func (p *pages) funcs(w *locale.Words, cfg Config) template.FuncMap {
	return template.FuncMap{
		// t is a text, tn one that counts. tk is a text whose key has a part that
		// is data: {{tk "push.state" .State}}; "" data gives "".
		"t":  w.T,
		"tn": w.N,
		"tk": func(prefix string, part any, args ...any) string {
			name := text(part)
			if name == "" {
				return ""
			}
			s, ok := w.Try(prefix+"."+name, args...)
			if !ok {
				return name // a word of a remote that we have no text for
			}
			return s
		},
		"args":   func(key string, m map[string]any) string { return w.T(key, flat(m)...) },
		"date":   w.Date,
		"short":  w.ShortDate,
		"moment": func(t time.Time) string { return w.Moment(t.UTC(), cfg.Now()) },
		"exact":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"iso": func(t time.Time) string {
			return t.UTC().Format(time.RFC3339)
		},
		"asset": p.assetURL,
		"icon": func(name string) template.HTML {
			// The name is a literal in our templates.
			return template.HTML(`<svg class="icon" aria-hidden="true"><use href="` + p.assetURL("icons.svg") + "#" + template.HTMLEscapeString(name) + `"/></svg>`) //nolint:gosec // the name is escaped, the rest is ours
		},
		"tongue": tongue,
		"addr":   shortAddress,
		"host":   hostOf,
		"web":    webAddress,
		"paras":  paragraphs,
		"md":     p.md.html,
		"keys": func(m map[string]string) []string {
			out := make([]string, 0, len(m))
			for k := range m {
				out = append(out, k)
			}
			sort.Strings(out)
			return out
		},
		"dict": func(kv ...any) map[string]any {
			m := make(map[string]any, len(kv)/2)
			for i := 0; i+1 < len(kv); i += 2 {
				m[text(kv[i])] = kv[i+1]
			}
			return m
		},
		// sourceKind is how a badge came, without from whom.
		"sourceKind": func(source string) string {
			kind, _, _ := strings.Cut(source, ":")
			return kind
		},
		"list": func(words []string) string { return strings.Join(words, ", ") },
		"add":  func(a, b int) int { return a + b },
	}
}

// tongue is what an element says of a text that others wrote: its language (BCP
// 47, where it is known) and that its letters decide in which direction it runs.
func tongue(tag string) template.HTMLAttr {
	known, err := language.Parse(tag)
	if err != nil || known == language.Und {
		return `dir="auto"`
	}
	return template.HTMLAttr(`dir="auto" lang="` + known.String() + `"`) //nolint:gosec // a tag is of letters, digits and hyphens
}

// text is a string or one of our string types, as a string.
func text(v any) string {
	switch s := v.(type) {
	case string:
		return s
	case interface{ String() string }:
		return s.String()
	}
	return stringKind(v)
}

func flat(m map[string]any) []any {
	out := make([]any, 0, 2*len(m))
	for k, v := range m {
		out = append(out, k, v)
	}
	return out
}

// hostOf is the host of an address, for people; "" when it is none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Hostname(), "www.")
}

// paragraphs splits plain text (or Markdown, shown as it is) at empty lines.
func paragraphs(s string) []string {
	var out []string
	for _, p := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func stringKind(v any) string {
	if r := reflect.ValueOf(v); r.Kind() == reflect.String {
		return r.String()
	}
	return ""
}
