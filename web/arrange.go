package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
)

// addToCollection puts the ticked badges at the end.
func (s *Server) addToCollection(c *gin.Context) {
	ctx := c.Request.Context()
	col, err := s.ownCollection(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	places, err := s.cfg.Store.CollectionBadges(ctx, col.ID)
	if err != nil {
		s.fail(c, fmt.Errorf("add to a collection: %w", err))
		return
	}
	n := 0
	for _, id := range c.PostFormArray("badge") {
		if len(places) >= maxInCollection {
			break
		}
		if slices.ContainsFunc(places, func(p store.CollectionBadge) bool { return p.AwardID == id }) {
			continue
		}
		award, err := s.cfg.Store.Award(ctx, id)
		if err == nil && (award.PersonID != col.PersonID || award.Claim != store.Claimed) {
			err = store.ErrNotFound
		}
		if err != nil {
			s.fail(c, fmt.Errorf("add to a collection: %w", err))
			return
		}
		places, n = append(places, store.CollectionBadge{AwardID: id}), n+1
	}
	if n > 0 {
		if err := s.cfg.Store.SetCollectionBadges(ctx, col.ID, places); err != nil {
			s.fail(c, fmt.Errorf("add to a collection: %w", err))
			return
		}
		s.say(c, "ok", "collection-added", map[string]any{"Count": n})
	}
	c.Redirect(http.StatusSeeOther, "/collections/"+col.ID)
}

// arrangeCollection moves one badge by its button, takes one out, takes over the
// whole order (as it was dragged), and keeps the notes in every case. What it is
// to do is the field "do": "up:ID", "down:ID", "remove:ID", "order" or "save".
func (s *Server) arrangeCollection(c *gin.Context) {
	ctx := c.Request.Context()
	col, err := s.ownCollection(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	places, err := s.cfg.Store.CollectionBadges(ctx, col.ID)
	if err != nil {
		s.fail(c, fmt.Errorf("arrange a collection: %w", err))
		return
	}
	for i := range places {
		if note, ok := c.GetPostForm("note-" + places[i].AwardID); ok {
			if note = strings.TrimSpace(note); len(note) > maxNote {
				s.fail(c, &fieldError{Field: "note", Key: "note-long"})
				return
			}
			places[i].Note = note
		}
	}
	act, id, _ := strings.Cut(c.PostForm("do"), ":")
	places = arranged(places, act, id, c.PostFormArray("award"))
	if err := s.cfg.Store.SetCollectionBadges(ctx, col.ID, places); err != nil {
		s.fail(c, fmt.Errorf("arrange a collection: %w", err))
		return
	}
	if act == "remove" && col.CoverID == id {
		col.CoverID = ""
		if err := s.cfg.Store.PutCollection(ctx, col); err != nil {
			s.fail(c, fmt.Errorf("arrange a collection: %w", err))
			return
		}
	}
	if act == "order" && c.GetHeader("X-Arrange") != "" { // dragged: the page has the order already
		c.Status(http.StatusNoContent)
		return
	}
	to := "/collections/" + col.ID
	switch act {
	case "up", "down":
		to += "?moved=" + act + ":" + id // focus stays with the badge; a fragment would keep browsers from that
	case "save":
		s.say(c, "ok", "collection-saved", nil)
	}
	c.Redirect(http.StatusSeeOther, to)
}

// arranged is the order after an act. What the act does not name stays.
func arranged(places []store.CollectionBadge, act, id string, order []string) []store.CollectionBadge {
	at := func(id string) int {
		return slices.IndexFunc(places, func(p store.CollectionBadge) bool { return p.AwardID == id })
	}
	switch i := at(id); {
	case act == "up" && i > 0:
		places[i-1], places[i] = places[i], places[i-1]
	case act == "down" && i >= 0 && i < len(places)-1:
		places[i+1], places[i] = places[i], places[i+1]
	case act == "remove" && i >= 0:
		places = slices.Delete(places, i, i+1)
	case act == "order":
		// Those that the order does not know (added elsewhere meanwhile) go last.
		slices.SortStableFunc(places, func(a, b store.CollectionBadge) int { return rank(order, a.AwardID) - rank(order, b.AwardID) })
	}
	return places
}

func rank(order []string, id string) int {
	if i := slices.Index(order, id); i >= 0 {
		return i
	}
	return len(order)
}

// orderCollections moves a collection by its button.
func (s *Server) orderCollections(c *gin.Context) {
	ctx := c.Request.Context()
	list, err := s.cfg.Store.CollectionsOf(ctx, visitorOf(c).PersonID)
	if err != nil {
		s.fail(c, fmt.Errorf("order collections: %w", err))
		return
	}
	act, id, _ := strings.Cut(c.PostForm("do"), ":")
	i := slices.IndexFunc(list, func(col store.Collection) bool { return col.ID == id })
	switch {
	case act == "up" && i > 0:
		list[i-1], list[i] = list[i], list[i-1]
	case act == "down" && i >= 0 && i < len(list)-1:
		list[i+1], list[i] = list[i], list[i+1]
	}
	err = s.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		for n, col := range list {
			if col.Position == n {
				continue
			}
			col.Position = n
			if err := tx.PutCollection(ctx, col); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.fail(c, fmt.Errorf("order collections: %w", err))
		return
	}
	c.Redirect(http.StatusSeeOther, "/collections?moved="+act+":"+id)
}
