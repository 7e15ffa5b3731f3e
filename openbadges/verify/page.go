package verify

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"badgebridge/openbadges/bake"
)

// Bounds of looking for a badge in a page for people.
const (
	maxPage       = 2 << 20
	maxPageTokens = 100_000
	maxPageLinks  = 8 // that are tried
)

// lead is a place in a page that may lead to its badge; the best has the lowest
// rank.
type lead struct {
	rank int
	url  string
	data []byte // a document within the page
}

// Ranks, in the order of how clearly a page means the badge by it.
const (
	rankAlternate = iota // <link rel="alternate" type="application/ld+json">
	rankScript           // <script type="application/ld+json">
	rankMeta             // <meta name="openbadges:assertion">, data-assertion="…"
	rankLink             // <a href="….json">
	rankPicture          // og:image, <img>
)

// isPage tells a page for people.
func isPage(r Resource) bool {
	start := bytes.TrimSpace(bytes.TrimPrefix(r.Body[:min(len(r.Body), 512)], []byte("\xef\xbb\xbf")))
	return looksLikeHTML(r) || bytes.HasPrefix(start, []byte("<")) && strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")
}

// fromPage looks for the badge that a public page shows, and verifies it. The
// page is only a signpost: nothing that it says counts. base is its address, ""
// when it was given as a file.
func (s *session) fromPage(base string, page []byte, depth int) bool {
	leads := pageLeads(base, page)
	tried := map[string]bool{}
	for _, l := range leads {
		if l.data != nil {
			if doc, err := parseObject(l.data); err != nil || !isBadge(doc) {
				continue
			}
			s.rep.pass("input", base, "a page that holds its badge")
			s.input(Input{Data: l.data}, depth+1)
			return true
		}
		if l.url == base || tried[l.url] || len(tried) == maxPageLinks || checkWebURL(l.url) != nil {
			continue
		}
		tried[l.url] = true
		res, err := s.get(l.url, acceptBadge, s.opt.MaxImage)
		if err != nil || res.Status != http.StatusOK && res.Status != http.StatusGone {
			continue
		}
		if holdsBadge(res.Body) {
			s.rep.pass("input", base, "a page that leads to the badge at %s", clip(l.url))
			s.fromURL(l.url, depth+1)
			return true
		}
	}
	return false
}

func holdsBadge(body []byte) bool {
	if bake.Detect(body) != "" {
		_, err := bake.Unbake(body)
		return err == nil
	}
	if looksLikeJWS(bytes.TrimSpace(body)) {
		return true
	}
	doc, err := parseObject(body)
	return err == nil && isBadge(doc)
}

// isBadge tells an assertion or a credential from other JSON that a page links.
func isBadge(doc map[string]any) bool {
	if versionOf(doc) == "" {
		return false
	}
	types := typesOf(doc)
	return len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return t == "Assertion" || t == "VerifiableCredential" })
}

// pageLeads collects what may lead to the badge, best first.
func pageLeads(base string, page []byte) []lead {
	from, err := url.Parse(base)
	if err != nil {
		return nil
	}
	var out []lead
	add := func(rank int, ref string) {
		u, err := from.Parse(strings.TrimSpace(ref))
		if ref == "" || err != nil || u.Scheme != "https" && u.Scheme != "http" {
			return
		}
		u.Fragment = ""
		out = append(out, lead{rank: rank, url: u.String()})
	}
	z := html.NewTokenizer(bytes.NewReader(page[:min(len(page), maxPage)]))
	z.SetMaxBuf(1 << 20)
	script := false
	for range maxPageTokens {
		t := z.Next()
		if t == html.ErrorToken {
			break
		}
		if t == html.TextToken && script {
			if text := bytes.TrimSpace(z.Text()); len(text) > 0 {
				out = append(out, lead{rank: rankScript, data: bytes.Clone(text)})
			}
		}
		script = false
		if t != html.StartTagToken && t != html.SelfClosingTagToken {
			continue
		}
		name, _ := z.TagName()
		tag := string(name)
		a := attributes(z)
		for k, v := range a {
			if strings.HasPrefix(k, "data-") && (strings.Contains(k, "assertion") || strings.Contains(k, "badge") || strings.Contains(k, "credential")) && isWebURL(v) {
				add(rankMeta, v)
			}
		}
		switch tag {
		case "link":
			if slices.Contains(strings.Fields(strings.ToLower(a["rel"])), "alternate") && isDocumentType(a["type"]) {
				add(rankAlternate, a["href"])
			}
		case "script":
			script = isDocumentType(a["type"])
		case "meta":
			switch key := strings.ToLower(a["name"] + a["property"] + a["itemprop"]); {
			case strings.Contains(key, "assertion"), strings.HasPrefix(key, "openbadge"), strings.HasPrefix(key, "badge:"):
				add(rankMeta, a["content"])
			case key == "og:image", key == "og:image:url", key == "twitter:image":
				add(rankPicture, a["content"])
			}
		case "a":
			if href := strings.ToLower(a["href"]); isDocumentType(a["type"]) || strings.Contains(href, ".json") || strings.Contains(href, "assertion") || strings.HasSuffix(href, ".jwt") || strings.Contains(href, "baked") {
				add(rankLink, a["href"])
			}
		case "img":
			add(rankPicture, a["src"])
		}
	}
	slices.SortStableFunc(out, func(x, y lead) int { return x.rank - y.rank })
	return out
}

func attributes(z *html.Tokenizer) map[string]string {
	out := map[string]string{}
	for more := true; more; {
		var k, v []byte
		k, v, more = z.TagAttr()
		if _, there := out[string(k)]; !there && len(k) > 0 {
			out[string(k)] = string(v)
		}
	}
	return out
}

// isDocumentType knows the media types that badges are served as.
func isDocumentType(t string) bool {
	t, _, _ = strings.Cut(strings.ToLower(t), ";")
	switch strings.TrimSpace(t) {
	case "application/ld+json", "application/json", "application/vc+ld+json", "application/vc", "application/vc+jwt", "application/jwt", "application/badge+json":
		return true
	}
	return false
}
