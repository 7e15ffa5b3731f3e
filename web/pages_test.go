package web

import (
	"testing"

	"badgebridge/web/locale"
)

// Pages are parsed when they are first shown; here all are.
func TestEveryPageParsesInEveryLanguage(t *testing.T) {
	words, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadPages(words, Config{})
	if err != nil {
		t.Fatal(err)
	}
	for lang, set := range p.byLang {
		if len(set) < 40 {
			t.Errorf("%s has %d pages", lang, len(set))
		}
		for name := range set {
			if _, err := p.page(lang, name); err != nil {
				t.Errorf("%s in %s: %v", name, lang, err)
			}
		}
	}
}
