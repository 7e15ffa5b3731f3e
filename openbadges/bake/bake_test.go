package bake_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"

	"badgebridge/openbadges/bake"
)

const hosted = `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"https://example.org/a?x=1&y=2","narrative":"æøå ]]> ®"}`

func picture(t testing.TB, size int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, size, size))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i >> 3)
	}
	m.Set(0, 0, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func rawChunk(typ, data string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(out, typ+data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// behindHeader puts a chunk behind IHDR.
func behindHeader(p []byte, chunk []byte) []byte {
	const end = 8 + 12 + 13
	return bytes.Join([][]byte{p[:end], chunk, p[end:]}, nil)
}

func deflate(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func TestABakedPNGKeepsEveryOtherByte(t *testing.T) {
	plain := picture(t, 20)
	for name, p := range map[string][]byte{
		"plain":           plain,
		"baked before":    behindHeader(plain, rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00old")),
		"baked tEXt":      behindHeader(plain, rawChunk("tEXt", "openbadges\x00https://example.org/old")),
		"baked as 3.0":    behindHeader(plain, rawChunk("iTXt", "openbadgecredential\x00\x00\x00\x00\x00old")),
		"baked twice":     behindHeader(behindHeader(plain, rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00a")), rawChunk("zTXt", "openbadges\x00\x00"+deflate("b"))),
		"data behind end": append(bytes.Clone(plain), "trailing"...),
		"other text":      behindHeader(plain, rawChunk("tEXt", "openbadgesx\x00keep me")),
	} {
		out, err := bake.Bake(p, bake.OpenBadges, []byte(hosted))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00"+hosted)
		if n := bytes.Count(out, []byte("openbadges\x00")) + bytes.Count(out, []byte("openbadgecredential\x00")); n != 1 {
			t.Errorf("%s: %d baked chunks", name, n)
		}
		if i, j := bytes.Index(out, want), bytes.Index(out, []byte("IDAT")); i < 0 || i > j {
			t.Errorf("%s: the chunk is at %d, the picture's data at %d", name, i, j)
		}
		rest := bytes.Replace(out, want, nil, 1)
		expected := plain
		switch name {
		case "data behind end", "other text":
			expected = p
		}
		if !bytes.Equal(rest, expected) {
			t.Errorf("%s: other bytes changed", name)
		}
		if _, err := png.Decode(bytes.NewReader(out)); err != nil {
			t.Errorf("%s: no longer a PNG: %v", name, err)
		}
		got, err := bake.Unbake(out)
		if err != nil || string(got.Text) != hosted || got.Kind != bake.OpenBadges {
			t.Errorf("%s: read back %q, %v", name, got.Text, err)
		}
	}
}

func TestAStrippedPictureIsAsItWasBeforeItWasBaked(t *testing.T) {
	plain := picture(t, 20)
	twice := behindHeader(behindHeader(plain, rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00a")), rawChunk("zTXt", "openbadgecredential\x00\x00"+deflate("b")))
	for name, c := range map[string]struct{ baked, want []byte }{
		"nothing baked in": {plain, plain}, "baked twice": {twice, plain},
		"other text": {behindHeader(plain, rawChunk("tEXt", "openbadgesx\x00keep me")), behindHeader(plain, rawChunk("tEXt", "openbadgesx\x00keep me"))},
	} {
		if got, err := bake.Strip(c.baked); err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: %d bytes, want %d, %v", name, len(got), len(c.want), err)
		}
	}
	for name, p := range map[string][]byte{"PNG": plain, "SVG": []byte(drawing)} {
		for _, kind := range []bake.Kind{bake.OpenBadges, bake.Credential} {
			baked, err := bake.Bake(p, kind, []byte(hosted))
			if err != nil {
				t.Fatal(err)
			}
			got, err := bake.Strip(baked)
			if err != nil || bytes.Contains(got, []byte("example.org/a?x=1")) {
				t.Errorf("%s, %s: %v\n%s", name, kind, err, got)
			}
			if _, err := bake.Unbake(got); !errors.Is(err, bake.ErrNotBaked) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
	if _, err := bake.Strip([]byte("no picture")); !errors.Is(err, bake.ErrNotAnImage) {
		t.Errorf("no picture: %v", err)
	}
}

func TestEveryWayOfBakingAPNGIsRead(t *testing.T) {
	p := picture(t, 3)
	last := len(p) - 12
	behind := func(c []byte) []byte { return bytes.Join([][]byte{p[:last], c, p[last:]}, nil) }
	both := behindHeader(behind(rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00"+hosted)), rawChunk("tEXt", "openbadges\x00https://example.org/legacy"))
	for name, c := range map[string]struct {
		image []byte
		text  string
		kind  bake.Kind
	}{
		"iTXt before the end":    {behind(rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00"+hosted)), hosted, bake.OpenBadges},
		"iTXt with a language":   {behindHeader(p, rawChunk("iTXt", "openbadges\x00\x00\x00en\x00clef\x00"+hosted)), hosted, bake.OpenBadges},
		"iTXt compressed":        {behindHeader(p, rawChunk("iTXt", "openbadges\x00\x01\x00\x00\x00"+deflate(hosted))), hosted, bake.OpenBadges},
		"tEXt with a URL":        {behindHeader(p, rawChunk("tEXt", "openbadges\x00https://example.org/a")), "https://example.org/a", bake.OpenBadges},
		"tEXt in Latin-1":        {behindHeader(p, rawChunk("tEXt", "openbadges\x00{\"a\":\"\xe6\"}")), `{"a":"æ"}`, bake.OpenBadges},
		"zTXt":                   {behindHeader(p, rawChunk("zTXt", "openbadges\x00\x00"+deflate(hosted))), hosted, bake.OpenBadges},
		"OB 3.0 JWT":             {behindHeader(p, rawChunk("iTXt", "openbadgecredential\x00\x00\x00\x00\x00a.b.c")), "a.b.c", bake.Credential},
		"iTXt goes before tEXt":  {both, hosted, bake.OpenBadges},
		"space around the badge": {behindHeader(p, rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00\n "+hosted+"\n")), hosted, bake.OpenBadges},
	} {
		got, err := bake.Unbake(c.image)
		if err != nil || string(got.Text) != c.text || got.Kind != c.kind {
			t.Errorf("%s: got %q (%s), %v", name, got.Text, got.Kind, err)
		}
	}
}

func TestADamagedOrHostilePNGIsRefused(t *testing.T) {
	p := picture(t, 3)
	wrongCRC := rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00"+hosted)
	wrongCRC[len(wrongCRC)-1] ^= 1
	many := bytes.Clone(p[:33])
	for range 30_000 {
		many = append(many, rawChunk("tEXt", "k\x00v")...)
	}
	many = append(many, p[33:]...)
	huge := behindHeader(p, append([]byte{0xff, 0xff, 0xff, 0xf0}, "iTXtopenbadges\x00"...))
	for name, c := range map[string]struct {
		image []byte
		want  error
	}{
		"not baked":             {p, bake.ErrNotBaked},
		"cut":                   {p[:len(p)-5], bake.ErrNotAnImage},
		"signature alone":       {p[:8], bake.ErrNotAnImage},
		"a length beyond":       {huge, bake.ErrNotAnImage},
		"wrong checksum":        {behindHeader(p, wrongCRC), bake.ErrText},
		"compression bomb":      {behindHeader(p, rawChunk("iTXt", "openbadges\x00\x01\x00\x00\x00"+deflate(strings.Repeat("x", bake.MaxText+1)))), bake.ErrTooLarge},
		"damaged compression":   {behindHeader(p, rawChunk("zTXt", "openbadges\x00\x00nonsense")), bake.ErrText},
		"no UTF-8":              {behindHeader(p, rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00\xff\xfe")), bake.ErrText},
		"empty":                 {behindHeader(p, rawChunk("iTXt", "openbadges\x00\x00\x00\x00\x00")), bake.ErrText},
		"cut text chunk":        {behindHeader(p, rawChunk("iTXt", "openbadges\x00\x00")), bake.ErrText},
		"too many chunks":       {many, bake.ErrTooLarge},
		"no header":             {append(bytes.Clone(p[:8]), p[33:]...), bake.ErrNotAnImage},
		"a JPEG":                {[]byte("\xff\xd8\xff\xe0 JFIF"), bake.ErrNotAnImage},
		"a page":                {[]byte("<!doctype html><html><svg></svg></html>"), bake.ErrNotAnImage},
		"nothing":               {nil, bake.ErrNotAnImage},
		"an SVG that ends soon": {[]byte("<svg><g>"), bake.ErrNotAnImage},
		"an SVG of depth":       {[]byte("<svg>" + strings.Repeat("<g>", 10_000)), bake.ErrTooLarge},
		"an SVG in UTF-16":      {[]byte(`<?xml version="1.0" encoding="UTF-16"?><svg/>`), bake.ErrNotAnImage},
	} {
		if got, err := bake.Unbake(c.image); !errors.Is(err, c.want) {
			t.Errorf("%s: got %q, %v; want %v", name, got.Text, err, c.want)
		}
	}
	for _, text := range []string{"", " ", "a\x00b", "\xff"} {
		if _, err := bake.Bake(p, bake.OpenBadges, []byte(text)); !errors.Is(err, bake.ErrText) {
			t.Errorf("baking %q: %v", text, err)
		}
	}
}

const drawing = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
	<!ENTITY ns_ai "http://ns.example.org/ai">
]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:i='&ns_ai;' width="10" height="10" >
  <!-- a comment with <openbadges:assertion> in it -->
  <style><![CDATA[ .a > .b { fill: red } ]]></style>
  <rect class="a" width="10" height="10"/>
</svg>
<!-- end -->
`

func TestABakedSVGKeepsEveryOtherByte(t *testing.T) {
	for name, svg := range map[string]string{
		"drawing":      drawing,
		"empty root":   `<svg xmlns="http://www.w3.org/2000/svg"/>`,
		"prefixed":     `<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:g/></s:svg>`,
		"prefix there": `<svg xmlns:openbadges="http://openbadges.org"><g/></svg>`,
		"with a BOM":   "\xef\xbb\xbf" + drawing,
	} {
		for _, kind := range []bake.Kind{bake.OpenBadges, bake.Credential} {
			for _, text := range []string{hosted, "eyJh.eyJi.c-_", "https://example.org/a?x=1&y=<2>"} {
				once, err := bake.Bake([]byte(svg), kind, []byte(text))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				got, err := bake.Unbake(once)
				if err != nil || string(got.Text) != text || got.Kind != kind {
					t.Fatalf("%s, %s: read back %q (%s), %v\n%s", name, kind, got.Text, got.Kind, err, once)
				}
				if err := xml.Unmarshal(once, new(struct{})); err != nil && name != "drawing" && name != "with a BOM" {
					t.Errorf("%s: no longer XML: %v\n%s", name, err, once)
				}
				// Baking something else and then this again gives the same bytes, so
				// nothing piles up and nothing else is touched.
				other, err := bake.Bake(once, kind, []byte(`{"id":"https://example.org/other"}`))
				if err != nil {
					t.Fatal(err)
				}
				again, err := bake.Bake(other, kind, []byte(text))
				if err != nil || !bytes.Equal(again, once) {
					t.Errorf("%s: baking again changed the picture: %v\n%s\n%s", name, err, once, again)
				}
				if i := strings.Index(svg, "<rect"); i >= 0 && !bytes.HasSuffix(once, []byte(svg[i:])) {
					t.Errorf("%s: the drawing changed", name)
				}
			}
		}
	}
}

func TestAHostedBadgeInSVGNamesItsAddressAndItsText(t *testing.T) {
	out, err := bake.SVG([]byte(`<svg><g/></svg>`), bake.OpenBadges, []byte(hosted))
	if err != nil {
		t.Fatal(err)
	}
	want := `<svg xmlns:openbadges="http://openbadges.org"><openbadges:assertion verify="https://example.org/a?x=1&amp;y=2"><![CDATA[` +
		strings.Replace(hosted, "]]>", "]]]]><![CDATA[>", 1) + `]]></openbadges:assertion><g/></svg>`
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestSVGsOfOtherBakersAreRead(t *testing.T) {
	for name, c := range map[string]struct{ svg, text string }{
		"verify alone":       {`<svg xmlns:openbadges="http://openbadges.org"><openbadges:assertion verify="https://example.org/a"></openbadges:assertion></svg>`, "https://example.org/a"},
		"deep inside":        {`<svg><g xmlns:ob="http://openbadges.org"><ob:assertion verify="a.b.c"/></g></svg>`, "a.b.c"},
		"default namespace":  {`<svg><assertion xmlns="http://openbadges.org" verify="a.b.c"/></svg>`, "a.b.c"},
		"prefix undeclared":  {`<svg><openbadges:assertion verify="a.b.c"/></svg>`, "a.b.c"},
		"escaped, not CDATA": {`<svg xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"><openbadges:credential>{"a":&quot;b&quot;}</openbadges:credential></svg>`, `{"a":"b"}`},
	} {
		got, err := bake.Unbake([]byte(c.svg))
		if err != nil || string(got.Text) != c.text {
			t.Errorf("%s: got %q, %v", name, got.Text, err)
		}
	}
	if _, err := bake.Unbake([]byte(`<svg><assertion xmlns="http://other.example" verify="a.b.c"/></svg>`)); !errors.Is(err, bake.ErrNotBaked) {
		t.Errorf("another namespace: %v", err)
	}
}

// What is baked is read back, and whatever comes in, nothing panics.
// FuzzPNG bakes into a picture that holds a chunk of any kind, and reads what was
// damaged anywhere.
func FuzzPNG(f *testing.F) {
	p := picture(f, 2)
	f.Add(p, "tEXt", "openbadges\x00https://example.org/", hosted)
	f.Add(p, "zTXt", "openbadges\x00\x00"+deflate(hosted), "a.b.c")
	f.Add(p, "iTXt", "openbadgecredential\x00\x01\x00\x00\x00"+deflate(hosted), "x")
	f.Add(p[:40], "IEND", "", "x")
	f.Fuzz(func(t *testing.T, image []byte, kind, data, text string) {
		bake.Unbake(image)
		baked(t, image, text)
		if len(kind) == 4 {
			baked(t, behindHeader(p, rawChunk(kind, data)), text)
		}
	})
}

func FuzzSVG(f *testing.F) {
	f.Add([]byte(drawing), hosted)
	f.Add([]byte(`<svg xmlns:openbadges="http://openbadges.org"><openbadges:assertion verify="x"/></svg>`), "https://example.org/")
	f.Add([]byte(`<?xml version="1.0"?><!DOCTYPE svg><!-- --><svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>`), "a.b.c")
	f.Fuzz(func(t *testing.T, image []byte, text string) {
		bake.Unbake(image)
		baked(t, image, text)
	})
}

// baked holds that what could be baked is read again.
func baked(t *testing.T, image []byte, text string) {
	t.Helper()
	out, err := bake.Bake(image, bake.OpenBadges, []byte(text))
	if err != nil {
		return
	}
	got, err := bake.Unbake(out)
	if err != nil {
		t.Fatalf("can't read what was baked: %v\n%q", err, out)
	}
	want := strings.TrimSpace(text)
	if bake.Detect(image) == bake.FormatSVG { // XML turns every line break in a body into one LF
		breaks := strings.NewReplacer("\r\n", "\n", "\r", "\n")
		want, got.Text = breaks.Replace(want), []byte(breaks.Replace(string(got.Text)))
	}
	if strings.TrimSpace(string(got.Text)) != strings.TrimSpace(want) {
		t.Fatalf("baked %q, read %q", want, got.Text)
	}
	// Baking the same once more changes nothing.
	if again, err := bake.Bake(out, bake.OpenBadges, []byte(text)); err != nil || !bytes.Equal(again, out) {
		t.Fatalf("baking again: %v\n%q\n%q", err, out, again)
	}
}

func ExampleBake() {
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>`)
	baked, _ := bake.Bake(svg, bake.OpenBadges, []byte(`{"id":"https://example.org/a/1","type":"Assertion"}`))
	payload, _ := bake.Unbake(baked)
	fmt.Println(string(payload.Text))
	// Output: {"id":"https://example.org/a/1","type":"Assertion"}
}
