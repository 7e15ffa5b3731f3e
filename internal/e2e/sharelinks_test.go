package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image"
	_ "image/png"
	"maps"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// window opens a window of somebody else, without cookies, in the same browser.
func (v visit) window() visit {
	v.t.Helper()
	ctx, cancel := chromedp.NewContext(v.ctx, chromedp.WithNewBrowserContext())
	v.t.Cleanup(cancel)
	must(v.t, chromedp.Do(ctx))
	return visit{v.t, ctx, v.g}
}

// link is the address of a link in the part of the page that shares.
func (v visit) link(begins string) *url.URL {
	v.t.Helper()
	u, err := url.Parse(v.attribute(fmt.Sprintf("#share a[href^=%q]", begins), "href"))
	must(v.t, err)
	return u
}

// wantFields holds an address to its fields, all of them and no others.
func wantFields(t *testing.T, u *url.URL, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for name, values := range u.Query() {
		if got[name] = values[0]; len(values) != 1 {
			t.Errorf("%s has %s %d times", u.Host, name, len(values))
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s has the fields\n%v, want\n%v", u.Host+u.Path, got, want)
	}
}

// sharesBy holds each way to share the badge of the page to what its other side
// takes. profile are fields of LinkedIn's form that are not as always.
func (v visit) sharesBy(name, issuer, id string, profile map[string]string) {
	v.t.Helper()
	page := v.g.URL + "/b/" + id
	text := fmt.Sprintf("I earned the badge “%s” from %s.", name, issuer)
	want := map[string]string{"startTask": "CERTIFICATION_NAME", "name": name, "certUrl": page, "certId": id}
	if profile == nil { // the association's own: by its name, and when its document says
		_, body := get(v.t, page+".json", "application/json")
		var doc struct {
			IssuedOn time.Time `json:"issuedOn"`
			Expires  time.Time `json:"expires"`
		}
		must(v.t, json.Unmarshal(body, &doc))
		profile = map[string]string{"organizationName": issuer, "issueYear": strconv.Itoa(doc.IssuedOn.Year()), "issueMonth": strconv.Itoa(int(doc.IssuedOn.Month()))}
		if !doc.Expires.IsZero() {
			profile["expirationYear"], profile["expirationMonth"] = strconv.Itoa(doc.Expires.Year()), strconv.Itoa(int(doc.Expires.Month()))
		}
	}
	maps.Copy(want, profile)
	wantFields(v.t, v.link("https://www.linkedin.com/profile/add?"), want)
	wantFields(v.t, v.link("https://www.linkedin.com/sharing/share-offsite/?"), map[string]string{"url": page})
	wantFields(v.t, v.link("https://x.com/intent/tweet?"), map[string]string{"text": text, "url": page})
	wantFields(v.t, v.link("https://www.facebook.com/sharer/sharer.php?"), map[string]string{"u": page})
	wantFields(v.t, v.link("mailto:?"), map[string]string{"subject": text, "body": text + "\n\n" + page})
	if got := v.eval(`document.querySelector("#link").value`); got != page {
		v.t.Errorf("the link to copy is %s", got)
	}
	for what, want := range map[string]string{
		"embed-card": `<iframe src="` + page + `/embed"`, "embed-image": `<a href="` + page + `"><img src="` + page + `/image"`,
	} {
		if got := v.eval(fmt.Sprintf(`document.getElementById(%q).value`, what)); len(got) < len(want) || got[:len(want)] != want {
			v.t.Errorf("the HTML to embed is %s", html.EscapeString(got))
		}
	}
	for _, form := range []string{"/qr.png", "/qr.svg"} {
		if got := v.attribute(fmt.Sprintf("#share [src=%[1]q], #share [href=%[1]q]", "/b/"+id+form), "class"); got == "" {
			v.t.Errorf("the page has no %s", form)
		}
	}
	_, picture := get(v.t, page+"/qr.png", "image/png")
	if got := readQR(v.t, picture); got != page {
		v.t.Errorf("the QR code says %q", got)
	}
}

// copies presses the button that copies the link, and looks into the clipboard.
func (v visit) copies() {
	v.t.Helper()
	for _, what := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(v.ctx, browser.SetPermission, browser.SetPermissionParams{Origin: v.g.URL, Setting: browser.PermissionSettingGranted,
			Permission: &browser.PermissionDescriptor{Name: what, AllowWithoutSanitization: what == "clipboard-read"}})
		must(v.t, err)
	}
	v.click(`[data-copy="link"]`)
	v.sees(false, "Copied")
	got, err := chromedp.Run(v.ctx, chromedp.Evaluate[string](`navigator.clipboard.readText()`, chromedp.EvalAwaitPromise))
	if want := v.eval(`document.querySelector("#link").value`); err != nil || got != want {
		v.t.Errorf("copied was %q, %v, want %q", got, err, want)
	}
}

// readQR reads the text out of a picture of an undamaged QR code of the versions
// 1 to 6 with a quiet zone of four modules (ISO/IEC 18004).
func readQR(t testing.TB, picture []byte) string {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(picture))
	must(t, err)
	black := func(x, y int) bool { r, _, _, _ := img.At(x, y).RGBA(); return r < 0x8000 }
	width, edge := img.Bounds().Dx(), 0
	for !black(edge, edge) {
		edge++
	}
	scale := edge / 4
	size := width/scale - 8
	at := func(x, y int) bool { return black(edge+x*scale+scale/2, edge+y*scale+scale/2) }
	version := (size - 17) / 4
	if version < 1 || version > 6 || size != version*4+17 {
		t.Fatalf("a QR code of %d modules, %d pixels each", size, scale)
	}
	format := 0
	for i := range 15 {
		x, y := 8, i
		switch {
		case i >= 9:
			x, y = 14-i, 8
		case i == 8:
			x, y = 7, 8
		case i >= 6:
			y = i + 1
		}
		if at(x, y) {
			format |= 1 << i
		}
	}
	format = (format ^ 0x5412) >> 10
	return text8(t, joined(modules(size, format&7, at), version, format>>3))
}

// modules reads the codewords in their order, without the mask.
func modules(size, mask int, at func(x, y int) bool) []byte {
	function := func(x, y int) bool {
		return x == 6 || y == 6 || x < 9 && y < 9 || x < 9 && y >= size-8 || x >= size-8 && y < 9 ||
			size > 21 && x >= size-9 && x < size-4 && y >= size-9 && y < size-4
	}
	masks := [8]func(x, y int) int{
		func(x, y int) int { return (x + y) % 2 }, func(_, y int) int { return y % 2 }, func(x, _ int) int { return x % 3 }, func(x, y int) int { return (x + y) % 3 },
		func(x, y int) int { return (x/3 + y/2) % 2 }, func(x, y int) int { return x*y%2 + x*y%3 },
		func(x, y int) int { return (x*y%2 + x*y%3) % 2 }, func(x, y int) int { return ((x+y)%2 + x*y%3) % 2 },
	}
	var out []byte
	bits := 0
	for right := size - 1; right >= 1; right -= 2 {
		if right == 6 {
			right = 5
		}
		for step := range size * 2 {
			x, y := right-step%2, step/2
			if (right+1)&2 == 0 {
				y = size - 1 - y
			}
			if function(x, y) {
				continue
			}
			if bits%8 == 0 {
				out = append(out, 0)
			}
			if at(x, y) != (masks[mask](x, y) == 0) {
				out[len(out)-1] |= 0x80 >> (bits % 8)
			}
			bits++
		}
	}
	return out
}

// joined takes the blocks apart and returns the data of all; level is that of
// the format bits: M, L, H, Q.
func joined(words []byte, version, level int) []byte {
	raw := []int{26, 44, 70, 100, 134, 172}[version-1]
	blocks := [4][6]int{{1, 1, 1, 2, 2, 4}, {1, 1, 1, 1, 1, 2}, {1, 1, 2, 4, 4, 4}, {1, 1, 2, 2, 4, 4}}[level][version-1]
	check := [4][6]int{{10, 16, 26, 18, 24, 16}, {7, 10, 15, 20, 26, 18}, {17, 28, 22, 16, 22, 28}, {13, 22, 18, 26, 18, 24}}[level][version-1]
	short, long := raw/blocks-check, raw%blocks
	parts := make([][]byte, blocks)
	for i, w := range words[:raw-check*blocks] {
		to := i % blocks
		if i >= short*blocks { // the last blocks are one longer
			to = blocks - long + i - short*blocks
		}
		parts[to] = append(parts[to], w)
	}
	return bytes.Join(parts, nil)
}

// text8 reads one segment of bytes.
func text8(t testing.TB, data []byte) string {
	t.Helper()
	if data[0]>>4 != 4 {
		t.Fatalf("a QR code in the mode %d", data[0]>>4)
	}
	var out []byte
	for i := range int(data[0]<<4 | data[1]>>4) {
		out = append(out, data[i+1]<<4|data[i+2]>>4)
	}
	return string(out)
}
