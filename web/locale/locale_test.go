package locale_test

import (
	"testing"
	"time"

	"badgebridge/web/locale"
)

func TestCountsDatesAndFallbacks(t *testing.T) {
	b, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := b.For("", "tlh, sq;q=0.8")
	if w.Lang != "en" {
		t.Errorf("a language that there is not gives %q", w.Lang)
	}
	for n, want := range map[int]string{0: "0 badges", 1: "1 badge", 6: "6 badges"} {
		if got := w.N("home.count", n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	at := time.Date(2026, 11, 2, 9, 5, 0, 0, time.UTC)
	for got, want := range map[string]string{
		w.Date(at): "2 November 2026", w.ShortDate(at): "2 Nov 2026", w.Moment(at, at): "2 Nov 09:05",
		w.Moment(at, at.AddDate(1, 0, 0)): "2 Nov 2026 09:05", w.Date(time.Time{}): "",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for lang, want := range map[string]string{"en": "1 March 2026", "de": "1. März 2026", "fr": "1er mars 2026", "es": "1 de marzo de 2026"} {
		if got := b.For(lang, "").Date(first); got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
	if got := w.T("no.such.key"); got != "no.such.key" {
		t.Errorf("an unknown key says %q", got)
	}
	if got := w.T("home.awarded", "Issuer", "<b>X</b>", "Date", "today"); got != "<b>X</b> awarded this to you on today." {
		t.Errorf("%q: escaping is the page's business", got)
	}
}
