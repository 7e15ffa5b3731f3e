package credly

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/image/draw"
)

// serveImage draws a template's picture, 600 by 600 or the size in the path.
func (s *Sim) serveImage(w http.ResponseWriter, r *http.Request) {
	n := 600
	if size := r.PathValue("size"); size != "" {
		a, b, _ := strings.Cut(size, "x")
		v, err := strconv.Atoi(a)
		if err != nil || a != b || v < 16 || v > 1000 {
			http.NotFound(w, r)
			return
		}
		n = v
	}
	s.mu.Lock()
	picture := s.st.Pictures[r.PathValue("image")]
	known := picture != nil
	for _, t := range s.st.Templates {
		known = known || t.ImageID == r.PathValue("image")
	}
	s.mu.Unlock()
	if !known || !strings.HasSuffix(r.PathValue("file"), ".png") {
		http.NotFound(w, r)
		return
	}
	key := r.PathValue("image") + " " + strconv.Itoa(n)
	b, there := s.images.Load(key)
	if !there {
		if picture != nil {
			b = resize(picture, n, r.PathValue("size") == "")
		} else {
			b = drawSeal(r.PathValue("image"), n)
		}
		s.images.Store(key, b)
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, _ = w.Write(b.([]byte))
}

// drawSeal is the PNG of a seal whose colours and emblem follow from its id: a
// scalloped edge, two rings, an emblem with several points and a ribbon.
func drawSeal(id string, n int) []byte {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	seed := h.Sum64()
	hue := float64(seed%360) / 360
	points := 5 + int(seed/360%4)
	dark, mid, light := hsl(hue, .55, .28), hsl(hue, .55, .45), hsl(hue+.04, .60, .62)
	gold, white := hsl(.12, .75, .60), [3]float64{1, 1, 1}

	img := image.NewNRGBA(image.Rect(0, 0, n, n))
	px := 2 / float64(n) // one pixel in the drawing's units, which go from -1 to 1
	for y := range n {
		for x := range n {
			u, v := (float64(x)+.5)*px-1, (float64(y)+.5)*px-1
			var c [3]float64
			alpha := 0.0
			paint := func(col [3]float64, distance float64) { // distance < 0 is inside
				a := min(max(.5-distance/px, 0), 1)
				if a == 0 {
					return
				}
				out := a + alpha*(1-a)
				for i := range c {
					c[i] = (col[i]*a + c[i]*alpha*(1-a)) / out
				}
				alpha = out
			}
			// The ribbon's two tails.
			for _, side := range []float64{-1, 1} {
				ru, rv := u*.94-side*v*.34, u*side*.34+v*.94
				paint(dark, max(math.Abs(ru+side*.02)-.17, max(.2-rv, rv-.92+.5*math.Abs(ru+side*.02))))
			}
			cy := v + .12
			r := math.Hypot(u, cy)
			scallop := 0.0
			if math.Abs(r-.80) < .025+px { // nowhere else does it show
				scallop = math.Cos(float64(points) * 6 * math.Atan2(cy, u))
			}
			paint(mid, r-(.80+.025*scallop))
			paint(gold, r-.70)
			paint(mix(mid, light, min(max(.5-cy*.7, 0), 1)), r-.665)
			paint(white, max(r-.60, .585-r))
			if r < .45+2*px {
				paint(dark, star(u+.012, cy-.018, points, .42))
				paint(white, star(u, cy, points, .42))
			}
			paint(gold, r-.10)
			img.SetNRGBA(x, y, color.NRGBA{byteOf(c[0]), byteOf(c[1]), byteOf(c[2]), byteOf(alpha)})
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		return nil
	}
	return buf.Bytes()
}

// resize is an uploaded picture in another size, or as it is.
func resize(picture []byte, n int, asIs bool) []byte {
	in, err := png.Decode(bytes.NewReader(picture))
	if asIs || err != nil {
		return picture
	}
	out := image.NewNRGBA(image.Rect(0, 0, n, n))
	draw.CatmullRom.Scale(out, out.Bounds(), in, in.Bounds(), draw.Src, nil)
	var buf bytes.Buffer
	if err := png.Encode(&buf, out); err != nil {
		return picture
	}
	return buf.Bytes()
}

// star is the distance to a star's outline, negative inside.
func star(u, v float64, points int, size float64) float64 {
	a := math.Atan2(u, -v)
	step := 2 * math.Pi / float64(points)
	a = math.Abs(math.Mod(a+20*math.Pi+step/2, step) - step/2)
	r := math.Hypot(u, v)
	x, y := r*math.Cos(a), r*math.Sin(a)
	ix, iy := size*.5*math.Cos(step/2), size*.5*math.Sin(step/2)
	dx, dy := ix-size, iy
	return -(dx*y - dy*(x-size)) / math.Hypot(dx, dy)
}

func hsl(h, s, l float64) [3]float64 {
	c := (1 - math.Abs(2*l-1)) * s
	f := func(k float64) float64 {
		k = math.Mod(k+h*12, 12)
		return l - c/2*max(-1, min(k-3, 9-k, 1))
	}
	return [3]float64{f(0), f(8), f(4)}
}

func mix(a, b [3]float64, t float64) (c [3]float64) {
	for i := range c {
		c[i] = a[i] + (b[i]-a[i])*t
	}
	return c
}

func byteOf(v float64) uint8 { return uint8(math.Round(min(max(v, 0), 1) * 255)) }
