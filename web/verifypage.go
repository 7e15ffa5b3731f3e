package web

import (
	"encoding/json"
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
	in, err := verifyInput(v.Input, v.Recipient)
	if err == nil && in.URL == "" && in.Data == nil {
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

// verifyInput tells an address from a document. recipient is "type:identity", or
// an e-mail address.
func verifyInput(text, recipient string) (verifyRequest, error) {
	in := verifyRequest{}
	if recipient != "" {
		id := verify.Identifier{Type: openbadges.IdentityEmail, Value: recipient}
		switch kind, value, ok := strings.Cut(recipient, ":"); openbadges.IdentityType(kind) {
		case openbadges.IdentityEmail, openbadges.IdentityURL, openbadges.IdentityTelephone, openbadges.IdentityID:
			if ok {
				id = verify.Identifier{Type: openbadges.IdentityType(kind), Value: value}
			}
		}
		in.Recipient = []verify.Identifier{id}
	}
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

// apiVerify is POST /api/v1/verify: JSON {"input": …, "recipient": …} where
// input is an address or a document (a string, or a JSON object as it is), or a
// multipart form with file and recipient.
func (s *Server) apiVerify(c *gin.Context) {
	if !s.allow(c, "verify", 60, time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	in, err := apiverifyRequest(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	writeJSON(c, http.StatusOK, s.verify(c.Request.Context(), in.Input, in.options()))
}

func apiverifyRequest(c *gin.Context) (verifyRequest, error) {
	if strings.HasPrefix(c.ContentType(), "multipart/") {
		if _, err := c.MultipartForm(); err != nil {
			return verifyRequest{}, fmt.Errorf("%w: %w", errBadInput, err)
		}
		in, err := verifyInput("", strings.TrimSpace(c.PostForm("recipient")))
		if err == nil {
			in.Data, err = uploaded(c, "file")
		}
		if err == nil && len(in.Data) == 0 {
			err = &fieldError{Field: "file", Key: "verify-nothing"}
		}
		return in, err
	}
	var body struct {
		Input     json.RawMessage `json:"input"`
		Recipient string          `json:"recipient"`
	}
	if err := json.NewDecoder(c.Request.Body).Decode(&body); err != nil {
		return verifyRequest{}, fmt.Errorf("%w: %w", errBadInput, err)
	}
	var text string
	if json.Unmarshal(body.Input, &text) != nil {
		// A document as a JSON object is taken as the bytes that came.
		in, err := verifyInput("", body.Recipient)
		in.Data = body.Input
		return in, err
	}
	in, err := verifyInput(strings.TrimSpace(text), body.Recipient)
	if err == nil && in.URL == "" && len(in.Data) == 0 {
		err = &fieldError{Field: "input", Key: "verify-nothing"}
	}
	return in, err
}
