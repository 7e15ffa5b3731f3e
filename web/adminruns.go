package web

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/web/locale"
)

type runsView struct {
	Runs   []store.Run
	Remote string
	Places map[adapters.Remote]string
}

func (v runsView) refresh() int {
	for _, r := range v.Runs {
		if r.State == store.RunGoing {
			return 5
		}
	}
	return 0
}

func (s *Server) runs(c *gin.Context) {
	ctx := c.Request.Context()
	v := runsView{Remote: c.Query("remote")}
	var err error
	if v.Runs, err = s.cfg.Store.Runs(ctx, adapters.Remote(v.Remote), 100); err == nil {
		v.Places, err = s.places(c)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("runs: %w", err))
		return
	}
	s.render(c, http.StatusOK, "admin/runs", v)
}

// places are the remotes' titles by name.
func (s *Server) places(c *gin.Context) (map[adapters.Remote]string, error) {
	list, err := s.cfg.Store.Remotes(c.Request.Context())
	if err != nil {
		return nil, err
	}
	out := make(map[adapters.Remote]string, len(list))
	for _, r := range list {
		out[r.Name] = string(r.Name)
		if r.Title != "" {
			out[r.Name] = r.Title
		}
	}
	return out, nil
}

type runView struct {
	store.Run
	Place string
	Live  bool
	Total int // what the remote had the last time; 0 unknown
}

func (v runView) title(w *locale.Words) string {
	return w.T("run.title-"+v.Kind, "Place", v.Place)
}

// refresh makes the page load itself again while the run goes on.
func (v runView) refresh() int {
	if v.Live {
		return 2
	}
	return 0
}

func (s *Server) run(c *gin.Context) {
	ctx := c.Request.Context()
	r, err := s.cfg.Store.Run(ctx, c.Param("id"))
	if err != nil {
		s.fail(c, fmt.Errorf("run: %w", err))
		return
	}
	v := runView{Run: r, Live: r.State == store.RunGoing}
	_, v.Place = s.remoteTitle(ctx, r.Remote)
	if v.Live {
		if seen, ok := s.limits.Progress(ctx, r.ID); ok && seen > v.Seen {
			v.Seen = seen
		}
		if r.Kind == "list" {
			if v.Total, err = s.cfg.Store.CountLinks(ctx, r.Remote); err != nil {
				s.fail(c, fmt.Errorf("run: %w", err))
				return
			}
		}
	}
	s.render(c, http.StatusOK, "admin/run", v)
}
