package card

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

const (
	textLeft  = 590
	textWidth = Width - textLeft - 64
)

// both decodes a picture whose size is within bounds.
func both(r *bytes.Reader, config func(io.Reader) (image.Config, error), whole func(io.Reader) (image.Image, error)) (image.Image, image.Config, error) {
	c, err := config(r)
	if err != nil {
		return nil, c, err
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxPixels/c.Height {
		return nil, c, errors.New("too large a picture")
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, c, err
	}
	p, err := whole(r)
	return p, c, err
}

// texts draws all text, the title as large as fits.
func (r *Renderer) texts(img *image.NRGBA, c Card, look colours) error {
	type line struct {
		text   string
		face   font.Face
		colour color.Color
		height int
	}
	var lines []line
	add := func(f *opentype.Font, size float64, most int, text string, colour color.Color) error {
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return fmt.Errorf("card: %w", err)
		}
		for _, l := range wrap(face, drawable(f, text), textWidth, most) {
			lines = append(lines, line{l, face, colour, int(size * 1.24)})
		}
		return nil
	}
	tone := map[Tone]color.Color{Good: look.ok, Warn: look.warn, Bad: look.bad, Plain: look.muted}[c.Tone]
	if err := add(r.bold, 28, 1, c.State, tone); err != nil {
		return err
	}
	if len(lines) > 0 {
		lines = append(lines, line{height: 14})
	}
	size, most := r.titleSize(c.Title)
	if err := add(r.bold, size, most, c.Title, look.ink); err != nil {
		return err
	}
	lines = append(lines, line{height: 18})
	for i, text := range c.Lines {
		colour := look.muted
		if i == 0 {
			colour = look.ink
		}
		if err := add(r.regular, 32, 2, text, colour); err != nil {
			return err
		}
	}
	total := 0
	for _, l := range lines {
		total += l.height
	}
	y := max(60, 78+(462-total)/2)
	for _, l := range lines {
		if l.face != nil {
			at(img, l.face, textLeft, y+l.face.Metrics().Ascent.Ceil(), l.text, l.colour)
		}
		y += l.height
	}
	foot, err := opentype.NewFace(r.regular, &opentype.FaceOptions{Size: 26, DPI: 72})
	if err != nil {
		return fmt.Errorf("card: %w", err)
	}
	if l := wrap(foot, drawable(r.regular, c.Foot), Width-144, 1); len(l) > 0 {
		at(img, foot, 72, Height-38, l[0], look.muted)
	}
	return nil
}

// titleSize is the largest size at which a title takes no more than its lines.
func (r *Renderer) titleSize(title string) (size float64, lines int) {
	for _, try := range []struct {
		size  float64
		lines int
	}{{68, 2}, {58, 3}, {48, 4}} {
		face, err := opentype.NewFace(r.bold, &opentype.FaceOptions{Size: try.size, DPI: 72})
		if err == nil && len(wrap(face, drawable(r.bold, title), textWidth, 99)) <= try.lines {
			return try.size, try.lines
		}
	}
	return 42, 5
}

func at(dst *image.NRGBA, face font.Face, x, y int, text string, colour color.Color) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(colour), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(text)
}

// centred draws one letter in the middle of a box.
func (r *Renderer) centred(dst *image.NRGBA, box image.Rectangle, text string, size float64, colour color.Color) error {
	face, err := opentype.NewFace(r.bold, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		return err
	}
	b, _ := font.BoundString(face, text)
	w, h := (b.Max.X - b.Min.X).Ceil(), (b.Max.Y - b.Min.Y).Ceil()
	at(dst, face, box.Min.X+(box.Dx()-w)/2-b.Min.X.Floor(), box.Min.Y+(box.Dy()-h)/2-b.Min.Y.Floor(), text, colour)
	return nil
}

// wrap breaks text at spaces into at most most lines, the last one shortened.
func wrap(face font.Face, text string, width, most int) []string {
	var lines []string
	words := strings.Fields(text)
	for len(words) > 0 {
		n := 1
		for n < len(words) && font.MeasureString(face, strings.Join(words[:n+1], " ")).Ceil() <= width {
			n++
		}
		l := strings.Join(words[:n], " ")
		words = words[n:]
		if len(lines) == most-1 && len(words) > 0 {
			l += "…"
			words = nil
		}
		lines = append(lines, shorten(face, l, width))
	}
	return lines
}

// shorten cuts a line that is wider than there is room.
func shorten(face font.Face, line string, width int) string {
	if font.MeasureString(face, line).Ceil() <= width {
		return line
	}
	r := []rune(strings.TrimSuffix(line, "…"))
	for len(r) > 0 && font.MeasureString(face, string(r)+"…").Ceil() > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// drawable leaves out what the font has no shape for; a text that is mostly of
// such is left out as a whole.
func drawable(f *opentype.Font, text string) string {
	all, known := 0, 0
	out := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return ' '
		}
		all++
		if has(f, c) {
			known++
			return c
		}
		return -1
	}, text)
	if known*10 < all*7 {
		return ""
	}
	return out
}

func has(f *opentype.Font, c rune) bool {
	var b sfnt.Buffer
	i, err := f.GlyphIndex(&b, c)
	return err == nil && i != 0
}
