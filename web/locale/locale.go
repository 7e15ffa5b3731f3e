// Package locale holds every word that a page or a mail says, by key, and the
// way dates and counts are written. A language is one JSON file beside en.json;
// a key that it lacks falls back to English.
package locale

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed *.json
var files embed.FS

// Bundle is all languages that the gateway speaks. It is safe for concurrent use.
type Bundle struct {
	bundle  *i18n.Bundle
	tags    []language.Tag
	matcher language.Matcher
	words   map[string]*Words
}

// Load reads the built-in languages. It fails only when a file of ours is damaged.
func Load() (*Bundle, error) {
	b := &Bundle{bundle: i18n.NewBundle(language.English), words: map[string]*Words{}}
	b.bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("load languages: %w", err)
	}
	b.tags = []language.Tag{language.English} // the first is the fallback
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("load language %s: %w", name, err)
		}
		if _, err := b.bundle.ParseMessageFileBytes(text, name); err != nil {
			return nil, fmt.Errorf("load language %s: %w", name, err)
		}
		tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".json"))
		if err != nil {
			return nil, fmt.Errorf("load language %s: %w", name, err)
		}
		if tag != language.English {
			b.tags = append(b.tags, tag)
		}
	}
	for _, tag := range b.tags {
		b.words[tag.String()] = &Words{Lang: tag.String(), localizer: i18n.NewLocalizer(b.bundle, tag.String(), "en")}
	}
	b.matcher = language.NewMatcher(b.tags)
	return b, nil
}

// Languages lists the languages as BCP 47 tags, English first.
func (b *Bundle) Languages() []string {
	out := make([]string, len(b.tags))
	for i, t := range b.tags {
		out[i] = t.String()
	}
	return out
}

// For picks the language for a person's own choice ("" none) and a browser's
// Accept-Language.
func (b *Bundle) For(choice, accept string) *Words {
	_, i := language.MatchStrings(b.matcher, choice, accept)
	return b.words[b.tags[i].String()]
}

// Words speaks one language.
type Words struct {
	Lang      string
	localizer *i18n.Localizer
}

// T is the text of key. args are names and values for its placeholders: "Name",
// "Ada", "Badge", "Speaker". An unknown key is its own text, so that a page
// still opens; a test holds that none is.
func (w *Words) T(key string, args ...any) string {
	s, ok := w.Try(key, args...)
	if !ok {
		return key
	}
	return s
}

// Try is T that tells whether the key is known.
func (w *Words) Try(key string, args ...any) (string, bool) {
	return w.localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: pairs(args)})
}

// N is the text of key for a count, which its placeholder Count shows.
func (w *Words) N(key string, count int, args ...any) string {
	data := pairs(args)
	data["Count"] = count
	s, ok := w.localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: count})
	if !ok {
		return key
	}
	return s
}

func (w *Words) localize(cfg *i18n.LocalizeConfig) (string, bool) {
	s, err := w.localizer.Localize(cfg)
	if err != nil && s == "" {
		return "", false
	}
	return s, true
}

func pairs(args []any) map[string]any {
	m := make(map[string]any, len(args)/2+1)
	for i := 0; i+1 < len(args); i += 2 {
		if name, ok := args[i].(string); ok {
			m[name] = args[i+1]
		}
	}
	return m
}

// Date is "12 November 2026", "" for the zero time.
func (w *Words) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.T("date.long", "Day", w.day(t), "Month", w.month("date.month", t), "Year", t.Year())
}

// ShortDate is "12 Nov 2026", "" for the zero time.
func (w *Words) ShortDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.T("date.short", "Day", w.day(t), "Month", w.month("date.mon", t), "Year", t.Year())
}

// Moment is "20 Nov 09:14" in the time's own zone, with the year where it is
// not the year of now; "" for the zero time.
func (w *Words) Moment(t, now time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.Year() != now.Year():
		return w.T("date.moment-year", "Day", w.day(t), "Month", w.month("date.mon", t), "Year", t.Year(), "Clock", t.Format("15:04"))
	}
	return w.T("date.moment", "Day", w.day(t), "Month", w.month("date.mon", t), "Clock", t.Format("15:04"))
}

// day is the day of the month; some languages have a form of its own for the first.
func (w *Words) day(t time.Time) string {
	if t.Day() == 1 {
		return w.T("date.one")
	}
	return strconv.Itoa(t.Day())
}

func (w *Words) month(prefix string, t time.Time) string {
	return w.T(fmt.Sprintf("%s.%d", prefix, int(t.Month())))
}
