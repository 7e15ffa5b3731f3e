package card_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"badgebridge/web/card"
)

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	p := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range p.Pix {
		p.Pix[i] = 200
	}
	p.Set(0, 0, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestACardHasTheSizeThatIsAskedForWhateverIsOnIt(t *testing.T) {
	r, err := card.New()
	if err != nil {
		t.Fatal(err)
	}
	// A header that claims 100 000 by 100 000 pixels, and nothing behind it.
	bomb := picture(t, 4, 4)
	copy(bomb[16:], []byte{0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0})
	for name, c := range map[string]card.Card{
		"a badge":     {Title: "Open Practice", Lines: []string{"Example Association · example.org", "Ada Example", "12 November 2026"}, State: "Genuine", Tone: card.Good, Foot: "badges.example.org", Pictures: [][]byte{picture(t, 600, 300)}, Hue: 262},
		"long":        {Title: strings.Repeat("Donaudampfschifffahrtsgesellschaft ", 12), Lines: []string{strings.Repeat("word ", 200)}, Hue: 20},
		"one word":    {Title: strings.Repeat("x", 3000)},
		"vector":      {Title: "Świetna Ёлка", Pictures: [][]byte{[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}, Hue: 155},
		"collection":  {Title: "Four", Pictures: [][]byte{picture(t, 10, 400), picture(t, 400, 10), picture(t, 40, 40), picture(t, 9, 9), picture(t, 9, 9)}},
		"two":         {Title: "Two", Pictures: [][]byte{picture(t, 40, 40), nil}, State: "Revoked", Tone: card.Bad, Faded: true},
		"a bomb":      {Title: "Bomb", Pictures: [][]byte{bomb}},
		"no glyphs":   {Title: "開放實踐 徽章", Lines: []string{"مرحبا"}},
		"nothing":     {},
		"broken text": {Title: "a\x00b\xffc", Foot: "\n\n"},
	} {
		for width, want := range map[int]image.Point{0: {1200, 630}, 600: {600, 315}, 5000: {1200, 630}} {
			body, err := r.PNG(c, width)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			p, err := png.Decode(bytes.NewReader(body))
			if err != nil || p.Bounds().Size() != want {
				t.Errorf("%s: %v, %v", name, p.Bounds(), err)
			}
			if dir := os.Getenv("BADGEBRIDGE_SCREENSHOTS"); dir != "" && width == 0 {
				if err := os.WriteFile(filepath.Join(dir, "card-"+strings.ReplaceAll(name, " ", "-")+".png"), body, 0o644); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func BenchmarkCard(b *testing.B) {
	r, err := card.New()
	if err != nil {
		b.Fatal(err)
	}
	p := image.NewNRGBA(image.Rect(0, 0, 600, 600))
	var body bytes.Buffer
	if err := png.Encode(&body, p); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.PNG(card.Card{Title: "Open Practice", Lines: []string{"Example Association"}, Pictures: [][]byte{body.Bytes()}}, 0); err != nil {
			b.Fatal(err)
		}
	}
}
