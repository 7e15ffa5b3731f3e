package verify

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ReadResources reads the file of "verify --resources": a JSON object of URL ->
// {status, content_type, headers, body | body_base64}. A missing status is 200;
// members that are not known are ignored. Errors name the URL and the member.
func ReadResources(r io.Reader) (Offline, error) {
	dec := json.NewDecoder(r)
	var in map[string]json.RawMessage
	if err := dec.Decode(&in); err != nil || in == nil {
		return nil, fmt.Errorf(`the resources are no JSON object of URL to {"status": 200, "body": "…"}: %w`, why(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows the JSON object of the resources, near byte %d", dec.InputOffset())
	}
	out := make(Offline, len(in))
	for u, raw := range in {
		res, err := resource(raw)
		if err != nil {
			return nil, fmt.Errorf("the resource %s: %w", clip(u), err)
		}
		out[u] = res
	}
	return out, nil
}

// why keeps Go's types out of what people read.
func why(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return errors.New("it is null")
	case errors.Is(err, io.EOF):
		return errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("%w, near byte %d", err, syntax.Offset)
	}
	return errors.New("it is something else")
}

func resource(raw json.RawMessage) (Resource, error) {
	var in map[string]json.RawMessage
	if json.Unmarshal(raw, &in) != nil || in == nil {
		return Resource{}, errors.New(`it is no object; write for example {"status": 200, "content_type": "application/json", "body": "…"}`)
	}
	res := Resource{Status: http.StatusOK, Header: http.Header{}}
	var body, encoded *string
	var contentType string
	var headers map[string]string
	for _, m := range []struct {
		name, want string
		into       any
	}{
		{"status", "a number, for example 200", &res.Status}, {"content_type", "a text", &contentType},
		{"headers", `an object of name to text, for example {"Location": "https://…"}`, &headers},
		{"body", "a text; a JSON document has to be quoted as one", &body}, {"body_base64", "a text in base64", &encoded},
	} {
		if v, there := in[m.name]; there && json.Unmarshal(v, m.into) != nil {
			return Resource{}, fmt.Errorf("%s is %s: it has to be %s", m.name, clip(string(v)), m.want)
		}
	}
	if res.Status == 0 {
		res.Status = http.StatusOK
	}
	if res.Status < 100 || res.Status > 599 {
		return Resource{}, fmt.Errorf("status is %d, which is no status of HTTP (100 to 599)", res.Status)
	}
	switch {
	case body != nil && encoded != nil:
		return Resource{}, errors.New("it has both body and body_base64; leave one out")
	case body != nil:
		res.Body = []byte(*body)
	case encoded != nil:
		var err error
		if res.Body, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(*encoded, "=")); err != nil {
			return Resource{}, fmt.Errorf("body_base64 is no base64: %w", err)
		}
	}
	for k, v := range headers {
		res.Header.Set(k, v)
	}
	if contentType != "" {
		res.Header.Set("Content-Type", contentType)
	}
	return res, nil
}
