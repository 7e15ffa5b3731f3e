package verify

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
)

// image checks that a picture of OB 0.5 to 2.0 is there and is a PNG or an SVG,
// told by its content, and that it carries no other badge. A fault in the
// member's form was reported with the schema. id is the badge at hand.
func (s *session) image(node, what, id string, v any) {
	src, _ := single(v).(string)
	if m := object(v); m != nil {
		src = idOf(m)
	}
	if src == "" || s.rep.failed("image", node) {
		return
	}
	if s.opt.SkipImages {
		s.rep.skip("image", node, "pictures were not asked for")
		return
	}
	if data, ok := strings.CutPrefix(src, "data:"); ok {
		if what == "assertion" && s.rep.Version == string(openbadges.V20) {
			s.rep.fail("image", node, "the assertion's picture is within the document; Open Badges 2.0 allows that for a badge alone")
			return
		}
		content, good := dataURI(data)
		if !good || bake.Detect(content) == "" {
			s.rep.fail("image", node, "the %s's picture is neither PNG nor SVG", what)
			return
		}
		s.carries(node, what, id, content, what == "assertion")
		return
	}
	if checkWebURL(src) != nil {
		s.rep.fail("image", node, "the %s's picture has no web address", what)
		return
	}
	res, err := s.get(src, "image/png, image/svg+xml", s.opt.MaxImage)
	switch {
	case err != nil:
		s.rep.undecided("image", node, "the %s's picture could not be fetched: %v", what, err)
	case res.Status == http.StatusNotFound || res.Status == http.StatusGone:
		s.rep.fail("image", node, "the %s's picture is not there (HTTP %d)", what, res.Status)
	case res.Status != http.StatusOK:
		s.rep.undecided("image", node, "the %s's picture could not be fetched: its host answers HTTP %d", what, res.Status)
	case bake.Detect(res.Body) == "":
		s.rep.fail("image", node, "the %s's picture is neither PNG nor SVG", what)
	default:
		s.carries(node, what, id, res.Body, what == "assertion")
	}
}

// isPictureData knows a picture within a document. Many writers leave the blanks
// and quotes of an SVG as they are, which an IRI would not have.
func isPictureData(s string) bool { return strings.HasPrefix(s, "data:image/") }

// dataURI decodes what follows "data:".
func dataURI(s string) ([]byte, bool) {
	head, body, ok := strings.Cut(s, ",")
	if !ok || !strings.HasPrefix(head, "image/") {
		return nil, false
	}
	if strings.HasSuffix(head, ";base64") {
		body = strings.TrimRight(body, "=")
		b, err := base64.RawStdEncoding.DecodeString(body)
		return b, err == nil
	}
	text, err := url.PathUnescape(body)
	return []byte(text), err == nil
}
