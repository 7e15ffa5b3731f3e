package card

import (
	"image/color"
	"math"
)

// colours are those of the pages' light look, for one hue.
type colours struct {
	paper, soft, ink, muted, brand, ok, warn, bad color.NRGBA
}

func coloursOf(hue int) colours {
	h := float64(hue)
	return colours{
		paper: oklch(.986, .004, h), soft: oklch(.945, .03, h), ink: oklch(.23, .02, h), muted: oklch(.47, .02, h), brand: oklch(.48, .19, h),
		ok: oklch(.43, .12, 155), warn: oklch(.45, .11, 70), bad: oklch(.47, .18, 25),
	}
}

// oklch is a colour of CSS Color 4's oklch(), lightness and chroma from 0 to 1,
// the hue in degrees, clipped to sRGB.
func oklch(l, c, h float64) color.NRGBA {
	a, b := c*math.Cos(h*math.Pi/180), c*math.Sin(h*math.Pi/180)
	cube := func(x float64) float64 { return x * x * x }
	long := cube(l + .3963377774*a + .2158037573*b)
	medium := cube(l - .1055613458*a - .0638541728*b)
	short := cube(l - .0894841775*a - 1.2914855480*b)
	channel := func(x float64) uint8 {
		x = min(max(x, 0), 1)
		if x <= .0031308 {
			x *= 12.92
		} else {
			x = 1.055*math.Pow(x, 1/2.4) - .055
		}
		return uint8(math.Round(x * 255))
	}
	return color.NRGBA{
		R: channel(4.0767416621*long - 3.3077115913*medium + .2309699292*short),
		G: channel(-1.2684380046*long + 2.6097574011*medium - .3413193965*short),
		B: channel(-.0041960863*long - .7034186147*medium + 1.7076147010*short),
		A: 255,
	}
}
