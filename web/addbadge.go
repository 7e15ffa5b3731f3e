package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
	"badgebridge/sync/backpack"
)

// filesLimit bounds what one form may bring, all files together.
const filesLimit = 64 << 20

type addView struct {
	URL     string
	Problem string // key under "error.", "" none
	Fate    backpack.Fate
	Reason  backpack.Reason
	To      string // whom the badge is made out to, shortened
	Checks  []string
	Most    int // files at once
}

func (s *Server) addBadge(c *gin.Context) {
	s.render(c, http.StatusOK, "add", addView{Most: backpack.MaxFiles})
}

// pasted tells a badge that was pasted from an address: JSON, a JWS or a JWT.
var pasted = regexp.MustCompile(`^(?s:\s*\{.*\}\s*|\s*eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\s*)$`)

// addBadgeForm takes a badge by its address (Credly's public page, too), as text
// or as a file, verifies it, and keeps it for the visitor. Several files are
// looked at in the background.
func (s *Server) addBadgeForm(c *gin.Context) {
	v := addView{URL: strings.TrimSpace(c.PostForm("url")), Most: backpack.MaxFiles}
	var tooBig *http.MaxBytesError
	form, err := c.MultipartForm()
	if errors.As(err, &tooBig) {
		v.Problem = "too-large"
		s.render(c, http.StatusRequestEntityTooLarge, "add", v)
		return
	}
	var files []store.BatchFile
	if form != nil {
		defer func() { _ = form.RemoveAll() }()
		if files, v.Problem, err = brought(form.File["file"]); err != nil {
			s.fail(c, fmt.Errorf("add badges: %w", err))
			return
		}
	}
	in := backpack.Given{URL: v.URL, Source: "url"}
	switch {
	case v.Problem != "":
	case v.URL == "" && len(files) == 1:
		in = backpack.Given{Data: files[0].Body, Source: "file"}
	case v.URL == "" && len(files) == 0:
		v.Problem = "verify-nothing"
	case pasted.MatchString(v.URL):
		in = backpack.Given{Data: []byte(v.URL), Source: "file"}
	case v.URL != "" && (webAddress(v.URL) == "" || len(v.URL) > 4000):
		v.Problem = "upload"
	}
	if v.Problem != "" {
		s.render(c, http.StatusUnprocessableEntity, "add", v)
		return
	}
	if !s.allow(c, "collect", 30, time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	if v.URL == "" && len(files) > 1 {
		s.bringFiles(c, files)
		return
	}
	s.bringOne(c, in, v)
}

// brought reads the files of a form; problem is the key of what is wrong.
func brought(list []*multipart.FileHeader) (out []store.BatchFile, problem string, err error) {
	if len(list) > backpack.MaxFiles {
		return nil, "too-many-files", nil
	}
	for _, h := range list {
		if h.Filename == "" && h.Size == 0 {
			continue // no file was chosen
		}
		f, err := h.Open()
		if err != nil {
			return nil, "", err
		}
		// One byte more than is taken tells a file that is too large.
		body, err := io.ReadAll(io.LimitReader(f, backpack.MaxGiven+1))
		_ = f.Close()
		if err != nil {
			return nil, "", err
		}
		name := path.Base(strings.ReplaceAll(h.Filename, `\`, "/"))
		out = append(out, store.BatchFile{Name: cutText(oneLine(name), 120), Body: body})
	}
	return out, "", nil
}

func (s *Server) bringOne(c *gin.Context, in backpack.Given, v addView) {
	res, err := s.cfg.Backpack.Collect(c.Request.Context(), visitorOf(c).PersonID, in)
	if err != nil && !errors.Is(err, backpack.ErrNothing) {
		s.fail(c, fmt.Errorf("add a badge: %w", err))
		return
	}
	if err != nil {
		res = backpack.Result{Fate: backpack.Refused, Reason: backpack.ReasonUnreadable}
	}
	switch res.Fate {
	case backpack.Kept, backpack.Joined, backpack.Updated, backpack.Known:
		s.say(c, "ok", "added-"+string(res.Fate), nil)
		c.Redirect(http.StatusSeeOther, "/badges/"+res.AwardID)
		return
	}
	v.Fate, v.Reason, v.Checks = res.Fate, res.Reason, backpack.Failed(res.Report)
	if res.To != "" {
		v.To = shortAddress(res.To)
	}
	s.render(c, http.StatusUnprocessableEntity, "add", v)
}

func (s *Server) bringFiles(c *gin.Context, files []store.BatchFile) {
	for i := range files {
		if len(files[i].Body) > backpack.MaxGiven {
			files[i].Body, files[i].Done = nil, true
			files[i].Fate, files[i].Reason = string(backpack.Refused), string(backpack.ReasonTooLarge)
		}
	}
	id, err := s.cfg.Backpack.Bring(c.Request.Context(), visitorOf(c).PersonID, files)
	if err != nil {
		s.fail(c, fmt.Errorf("add badges: %w", err))
		return
	}
	c.Redirect(http.StatusSeeOther, "/badges/add/"+id)
}

// broughtFile is one file of a batch, told to people.
type broughtFile struct {
	store.BatchFile
	Sign, Tone string
	To         string
}

type batchView struct {
	Files  []broughtFile
	Done   int
	Counts map[string]int // by fate
	Fates  []string
}

func (v batchView) refresh() int {
	if v.Done < len(v.Files) {
		return 2
	}
	return 0
}

// batchPage tells what became of several files, and how far that is.
func (s *Server) batchPage(c *gin.Context) {
	files, err := s.cfg.Store.Batch(c.Request.Context(), visitorOf(c).PersonID, c.Param("batch"))
	if err != nil {
		s.fail(c, fmt.Errorf("files that were brought: %w", err))
		return
	}
	v := batchView{Counts: map[string]int{}}
	for _, f := range files {
		one := broughtFile{BatchFile: f, Sign: "…"}
		if f.Done {
			v.Done++
			v.Counts[f.Fate]++
			switch backpack.Fate(f.Fate) {
			case backpack.Refused:
				one.Sign, one.Tone = "✕", "bad"
			case backpack.Awaiting:
				one.Sign, one.Tone = "!", "warn"
			default:
				one.Sign, one.Tone = "✓", "ok"
			}
		}
		if f.MadeTo != "" {
			one.To = shortAddress(f.MadeTo)
		}
		v.Files = append(v.Files, one)
	}
	for _, fate := range []backpack.Fate{backpack.Kept, backpack.Joined, backpack.Updated, backpack.Known, backpack.Awaiting, backpack.Refused} {
		if v.Counts[string(fate)] > 0 {
			v.Fates = append(v.Fates, string(fate))
		}
	}
	s.render(c, http.StatusOK, "batch", v)
}
