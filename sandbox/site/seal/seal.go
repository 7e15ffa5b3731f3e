// Package seal draws badge images for the demo: a coloured hexagon, shield or
// circle with a fine inner line and a white glyph.
package seal

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"golang.org/x/image/vector"
)

// Shape is the outline of a seal.
type Shape string

// The shapes.
const (
	Hexagon Shape = "hexagon"
	Shield  Shape = "shield"
	Circle  Shape = "circle"
)

// Glyph is the sign on a seal.
type Glyph string

// The glyphs.
const (
	Star  Glyph = "star"
	Book  Glyph = "book"
	Bolt  Glyph = "bolt"
	Heart Glyph = "heart"
	Code  Glyph = "code"
	Leaf  Glyph = "leaf"
)

// Size is the width and height of a seal in pixels.
const Size = 600

// The drawings, in the path language of SVG, on a board of 120 by 120.
const board = 120

func outline(s Shape) string {
	switch s {
	case Shield:
		return "M60 3c14 9 30 12 47 10 4 44-8 78-47 104C21 91 9 57 13 13c17 2 33-1 47-10Z"
	case Circle:
		// Four curves; the handles are 0.5523 of the radius.
		return "M60 4C90.93 4 116 29.07 116 60S90.93 116 60 116 4 90.93 4 60 29.07 4 60 4Z"
	}
	return "M60 4 108 32v56L60 116 12 88V32Z"
}

func drawing(g Glyph) string {
	switch g {
	case Book:
		return "M34 42c10-4 19-3 26 3 7-6 16-7 26-3v38c-10-4-19-3-26 3-7-6-16-7-26-3ZM60 45v38"
	case Bolt:
		return "M64 32 42 64h15l-3 24 24-34H62Z"
	case Heart:
		return "M60 84C44 72 36 63 36 53c0-8 6-13 12-13 5 0 9 3 12 8 3-5 7-8 12-8 6 0 12 5 12 13 0 10-8 19-24 31Z"
	case Code:
		return "m48 46-14 14 14 14M72 46l14 14-14 14M65 40 55 80"
	case Leaf:
		return "M40 80c0-26 14-40 42-42 0 28-14 42-34 40M40 84c6-16 14-25 26-32"
	}
	return "m60 34 8 17 18 2-13 13 3 18-16-9-16 9 3-18-13-13 18-2Z"
}

// Seal draws a seal as a PNG of Size by Size pixels with a transparent ground.
// hue is an OKLCH hue in degrees. An unknown shape is a hexagon, an unknown
// glyph a star. The same arguments give the same bytes.
func Seal(hue float64, shape Shape, glyph Glyph) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, Size, Size))
	const scale = float64(Size) / board
	edge := parse(outline(shape))

	z := vector.NewRasterizer(Size, Size)
	for _, line := range edge {
		fill(z, line, scale)
	}
	top, bottom := bounds(edge)
	paint(img, z, func(y int) (color.NRGBA, float64) {
		at := (float64(y)/scale - top) / (bottom - top)
		return oklch(0.66-0.22*at, 0.15, hue), 1
	})

	white := func(alpha float64) func(int) (color.NRGBA, float64) {
		return func(int) (color.NRGBA, float64) { return color.NRGBA{R: 255, G: 255, B: 255, A: 255}, alpha }
	}
	z.Reset(Size, Size)
	for _, line := range edge {
		inner := make([]point, len(line.points))
		for i, p := range line.points {
			inner[i] = point{60 + 0.86*(p.x-60), 60 + 0.86*(p.y-60)}
		}
		stroke(z, polyline{points: inner, closed: line.closed}, 1.7, scale)
	}
	paint(img, z, white(0.55))

	z.Reset(Size, Size)
	for _, line := range parse(drawing(glyph)) {
		stroke(z, line, 5, scale)
	}
	paint(img, z, white(1))

	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, img); err != nil {
		panic(err) // a bytes.Buffer takes everything, and the image is never empty
	}
	return out.Bytes()
}

// paint lays ink over img where the rasterizer has coverage.
func paint(img *image.NRGBA, z *vector.Rasterizer, ink func(y int) (color.NRGBA, float64)) {
	mask := image.NewAlpha(img.Bounds())
	z.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	for y := range Size {
		c, alpha := ink(y)
		for x := range Size {
			cover := float64(mask.Pix[y*mask.Stride+x]) / 255 * alpha
			if cover == 0 {
				continue
			}
			i := img.PixOffset(x, y)
			under := float64(img.Pix[i+3]) / 255
			total := cover + under*(1-cover)
			for k, v := range [3]uint8{c.R, c.G, c.B} {
				mixed := (float64(v)*cover + float64(img.Pix[i+k])*under*(1-cover)) / total
				img.Pix[i+k] = uint8(math.Round(mixed))
			}
			img.Pix[i+3] = uint8(math.Round(total * 255))
		}
	}
}

// oklch converts a colour of the OKLCH space to sRGB; what lies outside is
// clipped.
func oklch(l, c, h float64) color.NRGBA {
	a, b := c*math.Cos(h*math.Pi/180), c*math.Sin(h*math.Pi/180)
	cube := func(v float64) float64 { return v * v * v }
	long := cube(l + 0.3963377774*a + 0.2158037573*b)
	medium := cube(l - 0.1055613458*a - 0.0638541728*b)
	short := cube(l - 0.0894841775*a - 1.2914855480*b)
	channel := func(linear float64) uint8 {
		v := 12.92 * linear
		if linear > 0.0031308 {
			v = 1.055*math.Pow(linear, 1/2.4) - 0.055
		}
		return uint8(math.Round(255 * min(1, max(0, v))))
	}
	return color.NRGBA{
		R: channel(4.0767416621*long - 3.3077115913*medium + 0.2309699292*short),
		G: channel(-1.2684380046*long + 2.6097574011*medium - 0.3413193965*short),
		B: channel(-0.0041960863*long - 0.7034186147*medium + 1.7076147010*short),
		A: 255,
	}
}
