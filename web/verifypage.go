package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
)

type verifyView struct {
	Input     string
	Recipient string
	Problem   string // key under "error."
	Done      bool
	Verdict   verdict
	Badge     *shownBadge
}

func (s *Server) verifyPage(c *gin.Context) {
	// An address may come in the query, so that a page can link here. It is
	// checked only when the person presses the button.
	s.render(c, http.StatusOK, "verify", verifyView{Input: c.Query("input"), Recipient: c.Query("recipient")})
}

func (s *Server) verifyForm(c *gin.Context) {
	v := verifyView{Input: strings.TrimSpace(c.PostForm("input")), Recipient: strings.TrimSpace(c.PostForm("recipient"))}
	var tooBig *http.MaxBytesError
	if _, err := c.MultipartForm(); errors.As(err, &tooBig) {
		v.Problem = "too-large"
		s.render(c, http.StatusRequestEntityTooLarge, "verify", v)
		return
	}
	in := verifyRequest{Recipient: identifiers([]string{v.Recipient})}
	var err error
	if in.Input, err = verifyInput(v.Input); err == nil && in.URL == "" && in.Data == nil {
		in.Data, err = uploaded(c, "file")
	}
	switch {
	case err != nil:
		v.Problem = "upload"
	case in.URL == "" && len(in.Data) == 0:
		v.Problem = "verify-nothing"
	case !s.allow(c, "verify", 30, time.Minute):
		s.fail(c, errTooMany)
		return
	}
	if v.Problem != "" {
		s.render(c, http.StatusUnprocessableEntity, "verify", v)
		return
	}
	v.Verdict, v.Done = judge(s.verify(c.Request.Context(), in.Input, in.options()), s.cfg.Now()), true
	v.Badge = shown(v.Verdict.Report, s.cfg.BaseURL(c.Request.Context()))
	s.render(c, http.StatusOK, "verify", v)
}

// verifyRequest is what to verify, and for whom.
type verifyRequest struct {
	verify.Input
	Recipient []verify.Identifier
}

func (r verifyRequest) options() verify.Options {
	return verify.Options{Recipient: r.Recipient, Timeout: requestTime - 5*time.Second}
}

// identifiers reads "type:identity"; without a type it is an e-mail address.
// Empty ones and those beyond maxRecipients are left out.
func identifiers(list []string) []verify.Identifier {
	var out []verify.Identifier
	for _, text := range list {
		text = strings.TrimSpace(text)
		if text == "" || len(out) == maxRecipients {
			continue
		}
		id := verify.Identifier{Type: openbadges.IdentityEmail, Value: text}
		switch kind, value, ok := strings.Cut(text, ":"); openbadges.IdentityType(kind) {
		case openbadges.IdentityEmail, openbadges.IdentityURL, openbadges.IdentityTelephone, openbadges.IdentityID:
			if ok {
				id = verify.Identifier{Type: openbadges.IdentityType(kind), Value: value}
			}
		}
		out = append(out, id)
	}
	return out
}

// verifyInput tells an address from a document.
func verifyInput(text string) (in verify.Input, err error) {
	switch {
	case text == "":
	case strings.HasPrefix(text, "https://"), strings.HasPrefix(text, "http://"):
		if strings.ContainsAny(text, " \n\t") || len(text) > 4000 {
			return in, errBadInput
		}
		in.URL = text
	default:
		in.Data = []byte(text)
	}
	return in, nil
}

// uploaded reads one file of a form; nil when none was chosen.
func uploaded(c *gin.Context, name string) ([]byte, error) {
	h, err := c.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadInput, err)
	}
	f, err := h.Open()
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, uploadLimit))
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	return b, nil
}
