package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
	"badgebridge/web/locale"
)

// letterChoice is a kind of letters and whether the person gets them.
type letterChoice struct {
	Kind   store.NoticeKind
	Wanted bool
}

func (s *Server) letterChoices(ctx context.Context, personID string) ([]letterChoice, error) {
	refused, err := s.cfg.Store.Refusals(ctx, personID)
	if err != nil {
		return nil, fmt.Errorf("letters: %w", err)
	}
	var out []letterChoice
	for _, kind := range store.NoticeKinds() {
		out = append(out, letterChoice{kind, !slices.Contains(refused, kind)})
	}
	return out, nil
}

// setLetters keeps which letters the visitor wants. To want them counts for all
// their addresses, also where one said no before it was theirs.
func (s *Server) setLetters(c *gin.Context) {
	ctx, v := c.Request.Context(), visitorOf(c)
	wanted := c.PostFormArray("kind")
	err := s.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		ids, err := tx.IdentifiersOf(ctx, v.PersonID)
		if err != nil {
			return err
		}
		for _, kind := range store.NoticeKinds() {
			refused := !slices.Contains(wanted, string(kind))
			if err := tx.Refuse(ctx, v.PersonID, kind, refused); err != nil {
				return err
			}
			for _, id := range ids {
				if refused {
					continue
				}
				if err := tx.Refuse(ctx, store.Digest(id.Value), kind, false); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		s.fail(c, fmt.Errorf("letters: %w", err))
		return
	}
	s.say(c, "ok", "letters-saved", nil)
	c.Redirect(http.StatusSeeOther, "/me#letters")
}

type stopView struct {
	Token string
	Kind  store.NoticeKind
	Done  bool
}

// stopPage asks; a look at it changes nothing, because mail programs look at links
// by themselves.
func (s *Server) stopPage(c *gin.Context) {
	_, kind, err := s.cfg.ReadStop(c.Param("token"))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "stop", stopView{Token: c.Param("token"), Kind: kind})
}

// stopForm stops the letters: by the page's button, or by a mail program's one
// click (RFC 8058).
func (s *Server) stopForm(c *gin.Context) {
	owner, kind, err := s.cfg.ReadStop(c.Param("token"))
	if err == nil {
		err = s.cfg.Store.Refuse(c.Request.Context(), owner, kind, true)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "stop", stopView{Kind: kind, Done: true})
}

// noticeView is a notice as the page shows it.
type noticeView struct {
	store.Notice
	Badge string
	Text  string
}

const maxNotices = 20

// notices are what the person has not put away. A page is shown without them when
// they can't be read.
func (s *Server) notices(ctx context.Context, w *locale.Words, personID string) []noticeView {
	list, err := s.cfg.Store.UnseenNotices(ctx, personID, maxNotices)
	if err != nil {
		s.cfg.Log.WarnContext(ctx, "notices", "error", err)
		return nil
	}
	var out []noticeView
	for _, n := range list {
		b, err := s.loadBadge(ctx, n.AwardID)
		if err != nil || b.PersonID != personID {
			continue
		}
		v := noticeView{Notice: n, Badge: b.Content.Name}
		switch {
		case n.Kind == store.NoticeRevoked:
			v.Text = w.T("notice.revoked", "Badge", v.Badge)
		case n.Kind == store.NoticeExpiring && b.Revoked, n.Kind == store.NoticeOffered:
			continue
		case b.Expires.After(s.cfg.Now()):
			v.Text = w.T("notice.expiring", "Badge", v.Badge, "Date", w.Date(b.Expires))
		default:
			v.Text = w.T("notice.expired", "Badge", v.Badge, "Date", w.Date(b.Expires))
		}
		out = append(out, v)
	}
	return out
}

func (s *Server) seeNotice(c *gin.Context) {
	if err := s.cfg.Store.SeeNotice(c.Request.Context(), visitorOf(c).PersonID, c.Param("id"), s.cfg.Now().UTC().Truncate(time.Second)); err != nil {
		s.fail(c, fmt.Errorf("notice: %w", err))
		return
	}
	c.Redirect(http.StatusSeeOther, "/")
}
