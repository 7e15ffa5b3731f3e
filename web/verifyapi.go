package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges/verify"
)

// maxRecipients bounds how many identifiers one call may compare.
const maxRecipients = 20

// apiVerify is POST /api/v1/verify; api/openapi.yaml says what it takes.
func (s *Server) apiVerify(c *gin.Context) {
	if !s.allow(c, "verify", 60, time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	in, err := readVerifyRequest(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	writeJSON(c, http.StatusOK, s.verify(c.Request.Context(), in.Input, in.options()))
}

// readVerifyRequest takes a form with a file, a JSON request, or a badge as it
// is, by the content type.
func readVerifyRequest(c *gin.Context) (verifyRequest, error) {
	switch kind := c.ContentType(); {
	case strings.HasPrefix(kind, "multipart/"):
		return formVerifyRequest(c)
	case kind == "application/json", kind == "":
		return jsonVerifyRequest(c)
	default:
		in := verifyRequest{Recipient: identifiers(c.QueryArray("recipient"))}
		body, err := io.ReadAll(c.Request.Body)
		if err != nil {
			return in, fmt.Errorf("%w: %w", errBadInput, err)
		}
		in.Data = body
		return in, given(in, "body")
	}
}

func formVerifyRequest(c *gin.Context) (in verifyRequest, err error) {
	if _, err := c.MultipartForm(); err != nil {
		return in, fmt.Errorf("%w: %w", errBadInput, err)
	}
	in.Recipient = identifiers(c.PostFormArray("recipient"))
	if in.Data, err = uploaded(c, "file"); err != nil {
		return in, err
	}
	return in, given(in, "file")
}

func jsonVerifyRequest(c *gin.Context) (in verifyRequest, err error) {
	var body struct {
		Input     json.RawMessage `json:"input"`
		URL       *string         `json:"url"`
		Badge     json.RawMessage `json:"badge"`
		Recipient json.RawMessage `json:"recipient"`
	}
	dec := json.NewDecoder(c.Request.Body)
	if err := dec.Decode(&body); err != nil {
		return in, fmt.Errorf("%w: %w", errBadInput, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return in, fmt.Errorf("%w: more than one JSON value", errBadInput)
	}
	if in.Recipient, err = recipientsOf(body.Recipient); err != nil {
		return in, err
	}
	field, n := "input", 0
	for name, is := range map[string]bool{"input": set(body.Input), "badge": set(body.Badge), "url": body.URL != nil} {
		if is {
			field = name
			n++
		}
	}
	if n > 1 {
		return in, &fieldError{Field: field, Key: "verify-both"}
	}
	switch field {
	case "url":
		found, err := verifyInput(strings.TrimSpace(*body.URL))
		if err != nil || found.URL == "" {
			return in, &fieldError{Field: "url", Key: "verify-url"}
		}
		in.Input = found
	case "badge":
		in.Data = badgeText(body.Badge)
	default:
		in.Input, err = verifyInput(strings.TrimSpace(string(badgeText(body.Input))))
	}
	if err != nil {
		return in, err
	}
	return in, given(in, field)
}

func set(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

// badgeText is a badge in a JSON request: a string is its text, anything else is
// taken as the bytes that came.
func badgeText(raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	return raw
}

func given(in verifyRequest, field string) error {
	if in.URL == "" && len(bytes.TrimSpace(in.Data)) == 0 {
		return &fieldError{Field: field, Key: "verify-nothing"}
	}
	return nil
}

// recipientsOf reads one identifier or a list of them.
func recipientsOf(raw json.RawMessage) ([]verify.Identifier, error) {
	if !set(raw) {
		return nil, nil
	}
	var list []string
	var one string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		list = []string{one}
	case json.Unmarshal(raw, &list) != nil, len(list) > maxRecipients:
		return nil, &fieldError{Field: "recipient", Key: "verify-recipient"}
	}
	return identifiers(list), nil
}
