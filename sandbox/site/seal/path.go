package seal

import (
	"math"
	"strconv"

	"golang.org/x/image/vector"
)

type point struct{ x, y float64 }

// polyline is a subpath with its curves made straight.
type polyline struct {
	points []point
	closed bool
}

const (
	steps  = 24 // straight pieces a curve
	around = 28 // corners of a round line end
)

// parse reads the part of SVG's path language that the drawings use: M L H V C
// S Z, absolute and relative. The drawings are constants of this package, so
// that anything else is a programmer's error.
func parse(d string) []polyline {
	var out []polyline
	var line polyline
	var here, control point
	flush := func(closed bool) {
		if len(line.points) > 1 {
			line.closed = closed
			out = append(out, line)
		}
		line = polyline{}
	}
	s := scanner{text: d}
	var command byte
	for {
		if c, ok := s.command(); ok {
			command = c
		} else if !s.number() {
			break
		}
		var base point
		upper := command &^ 0x20
		if command != upper {
			base = here
		}
		switch upper {
		case 'M':
			flush(false)
			here = point{base.x + s.next(), base.y + s.next()}
			line.points = append(line.points, here)
			command = command&0x20 | 'L' // further pairs are lines
		case 'L':
			here = point{base.x + s.next(), base.y + s.next()}
			line.points = append(line.points, here)
		case 'H':
			here.x = base.x + s.next()
			line.points = append(line.points, here)
		case 'V':
			here.y = base.y + s.next()
			line.points = append(line.points, here)
		case 'C', 'S':
			a := point{2*here.x - control.x, 2*here.y - control.y}
			if upper == 'C' {
				a = point{base.x + s.next(), base.y + s.next()}
			}
			b := point{base.x + s.next(), base.y + s.next()}
			end := point{base.x + s.next(), base.y + s.next()}
			line.points = append(line.points, curve(here, a, b, end)...)
			here, control = end, b
		case 'Z':
			start := line.points[0]
			flush(true)
			here = start
		default:
			panic("seal: path command " + string(command))
		}
		if upper != 'C' && upper != 'S' {
			control = here
		}
	}
	flush(false)
	return out
}

func curve(p0, p1, p2, p3 point) []point {
	out := make([]point, 0, steps)
	for i := 1; i <= steps; i++ {
		t := float64(i) / steps
		u := 1 - t
		a, b, c, d := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		out = append(out, point{a*p0.x + b*p1.x + c*p2.x + d*p3.x, a*p0.y + b*p1.y + c*p2.y + d*p3.y})
	}
	return out
}

type scanner struct {
	text string
	at   int
}

func (s *scanner) skip() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == ',') {
		s.at++
	}
}

func (s *scanner) command() (byte, bool) {
	s.skip()
	if s.at < len(s.text) && (s.text[s.at]|0x20) >= 'a' && (s.text[s.at]|0x20) <= 'z' {
		s.at++
		return s.text[s.at-1], true
	}
	return 0, false
}

func (s *scanner) number() bool {
	s.skip()
	return s.at < len(s.text)
}

func (s *scanner) next() float64 {
	s.skip()
	start := s.at
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c >= '0' && c <= '9' || c == '.' || c == '-' && s.at == start {
			s.at++
			continue
		}
		break
	}
	v, err := strconv.ParseFloat(s.text[start:s.at], 64)
	if err != nil {
		panic("seal: path number: " + err.Error())
	}
	return v
}

func bounds(lines []polyline) (top, bottom float64) {
	top, bottom = math.Inf(1), math.Inf(-1)
	for _, line := range lines {
		for _, p := range line.points {
			top, bottom = min(top, p.y), max(bottom, p.y)
		}
	}
	return top, bottom
}

func fill(z *vector.Rasterizer, line polyline, scale float64) {
	polygon(z, line.points, scale)
}

// stroke draws a line with round joins and ends: one box a piece and one disc a
// corner, all turning the same way, so that overlaps add up to full and no more.
func stroke(z *vector.Rasterizer, line polyline, width, scale float64) {
	r := width / 2
	points := line.points
	if line.closed {
		points = append(append([]point(nil), points...), points[0])
	}
	for i, p := range points {
		disc := make([]point, around)
		for k := range disc {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / around)
			disc[k] = point{p.x + r*cos, p.y + r*sin}
		}
		polygon(z, disc, scale)
		if i == 0 {
			continue
		}
		q := points[i-1]
		length := math.Hypot(p.x-q.x, p.y-q.y)
		if length == 0 {
			continue
		}
		nx, ny := -(p.y-q.y)/length*r, (p.x-q.x)/length*r
		polygon(z, []point{{q.x - nx, q.y - ny}, {p.x - nx, p.y - ny}, {p.x + nx, p.y + ny}, {q.x + nx, q.y + ny}}, scale)
	}
}

func polygon(z *vector.Rasterizer, points []point, scale float64) {
	for i, p := range points {
		x, y := float32(p.x*scale), float32(p.y*scale)
		if i == 0 {
			z.MoveTo(x, y)
		} else {
			z.LineTo(x, y)
		}
	}
	z.ClosePath()
}
