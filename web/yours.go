package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
	"badgebridge/sync/archive"
)

const (
	// transferTime bounds an export or an upload of one.
	transferTime = 10 * time.Minute
	// restoreTime bounds the work on an upload.
	restoreTime = time.Hour
	// restoreKept is how long one can see what became of it.
	restoreKept = 24 * time.Hour
	// restoreStale is when a restore that says nothing has ended with its process.
	restoreStale = 3 * time.Minute
)

// slow tells the paths whose answers may take longer than a page.
func slow(path string) bool { return path == "/me/export.zip" || path == "/me/restore" }

func (s *Server) yoursPage(c *gin.Context) { s.render(c, http.StatusOK, "yours", yoursView{}) }

type yoursView struct {
	Problem string // key under "error."
}

// export streams everything that the visitor has.
func (s *Server) export(c *gin.Context) {
	v := visitorOf(c)
	if !s.allowKey(c, "export:"+v.PersonID, 10, 10*time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(transferTime))
	c.Header("Content-Type", "application/zip")
	c.Header("Content-Disposition", `attachment; filename="badges-`+s.cfg.Now().UTC().Format(time.DateOnly)+`.zip"`)
	c.Header("Cache-Control", "private, no-store")
	if c.Request.Method == http.MethodHead {
		return
	}
	if err := s.cfg.Archive.Write(c.Request.Context(), c.Writer, v.PersonID); err != nil {
		s.cfg.Log.ErrorContext(c.Request.Context(), "export failed", "id", requestIDOf(c.Request.Context()), "error", err)
		panic(http.ErrAbortHandler) // the browser sees a download that broke off, not a whole one
	}
}

// restoring is what is kept of a restore while somebody may look.
type restoring struct {
	PersonID string           `json:"person"`
	State    string           `json:"state"` // "running", "done", "failed"
	Problem  string           `json:"problem,omitempty"`
	At       time.Time        `json:"at"`
	Progress archive.Progress `json:"progress"`
}

func restoreKey(id string) string { return "restore/" + id }

// restore takes an archive and reads it beside the request.
func (s *Server) restore(c *gin.Context) {
	v := visitorOf(c)
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(transferTime))
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(transferTime))
	if !s.allowKey(c, "restore:"+v.PersonID, 5, 10*time.Minute) {
		s.fail(c, errTooMany)
		return
	}
	head, err := c.FormFile("file")
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		s.render(c, http.StatusRequestEntityTooLarge, "yours", yoursView{Problem: "restore-large"})
		return
	case err != nil || head.Size == 0:
		s.render(c, http.StatusUnprocessableEntity, "yours", yoursView{Problem: "restore-nothing"})
		return
	}
	file, size, err := keepUpload(head)
	if err != nil {
		s.fail(c, fmt.Errorf("restore: %w", err))
		return
	}
	id := store.NewID()
	run := restoring{PersonID: v.PersonID, State: "running", At: s.cfg.Now()}
	if err := s.putRestoring(c.Request.Context(), id, run); err != nil {
		_ = file.Close()
		s.fail(c, fmt.Errorf("restore: %w", err))
		return
	}
	s.cfg.Go(func(stop context.Context) { s.readArchive(stop, id, run, file, size) })
	c.Redirect(http.StatusSeeOther, "/me/restore/"+id)
}

// keepUpload copies an upload to a file that has no name any more: it goes with the
// process, whatever happens.
func keepUpload(head *multipart.FileHeader) (*os.File, int64, error) {
	in, err := head.Open()
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = in.Close() }()
	out, err := os.CreateTemp("", "badges-*.zip")
	if err != nil {
		return nil, 0, err
	}
	_ = os.Remove(out.Name())
	size, err := io.Copy(out, io.LimitReader(in, archive.MaxSize+1))
	if err != nil {
		_ = out.Close()
		return nil, 0, err
	}
	return out, size, nil
}

func (s *Server) putRestoring(ctx context.Context, id string, r restoring) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.cfg.Store.PutSession(ctx, restoreKey(id), r.PersonID, data, s.cfg.Now().Add(restoreKept))
}

// readArchive does the work and says now and then how far it is.
func (s *Server) readArchive(stop context.Context, id string, run restoring, file *os.File, size int64) {
	ctx, cancel := context.WithTimeout(stop, restoreTime)
	defer cancel()
	defer func() { _ = file.Close() }()
	said := s.cfg.Now()
	progress, err := s.cfg.Archive.Read(ctx, run.PersonID, file, size, func(p archive.Progress) {
		if now := s.cfg.Now(); now.Sub(said) >= time.Second {
			run.Progress, run.At, said = p, now, now
			if err := s.putRestoring(ctx, id, run); err != nil {
				s.cfg.Log.WarnContext(ctx, "restore: progress not kept", "error", err)
			}
		}
	})
	run.Progress, run.At, run.State = progress, s.cfg.Now(), "done"
	if err != nil {
		run.Problem = restoreProblem(err)
		run.State = "failed"
		s.cfg.Log.WarnContext(ctx, "restore failed", "error", err)
	}
	last, end := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer end()
	if err := s.putRestoring(last, id, run); err != nil {
		s.cfg.Log.ErrorContext(last, "restore: outcome not kept", "error", err)
	}
}

func restoreProblem(err error) string {
	switch {
	case errors.Is(err, archive.ErrNoArchive):
		return "restore-none"
	case errors.Is(err, archive.ErrTooLarge):
		return "restore-large"
	case errors.Is(err, archive.ErrNewer):
		return "restore-newer"
	case errors.Is(err, archive.ErrDamaged):
		return "restore-damaged"
	}
	return "restore-broke"
}

type restoreView struct {
	restoring
	Stale bool
}

func (v restoreView) refresh() int {
	if v.State == "running" && !v.Stale {
		return 2
	}
	return 0
}

func (s *Server) restorePage(c *gin.Context) {
	var v restoreView
	data, err := s.cfg.Store.Session(c.Request.Context(), restoreKey(c.Param("id")), s.cfg.Now())
	if err == nil {
		err = json.Unmarshal(data, &v.restoring)
	}
	if err == nil && v.PersonID != visitorOf(c).PersonID {
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(c, fmt.Errorf("restore: %w", err))
		return
	}
	v.Stale = v.State == "running" && s.cfg.Now().Sub(v.At) > restoreStale
	s.render(c, http.StatusOK, "restore", v)
}
