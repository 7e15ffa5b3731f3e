package httpx

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Response is an answer, read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	URL    string // after redirects
}

// Fetch gets rawURL and reads the answer whatever its status is. accept may be
// "". maxBytes bounds the body below the client's own limit; 0 leaves that one.
// Errors: ErrTooLarge and those of the client; a status is no error.
func Fetch(ctx context.Context, client *http.Client, rawURL, accept string, maxBytes int64) (Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return Response{}, fmt.Errorf("fetch: %w", err)
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := client.Do(req)
	if err != nil {
		return Response{}, fmt.Errorf("fetch %s: %w", place(req.URL), plainCause(err))
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if maxBytes > 0 {
		body = &limitedBody{body: resp.Body, left: maxBytes, limit: maxBytes}
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return Response{}, fmt.Errorf("fetch %s: read the answer: %w", place(req.URL), err)
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: b, URL: resp.Request.URL.String()}, nil
}

// place names a URL in errors without its query and user, which may be secret.
func place(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// plainCause drops net/http's own prefix, which repeats the whole URL.
func plainCause(err error) error {
	if ue, ok := err.(*url.Error); ok { //nolint:errorlint // only the outermost one
		return ue.Err
	}
	return err
}
