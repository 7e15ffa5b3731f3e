package verify

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/jsonld"
)

// Input is what to verify: exactly one of the two.
type Input struct {
	URL  string // of an assertion, a credential, a badge, an issuer, a baked picture, or a page that links one
	Data []byte // JSON, a compact JWS or JWT, a baked PNG or SVG, or a URL as text
}

// Identifier is something that the presumed recipient is known by.
type Identifier struct {
	Type  openbadges.IdentityType
	Value string
}

// Options say how to verify. The zero value lacks only a Fetcher.
type Options struct {
	Fetcher Fetcher
	// Recipient: the badge must be made out to one of these. Empty: not asked.
	Recipient []Identifier
	// Now is the time at which the badge is to hold; nil means time.Now.
	Now func() time.Time
	// SkipImages leaves pictures unfetched.
	SkipImages bool

	MaxFetches  int           // requests in all; 40
	MaxDocument int64         // bytes of a JSON document; 1 MiB
	MaxImage    int64         // bytes of a picture; 16 MiB
	Timeout     time.Duration // in all; 30 s
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fetcher == nil {
		o.Fetcher = Offline{}
	}
	if o.MaxFetches <= 0 {
		o.MaxFetches = 40
	}
	if o.MaxDocument <= 0 {
		o.MaxDocument = 1 << 20
	}
	if o.MaxImage <= 0 {
		o.MaxImage = 16 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	return o
}

// Verify never fails: whatever goes wrong is in the Report.
func Verify(ctx context.Context, in Input, opt Options) Report {
	opt = opt.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, opt.Timeout)
	defer cancel()
	s := &session{ctx: ctx, opt: opt, now: opt.Now(), rep: &Report{Verification: "none"}, seen: map[string]fetched{}, left: &opt.MaxFetches, controllers: map[string]*controller{}}
	s.input(in, 0)
	s.rep.finish()
	return *s.rep
}

// session is one verification.
type session struct {
	ctx  context.Context // of this one call; the session does not outlive it
	opt  Options
	now  time.Time
	rep  *Report
	seen map[string]fetched
	left *int // fetches
	// controllers are the documents of issuers and keys, by id.
	controllers map[string]*controller
	depth       int // credentials that are looked at for the sake of another
}

// input finds out what the input is. depth counts pictures within pictures.
func (s *session) input(in Input, depth int) {
	data := bytes.TrimSpace(in.Data)
	switch {
	case depth > 2:
		s.rep.fail("input", "", "the badge is wrapped too often")
	case in.URL != "" && in.Data == nil:
		s.fromURL(strings.TrimSpace(in.URL), depth)
	case bake.Detect(in.Data) != "":
		s.fromImage(in.Data, depth)
	case len(data) == 0:
		s.rep.fail("input", "", "there is nothing to verify")
	case data[0] == '{' || data[0] == '[':
		s.fromJSON(in.Data)
	case isWebURL(string(data)):
		s.fromURL(string(data), depth)
	case looksLikeJWS(data):
		s.rep.pass("input", "", "a signed badge (JWS)")
		s.fromJWS(string(data))
	case isPage(Resource{Body: data}) && depth == 0 && s.fromPage("", data, depth):
	default:
		s.rep.fail("input", "", "neither a web address, nor JSON, nor a signed badge, nor a picture with a badge in it")
	}
}

func (s *session) fromImage(image []byte, depth int) {
	p, err := bake.Unbake(image)
	if err != nil {
		s.rep.fail("input", "", "no badge could be read from the picture: %v", err)
		return
	}
	s.rep.pass("input", "", "a picture with a badge baked in")
	id := bakedID(p.Text)
	for _, f := range p.Further {
		if other := bakedID(f); !sameBadge(id, other) {
			s.rep.fail("image", "", "the picture carries two badges: %s, and %s, which another reader might take", clip(id), clip(other))
			break
		}
	}
	s.input(Input{Data: p.Text}, depth+1)
}

const acceptBadge = "application/ld+json, application/json, image/png, image/svg+xml, application/vc+ld+json, application/vc, application/vc+jwt, application/jwt, text/plain;q=0.5"

func (s *session) fromURL(url string, depth int) {
	if err := checkWebURL(url); err != nil {
		s.rep.fail("input", "", "%v", err)
		if errors.Is(err, errUserName) {
			s.rep.fail("scope", "", "a user name before the host looks like an issuer and is none: what counts is the host behind it")
		}
		return
	}
	res, err := s.get(url, acceptBadge, s.opt.MaxImage)
	if err != nil {
		s.unreachable("hosting", url, err)
		return
	}
	if res.Status == http.StatusOK {
		data := bytes.TrimSpace(res.Body)
		switch {
		case bake.Detect(res.Body) != "":
			s.fromImage(res.Body, depth)
			return
		case looksLikeJWS(data):
			s.rep.pass("input", url, "the address of a signed badge")
			s.fromJWS(string(data))
			return
		case depth == 0 && isPage(res):
			base := url
			if res.URL != "" {
				base = res.URL
			}
			if s.fromPage(base, res.Body, depth) {
				return
			}
		}
	}
	doc, raw, ok := s.document(url, "assertion")
	if !ok {
		return
	}
	s.rep.pass("input", url, "the address of a badge document")
	s.hostedDocument(url, doc, raw)
}

func (s *session) fromJSON(data []byte) {
	if int64(len(data)) > s.opt.MaxDocument {
		s.rep.fail("input", "", "the document is larger than %d bytes", s.opt.MaxDocument)
		return
	}
	// Most documents that speak of credentials are of 3.0, which is read once, and
	// strictly.
	if bytes.Contains(data, []byte("credentials")) {
		doc, err := jsonld.ParseObject(data, s.limits())
		if err == nil && versionOf(doc) == openbadges.V30 {
			s.rep.pass("input", "", "a JSON document")
			s.rep.Version, s.rep.Verification = string(openbadges.V30), "proof"
			s.credential(&credential{doc: doc, raw: data})
			return
		}
	}
	doc, err := parseObject(data)
	if err != nil {
		s.rep.fail("format", "", "%v", err)
		return
	}
	s.rep.pass("input", "", "a JSON document")
	version := versionOf(doc)
	s.rep.Version = string(version)
	switch {
	case version == openbadges.V30:
		s.credentialJSON("", data)
		return
	case version == version05:
		s.rep.fail("hosting", "", "an Open Badges 0.5 document does not say where it is hosted; verify its address")
		return
	case version == "" && (!isRevoked(doc) || !isWebURL(idOf(doc))):
		s.rep.fail("context", idOf(doc), "the document names no Open Badges context")
		return
	}
	if t := verificationTypeOf(doc); t == "signed" {
		s.rep.Verification = "signed"
		s.rep.fail("proof", idOf(doc), "the badge says that it is signed, but the signature is missing")
		return
	}
	url := idOf(doc)
	if v := object(doc["verify"]); !isWebURL(url) && v != nil {
		url, _ = v["url"].(string) // OB 1.0 has no id
	}
	if err := checkWebURL(url); err != nil {
		s.rep.fail("hosting", "", "the document's id is no web address, so nothing confirms it")
		return
	}
	// The local copy only supplies the address: what is hosted there counts.
	hosted, raw, ok := s.document(url, "assertion")
	if !ok {
		return
	}
	if !sameJSON(doc, hosted) {
		s.rep.warn("hosting", url, "the copy that was given differs from the hosted one; the hosted one counts")
	}
	s.hostedDocument(url, hosted, raw)
}
