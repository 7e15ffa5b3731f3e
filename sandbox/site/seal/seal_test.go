package seal_test

import (
	"bytes"
	"image/png"
	"testing"

	"badgebridge/sandbox/site/seal"
)

func TestEverySealIsASquarePNGWithATransparentGround(t *testing.T) {
	// Every shape and every glyph once: a drawing takes seconds under the race detector.
	for glyph, shape := range map[seal.Glyph]seal.Shape{
		seal.Star: seal.Hexagon, seal.Book: seal.Shield, seal.Bolt: seal.Circle, seal.Heart: seal.Hexagon, seal.Code: seal.Shield, seal.Leaf: seal.Circle,
	} {
		data := seal.Seal(262, shape, glyph)
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s %s: %v", shape, glyph, err)
		}
		if b := img.Bounds(); b.Dx() != 600 || b.Dy() != 600 {
			t.Errorf("%s %s: %v", shape, glyph, b)
		}
		if _, _, _, a := img.At(0, 0).RGBA(); a != 0 {
			t.Errorf("%s %s: the corner is not transparent", shape, glyph)
		}
		if _, _, _, a := img.At(300, 60).RGBA(); a != 0xffff {
			t.Errorf("%s %s: the seal itself is transparent", shape, glyph)
		}
		if glyph == seal.Star && !bytes.Equal(data, seal.Seal(262, shape, glyph)) {
			t.Errorf("%s %s: two drawings differ", shape, glyph)
		}
	}
}
