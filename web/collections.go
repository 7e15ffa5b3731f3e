package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
	"badgebridge/web/locale"
)

// Bounds of collections, for one person.
const (
	maxCollections   = 100
	maxInCollection  = 500
	maxCollectionRaw = 10_000 // bytes of a story
	maxTitle         = 128    // characters
	maxNote          = 2000   // bytes
	pickable         = 48     // badges offered to be added at once
)

func (s *Server) collectionRoutes(g *gin.RouterGroup) {
	get(g, "/collections", s.collections)
	g.POST("/collections", s.makeCollection)
	g.POST("/collections/order", s.orderCollections)
	get(g, "/collections/new", func(c *gin.Context) {
		s.render(c, http.StatusOK, "collection-new", collectionForm{Visibility: store.Private})
	})
	get(g, "/collections/:id", s.collection)
	g.POST("/collections/:id", s.changeCollection)
	g.POST("/collections/:id/badges", s.addToCollection)
	g.POST("/collections/:id/arrange", s.arrangeCollection)
	g.POST("/collections/:id/reveal", s.revealCollection)
	g.POST("/collections/:id/delete", s.deleteCollection)
}

// collectionForm is what a person says of a collection.
type collectionForm struct {
	Name       string
	Story      string
	Cover      string
	Visibility store.Visibility
	Problem    string // key under "error.", "" none
}

func collectionFormOf(c *gin.Context) collectionForm {
	f := collectionForm{
		Name: oneLine(c.PostForm("name")), Story: strings.TrimSpace(c.PostForm("story")), Cover: c.PostForm("cover"),
		Visibility: store.Visibility(c.DefaultPostForm("visibility", string(store.Private))),
	}
	switch {
	case f.Name == "":
		f.Problem = "collection-name"
	case utf8.RuneCountInString(f.Name) > maxTitle:
		f.Problem = "collection-name-long"
	case len(f.Story) > maxCollectionRaw:
		f.Problem = "story-long"
	case !knownVisibility(f.Visibility):
		f.Problem = "visibility"
	}
	return f
}

func knownVisibility(v store.Visibility) bool {
	return v == store.Private || v == store.ByLink || v == store.Public
}

// oneLine takes line ends and other control characters out of a short text.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
}

// listedCollection is one collection on a list.
type listedCollection struct {
	store.Collection
	Badges int
	Covers []string // addresses of at most four pictures
	Shown  bool     // others can see its page
	First  bool
	Last   bool
}

type collectionsView struct {
	Collections []listedCollection
	Profile     store.PublicProfile
	Full        bool
	Moved       string
}

func (s *Server) collections(c *gin.Context) {
	ctx, v := c.Request.Context(), visitorOf(c)
	list, err := s.cfg.Store.CollectionsOf(ctx, v.PersonID)
	if err != nil {
		s.fail(c, fmt.Errorf("collections: %w", err))
		return
	}
	view := collectionsView{Full: len(list) >= maxCollections, Moved: c.Query("moved")}
	if view.Collections, err = s.listedCollections(ctx, v.PersonID, list, nil); err != nil {
		s.fail(c, fmt.Errorf("collections: %w", err))
		return
	}
	for i := range view.Collections {
		view.Collections[i].First, view.Collections[i].Last = i == 0, i == len(list)-1
	}
	if view.Profile, err = s.cfg.Store.Profile(ctx, v.PersonID); err != nil {
		s.fail(c, fmt.Errorf("collections: %w", err))
		return
	}
	s.render(c, http.StatusOK, "collections", view)
}

// listedCollections reads what a list shows of a person's collections: the
// badges that are as visible as seen says; nil all.
func (s *Server) listedCollections(ctx context.Context, personID string, list []store.Collection, seen []store.Visibility) ([]listedCollection, error) {
	covers, err := s.cfg.Store.CollectionCovers(ctx, personID, seen, 4)
	if err != nil {
		return nil, err
	}
	of := map[string][]store.CollectionCover{}
	for _, v := range covers {
		of[v.CollectionID] = append(of[v.CollectionID], v)
	}
	out := make([]listedCollection, 0, len(list))
	for _, col := range list {
		one := listedCollection{Collection: col, Shown: col.Visibility != store.Private}
		for _, v := range of[col.ID] {
			one.Badges = v.Badges
			one.Covers = append(one.Covers, s.imageAddress(v.ImageSHA))
			if v.Chosen { // it stands alone
				one.Covers = one.Covers[len(one.Covers)-1:]
				break
			}
		}
		out = append(out, one)
	}
	return out, nil
}

func (s *Server) makeCollection(c *gin.Context) {
	ctx, v := c.Request.Context(), visitorOf(c)
	f := collectionFormOf(c)
	list, err := s.cfg.Store.CollectionsOf(ctx, v.PersonID)
	if err != nil {
		s.fail(c, fmt.Errorf("make a collection: %w", err))
		return
	}
	if len(list) >= maxCollections {
		f.Problem = "collections-full"
	}
	if f.Problem != "" {
		s.render(c, http.StatusUnprocessableEntity, "collection-new", f)
		return
	}
	position := 0
	for _, col := range list {
		position = max(position, col.Position+1)
	}
	col, err := s.cfg.Store.CreateCollection(ctx, store.Collection{PersonID: v.PersonID, Name: f.Name, Story: f.Story, Visibility: f.Visibility, Position: position})
	if err != nil {
		s.fail(c, fmt.Errorf("make a collection: %w", err))
		return
	}
	s.say(c, "ok", "collection-made", nil)
	c.Redirect(http.StatusSeeOther, "/collections/"+col.ID+"#add")
}

// placed is a badge in a collection, as its owner arranges it.
type placed struct {
	badge
	Note   string
	Seen   bool // on the collection's page, by those who may see that
	First  bool
	Last   bool
	Target bool // it was moved just now
}

type collectionView struct {
	store.Collection
	Form    collectionForm
	Badges  []placed
	Hidden  int // badges that the collection's page does not show
	Pick    []badge
	Text    string
	More    bool // there are more to pick from than are shown
	BaseURL string
	Full    bool
	Moved   string // "up" or "down", and Target is the badge
}

func (v collectionView) title(*locale.Words) string { return v.Collection.Name }

// PublicURL is the address of the page for others.
func (v collectionView) PublicURL() string { return v.BaseURL + "/c/" + v.ID }

// ownCollection reads a collection of the visitor's; anybody else's does not
// exist.
func (s *Server) ownCollection(c *gin.Context) (store.Collection, error) {
	col, err := s.cfg.Store.Collection(c.Request.Context(), c.Param("id"))
	if err == nil && col.PersonID != visitorOf(c).PersonID {
		err = store.ErrNotFound
	}
	if err != nil {
		return col, fmt.Errorf("collection: %w", err)
	}
	return col, nil
}

func (s *Server) collection(c *gin.Context) {
	col, err := s.ownCollection(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.showCollection(c, http.StatusOK, col, collectionForm{Name: col.Name, Story: col.Story, Cover: col.CoverID, Visibility: col.Visibility})
}

func (s *Server) showCollection(c *gin.Context, status int, col store.Collection, f collectionForm) {
	ctx, who := c.Request.Context(), visitorOf(c)
	v := collectionView{Collection: col, Form: f, BaseURL: s.cfg.BaseURL(ctx), Text: strings.TrimSpace(c.Query("q"))}
	places, err := s.cfg.Store.CollectionBadges(ctx, col.ID)
	if err != nil {
		s.fail(c, fmt.Errorf("collection: %w", err))
		return
	}
	notes := map[string]string{}
	for _, p := range places {
		notes[p.AwardID] = p.Note
	}
	badges, err := s.shelf(ctx, store.ShelfFilter{PersonID: col.PersonID, CollectionID: col.ID, Order: store.AsCollection, Limit: maxInCollection}, who.Person)
	if err != nil {
		s.fail(c, fmt.Errorf("collection: %w", err))
		return
	}
	var target string
	v.Moved, target, _ = strings.Cut(c.Query("moved"), ":")
	seen := seenOn(col.Visibility)
	for i, b := range badges {
		p := placed{badge: b, Note: notes[b.ID], Seen: b.Claim == store.Claimed && slices.Contains(seen, b.Visibility), First: i == 0, Last: i == len(badges)-1, Target: b.ID == target}
		if !p.Seen && col.Visibility != store.Private {
			v.Hidden++
		}
		v.Badges = append(v.Badges, p)
	}
	if v.Full = len(badges) >= maxInCollection; !v.Full {
		if v.Pick, v.More, err = s.toPick(ctx, who.Person, v.Text, badges); err != nil {
			s.fail(c, fmt.Errorf("collection: %w", err))
			return
		}
	}
	s.render(c, status, "collection", v)
}

// seenOn is how visible a badge has to be for a page: at least as much as the
// page itself.
func seenOn(page store.Visibility) []store.Visibility {
	if page == store.Public {
		return []store.Visibility{store.Public}
	}
	return []store.Visibility{store.Public, store.ByLink}
}

// toPick lists badges that are not in the collection yet, newest first.
func (s *Server) toPick(ctx context.Context, p store.Person, text string, in []badge) (out []badge, more bool, err error) {
	held := map[string]bool{}
	for _, b := range in {
		held[b.ID] = true
	}
	list, err := s.shelf(ctx, store.ShelfFilter{PersonID: p.ID, Claim: store.Claimed, Text: text, Limit: pickable + len(in) + 1}, p)
	for _, b := range list {
		if held[b.ID] {
			continue
		}
		if len(out) == pickable {
			return out, true, err
		}
		out = append(out, b)
	}
	return out, false, err
}

func (s *Server) changeCollection(c *gin.Context) {
	ctx := c.Request.Context()
	col, err := s.ownCollection(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	f := collectionFormOf(c)
	if f.Problem != "" {
		s.showCollection(c, http.StatusUnprocessableEntity, col, f)
		return
	}
	places, err := s.cfg.Store.CollectionBadges(ctx, col.ID)
	if err != nil {
		s.fail(c, fmt.Errorf("change a collection: %w", err))
		return
	}
	if f.Cover != "" && !slices.ContainsFunc(places, func(p store.CollectionBadge) bool { return p.AwardID == f.Cover }) {
		f.Cover = ""
	}
	was := col.Visibility
	col.Name, col.Story, col.CoverID, col.Visibility = f.Name, f.Story, f.Cover, f.Visibility
	if err := s.cfg.Store.PutCollection(ctx, col); err != nil {
		s.fail(c, fmt.Errorf("change a collection: %w", err))
		return
	}
	key := "collection-saved"
	if was != col.Visibility {
		key = "collection-" + string(col.Visibility)
	}
	s.say(c, "ok", key, nil)
	c.Redirect(http.StatusSeeOther, "/collections/"+col.ID)
}

func (s *Server) deleteCollection(c *gin.Context) {
	col, err := s.ownCollection(c)
	if err == nil {
		err = s.cfg.Store.DeleteCollection(c.Request.Context(), col.ID)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("delete a collection: %w", err))
		return
	}
	s.say(c, "ok", "collection-deleted", map[string]any{"Name": col.Name})
	c.Redirect(http.StatusSeeOther, "/collections")
}

// revealCollection makes the collection's badges as visible as the collection
// is, where they are less.
func (s *Server) revealCollection(c *gin.Context) {
	ctx := c.Request.Context()
	col, err := s.ownCollection(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	badges, err := s.shelf(ctx, store.ShelfFilter{PersonID: col.PersonID, CollectionID: col.ID, Claim: store.Claimed, Limit: maxInCollection}, store.Person{})
	if err != nil {
		s.fail(c, fmt.Errorf("show a collection's badges: %w", err))
		return
	}
	n := 0
	for _, b := range badges {
		if col.Visibility == store.Private || slices.Contains(seenOn(col.Visibility), b.Visibility) {
			continue
		}
		if err := s.cfg.Engine.SetVisibility(ctx, b.ID, col.PersonID, col.Visibility); err != nil {
			s.fail(c, fmt.Errorf("show a collection's badges: %w", err))
			return
		}
		s.Changed(b.ID)
		n++
	}
	s.say(c, "ok", "collection-revealed", map[string]any{"Count": n})
	c.Redirect(http.StatusSeeOther, "/collections/"+col.ID)
}
