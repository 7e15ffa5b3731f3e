package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"badgebridge/auth/session"
	"badgebridge/web/locale"
)

//go:embed templates static
var files embed.FS

// pages is every template by language. Each is parsed when it is first shown: all
// of them in all languages take longer than the rest of the start.
type pages struct {
	byLang map[string]map[string]parsing
	assets map[string]asset
	md     *markdown
}

// parsing gives a template, parsed once.
type parsing = func() (*template.Template, error)

func loadPages(words *locale.Bundle, cfg Config) (*pages, error) {
	p := &pages{byLang: map[string]map[string]parsing{}, assets: map[string]asset{}, md: newMarkdown()}
	if err := p.loadAssets(cfg.Hue); err != nil {
		return nil, err
	}
	for _, lang := range words.Languages() {
		w := words.For(lang, "")
		base := sync.OnceValues(func() (*template.Template, error) {
			t := template.New("layout").Funcs(p.funcs(w, cfg))
			for _, name := range []string{"layout", "parts", "parts-shelf"} { // what several pages are made of
				if err := parse(t, name); err != nil {
					return nil, err
				}
			}
			return t, nil
		})
		set := map[string]parsing{}
		err := fs.WalkDir(files, "templates", func(name string, d fs.DirEntry, err error) error {
			page := strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".html")
			if err != nil || d.IsDir() || page == "layout" || strings.HasPrefix(page, "parts") {
				return err
			}
			set[page] = sync.OnceValues(func() (*template.Template, error) {
				t, err := base()
				if err == nil {
					t, err = t.Clone()
				}
				if err == nil {
					err = parse(t, page)
				}
				return t, err
			})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("load pages: %w", err)
		}
		p.byLang[lang] = set
	}
	return p, nil
}

// parse adds a file to what t knows.
func parse(t *template.Template, name string) error {
	text, err := files.ReadFile("templates/" + name + ".html")
	if err == nil {
		_, err = t.Parse(string(text))
	}
	if err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return nil
}

// page gives a page in a language, ready to be shown.
func (p *pages) page(lang, name string) (*template.Template, error) {
	get := p.byLang[lang][name]
	if get == nil {
		return nil, fmt.Errorf("no page %q", name)
	}
	return get()
}

// frame is what the layout shows round a page; D is the page's own.
type frame struct {
	Lang    string
	Page    string
	Path    string
	Title   string
	Site    string
	Logo    string
	Visitor *visitor
	InAdmin bool
	Section string // the current entry of the navigation
	Flashes []session.Flash
	Demo    bool
	Mailbox bool
	Version string
	Notices []noticeView
	Refresh int // seconds; 0 none
	Index   bool
	D       any
}

// render writes a page. The template runs into a buffer, so that an error gives
// the error page and not half a page.
func (s *Server) render(c *gin.Context, status int, page string, data any) {
	w := s.wordsOf(c)
	f := s.frame(c, page, w)
	f.D = data
	if r, ok := data.(interface{ refresh() int }); ok {
		f.Refresh = r.refresh()
	}
	if t, ok := data.(interface{ title(*locale.Words) string }); ok {
		f.Title = t.title(w)
	}
	var b bytes.Buffer
	t, err := s.pages.page(w.Lang, page)
	if err == nil {
		err = t.ExecuteTemplate(&b, "layout", f)
	}
	if err != nil {
		s.cfg.Log.ErrorContext(c.Request.Context(), "page failed", "page", page, "error", err)
		c.Data(http.StatusInternalServerError, "text/plain; charset=utf-8", []byte(w.T("fail.broken.text")+"\n"))
		c.Abort()
		return
	}
	if c.Writer.Header().Get("Cache-Control") == "" {
		c.Header("Cache-Control", "no-store")
	}
	c.Header("Vary", "Accept, Accept-Language, Cookie")
	c.Data(status, "text/html; charset=utf-8", b.Bytes())
}

func (s *Server) wordsOf(c *gin.Context) *locale.Words {
	return s.words.For("", c.GetHeader("Accept-Language"))
}

// writeJSON writes v without HTML escapes.
func writeJSON(c *gin.Context, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Data(status, "application/json; charset=utf-8", b.Bytes())
}

func queryEscape(s string) string { return url.QueryEscape(s) }
