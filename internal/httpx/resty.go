package httpx

import (
	"net/http"

	"github.com/go-resty/resty/v2"
)

// Resty returns a resty client over hc for an adapter's calls below baseURL. It
// keeps no cookies, repeats nothing by itself (the queue of pushes decides about
// that: a repeated POST may award twice) and logs nothing.
func Resty(hc *http.Client, baseURL string) *resty.Client {
	return resty.NewWithClient(hc). // resty.New would share a cookie jar
					SetBaseURL(baseURL).
					SetRetryCount(0).
					SetDisableWarn(true).
					SetLogger(silent{})
}

// silent drops resty's own log lines, which quote URLs and headers.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
