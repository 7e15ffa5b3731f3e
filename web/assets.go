package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// asset is a static file. These alone are compressed, once: they are the same for
// everybody. A page may hold what its reader alone knows beside what came with
// the request, and the length of such a page, compressed, tells of the first to
// whoever chooses the second (BREACH).
type asset struct {
	body           []byte
	mediaType, tag string
	zipped         func() []byte // nil: the format is compressed already
}

func (p *pages) loadAssets(hue int) error {
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		return fmt.Errorf("load static files: %w", err)
	}
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png"}
	for _, e := range entries {
		body, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			return fmt.Errorf("load static files: %w", err)
		}
		if e.Name() == "app.css" && hue > 0 && hue <= 360 {
			body = append(body, fmt.Sprintf("\n:root { --hue: %d }\n", hue)...)
		}
		sum := sha256.Sum256(body)
		a := asset{body: body, mediaType: types[path.Ext(e.Name())], tag: hex.EncodeToString(sum[:6])}
		if a.mediaType != "image/png" {
			a.zipped = sync.OnceValue(func() []byte { return zipped(body) })
		}
		p.assets[e.Name()] = a
	}
	return nil
}

// zipped compresses as well as it can; the files are few and small. nil: it is
// not to be had.
func zipped(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil
	}
	return b.Bytes()
}

func (s *Server) serveAsset(c *gin.Context) {
	a, ok := s.pages.assets[c.Param("name")]
	if !ok {
		s.fail(c, errNoAsset)
		return
	}
	body, tag := a.body, a.tag
	if a.zipped != nil {
		c.Header("Vary", "Accept-Encoding")
		if small := a.zipped(); small != nil && takesGzip(c.Request.Header["Accept-Encoding"]) {
			// Other bytes are another representation: it has a tag of its own.
			body, tag = small, a.tag+"-gzip"
			c.Header("Content-Encoding", "gzip")
		}
	}
	c.Header("ETag", `"`+tag+`"`)
	if c.Query("v") == a.tag {
		c.Header("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		c.Header("Cache-Control", "public, max-age=300")
	}
	if c.GetHeader("If-None-Match") == `"`+tag+`"` {
		c.Status(http.StatusNotModified)
		return
	}
	c.Data(http.StatusOK, a.mediaType, body)
}

// takesGzip reads Accept-Encoding (RFC 9110, 12.5.3). Who does not name gzip, or
// gives it the weight 0, gets the file as it is.
func takesGzip(accept []string) bool {
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		if !found {
			return true
		}
		n, err := strconv.ParseFloat(q, 64)
		return err == nil && n > 0
	}
	return false
}

// assetURL is the address of a static file, with its version.
func (p *pages) assetURL(name string) string {
	return "/static/" + name + "?v=" + p.assets[name].tag
}
