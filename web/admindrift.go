package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
	"badgebridge/sync/engine"
)

// driftLine is a mapping whose badge elsewhere changed.
type driftLine struct {
	mappingLine
	Version string // of the badge elsewhere, as it is shown here
	State   string
	Changes []changeLine
}

type changeLine struct {
	engine.Change
	WasImage, OursImage, NewImage string // addresses; "" for other fields
}

func (s *Server) driftLine(ctx context.Context, d engine.Drift) driftLine {
	line := driftLine{Version: d.B.VersionID, State: d.State}
	line.Mapping, line.A, line.B = d.Mapping, s.classLineOf(ctx, d.A), s.classLineOf(ctx, d.B)
	for _, ch := range d.Changes {
		cl := changeLine{Change: ch}
		if ch.Field == engine.FieldImage {
			cl.WasImage, cl.OursImage, cl.NewImage = s.imageAddress(ch.Was), s.imageAddress(ch.Ours), s.imageAddress(ch.New)
		}
		line.Changes = append(line.Changes, cl)
	}
	return line
}

func (s *Server) imageAddress(sha string) string {
	if sha == "" {
		return s.pages.assetURL("no-image.svg")
	}
	return "/ob/images/" + sha
}

// drift lists what changed elsewhere since an admin last looked.
func (s *Server) drift(c *gin.Context) {
	ctx := c.Request.Context()
	all, err := s.cfg.Engine.Drifts(ctx)
	if err != nil {
		s.fail(c, err)
		return
	}
	lines := make([]driftLine, 0, len(all))
	for _, d := range all {
		lines = append(lines, s.driftLine(ctx, d))
	}
	s.render(c, http.StatusOK, "admin/drift", lines)
}

// resolveDrift takes one mapping's answers: a field each.
func (s *Server) resolveDrift(c *gin.Context) {
	ctx, id := c.Request.Context(), c.Param("id")
	m, err := s.cfg.Store.Mapping(ctx, id)
	if err != nil {
		s.fail(c, fmt.Errorf("drift: %w", err))
		return
	}
	var take, keep []engine.Field
	for _, f := range engine.Fields() {
		switch c.PostForm("field-" + string(f)) {
		case "take":
			take = append(take, f)
		case "keep":
			keep = append(keep, f)
		case "", "later":
		default:
			s.fail(c, fmt.Errorf("field-%s: %w", f, errBadInput))
			return
		}
	}
	if len(take)+len(keep) == 0 {
		s.say(c, "note", "drift-nothing", nil)
		c.Redirect(http.StatusSeeOther, "/admin/drift")
		return
	}
	if err := s.cfg.Engine.Resolve(ctx, m.ID, c.PostForm("version"), take, keep); err != nil {
		s.fail(c, fmt.Errorf("resolve drift: %w", err))
		return
	}
	said := "drift-kept"
	if len(take) > 0 {
		said = "drift-taken"
	}
	s.say(c, "ok", said, nil)
	c.Redirect(http.StatusSeeOther, "/admin/drift")
}

// overviewDrift counts what changed elsewhere, and what is gone.
func (s *Server) overviewDrift(ctx context.Context, v *overviewView) error {
	all, err := s.cfg.Engine.Drifts(ctx)
	for _, d := range all {
		if len(d.Changes) > 0 {
			v.Drifted++
		}
		if d.State == engine.GoneState {
			v.Gone++
		}
	}
	return err
}

// going is an import that an overview points to.
func (s *Server) going(ctx context.Context) (*store.Import, error) {
	list, err := s.cfg.Store.Imports(ctx, 1)
	if err != nil || len(list) == 0 || list[0].State == store.ImportDone && list[0].Failed == 0 {
		return nil, err
	}
	return &list[0], nil
}
