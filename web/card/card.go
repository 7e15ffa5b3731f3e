// Package card draws the picture that a link to a badge, a collection or a
// profile is shown with elsewhere: 1200 by 630 pixels, as Open Graph and Twitter
// cards have it. It does no I/O.
//
// The fonts are Go Regular and Go Bold (package gofont, BSD), which know Latin,
// Greek and Cyrillic. Text in other scripts is left out rather than drawn as
// empty boxes.
package card

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"unicode"

	"golang.org/x/image/draw"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/vector"
	"golang.org/x/image/webp"
)

// The size of a card, in pixels.
const (
	Width  = 1200
	Height = 630
)

// Tone colours the state of a badge.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "ok"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
)

// Card is what is drawn. Empty texts are left out.
type Card struct {
	Title    string
	Lines    []string // beneath, the first one strongest
	State    string
	Tone     Tone
	Foot     string   // where the page is
	Pictures [][]byte // PNG, JPEG, GIF or WebP; up to four; others are drawn as a seal
	Faded    bool     // the pictures are grey
	Hue      int      // 0 to 360
}

// Renderer draws cards. It is safe for concurrent use.
type Renderer struct{ regular, bold *opentype.Font }

// New reads the fonts.
func New() (*Renderer, error) {
	regular, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("card fonts: %w", err)
	}
	bold, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return nil, fmt.Errorf("card fonts: %w", err)
	}
	return &Renderer{regular: regular, bold: bold}, nil
}

// maxPixels is the largest picture that is decoded: what a few bytes claim to be
// must not fill the memory.
const maxPixels = 4096 * 4096

// PNG draws a card, Width pixels wide or as wide as it is asked for, which is
// less.
func (r *Renderer) PNG(c Card, width int) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, Width, Height))
	look := coloursOf(c.Hue)
	draw.Draw(img, img.Bounds(), image.NewUniform(look.paper), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(0, Height-12, Width, Height), image.NewUniform(look.brand), image.Point{}, draw.Src)
	r.pictures(img, c, look)
	if err := r.texts(img, c, look); err != nil {
		return nil, err
	}
	var out image.Image = img
	if width > 0 && width < Width {
		small := image.NewNRGBA(image.Rect(0, 0, width, width*Height/Width))
		draw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
		out = small
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, out); err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	return b.Bytes(), nil
}

// pictures draws the plinth and what stands on it.
func (r *Renderer) pictures(img *image.NRGBA, c Card, look colours) {
	plinth := image.Rect(72, 78, 72+462, 78+462)
	rounded(img, plinth, 36, look.soft)
	pad := 55
	boxes := []image.Rectangle{plinth.Inset(pad)}
	if n := len(c.Pictures); n > 1 {
		boxes = nil
		inner := plinth.Inset(36)
		w, h := inner.Dx()/2, inner.Dy()/2
		for i := range min(n, 4) {
			at := inner.Min.Add(image.Pt(i%2*w, i/2*h))
			if n == 2 {
				at.Y += h / 2
			}
			boxes = append(boxes, image.Rectangle{at, at.Add(image.Pt(w, h))}.Inset(14))
		}
	}
	for i, box := range boxes {
		var data []byte
		if i < len(c.Pictures) {
			data = c.Pictures[i]
		}
		p := decode(data)
		if p == nil {
			r.seal(img, box, c.Title, look)
			continue
		}
		fit(img, box, p, c.Faded)
	}
}

// decode reads a picture, nil when it is none or too large.
func decode(data []byte) image.Image {
	read := map[string]func(*bytes.Reader) (image.Image, image.Config, error){
		"image/png": func(r *bytes.Reader) (image.Image, image.Config, error) {
			return both(r, png.DecodeConfig, png.Decode)
		},
		"image/jpeg": func(r *bytes.Reader) (image.Image, image.Config, error) {
			return both(r, jpeg.DecodeConfig, jpeg.Decode)
		},
		"image/gif": func(r *bytes.Reader) (image.Image, image.Config, error) {
			return both(r, gif.DecodeConfig, gif.Decode)
		},
		"image/webp": func(r *bytes.Reader) (image.Image, image.Config, error) {
			return both(r, webp.DecodeConfig, webp.Decode)
		},
	}[http.DetectContentType(data)]
	if read == nil {
		return nil
	}
	p, _, err := read(bytes.NewReader(data))
	if err != nil || p.Bounds().Empty() {
		return nil
	}
	return p
}

// fit scales a picture into a box, its shape kept.
func fit(dst *image.NRGBA, box image.Rectangle, p image.Image, faded bool) {
	b := p.Bounds()
	w, h := box.Dx(), box.Dy()
	if b.Dx()*h > b.Dy()*w {
		h = max(1, b.Dy()*w/b.Dx())
	} else {
		w = max(1, b.Dx()*h/b.Dy())
	}
	at := image.Rect(0, 0, w, h).Add(image.Pt(box.Min.X+(box.Dx()-w)/2, box.Min.Y+(box.Dy()-h)/2))
	if !faded {
		draw.CatmullRom.Scale(dst, at, p, b, draw.Over, nil)
		return
	}
	scaled := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(scaled, scaled.Bounds(), p, b, draw.Src, nil)
	for i := 0; i < len(scaled.Pix); i += 4 {
		px := scaled.Pix[i : i+4]
		y := uint8((int(px[0])*299 + int(px[1])*587 + int(px[2])*114) / 1000) //nolint:gosec // at most 255
		px[0], px[1], px[2], px[3] = y, y, y, uint8(int(px[3])*6/10)          //nolint:gosec // at most 255
	}
	draw.Draw(dst, at, scaled, image.Point{}, draw.Over)
}

// seal stands for a picture that can't be drawn, a vector picture above all: a
// disc with the first letter of the title.
func (r *Renderer) seal(dst *image.NRGBA, box image.Rectangle, title string, look colours) {
	d := min(box.Dx(), box.Dy())
	at := image.Rect(0, 0, d, d).Add(image.Pt(box.Min.X+(box.Dx()-d)/2, box.Min.Y+(box.Dy()-d)/2))
	rounded(dst, at, d/2, look.brand)
	rounded(dst, at.Inset(d/16), d/2-d/16, look.soft)
	rounded(dst, at.Inset(d/11), d/2-d/11, look.brand)
	for _, c := range title {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) || !has(r.bold, c) {
			continue
		}
		_ = r.centred(dst, at, string(unicode.ToUpper(c)), float64(d)/2.2, color.White)
		return
	}
}

// rounded fills a rectangle with round corners.
func rounded(dst *image.NRGBA, at image.Rectangle, radius int, fill color.Color) {
	const k = .5523 // of a circle's quarter as a cubic curve
	w, h, r := float32(at.Dx()), float32(at.Dy()), float32(radius)
	v := vector.NewRasterizer(at.Dx(), at.Dy())
	v.MoveTo(r, 0)
	v.LineTo(w-r, 0)
	v.CubeTo(w-r+k*r, 0, w, r-k*r, w, r)
	v.LineTo(w, h-r)
	v.CubeTo(w, h-r+k*r, w-r+k*r, h, w-r, h)
	v.LineTo(r, h)
	v.CubeTo(r-k*r, h, 0, h-r+k*r, 0, h-r)
	v.LineTo(0, r)
	v.CubeTo(0, r-k*r, r-k*r, 0, r, 0)
	v.ClosePath()
	v.Draw(dst, at, image.NewUniform(fill), image.Point{})
}
