package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
	"badgebridge/web/locale"
)

// The pages on which a person shows badges: a collection under /c/, all that is
// public under /p/. What a page shows is at least as visible as the page.

func (s *Server) showcaseRoutes(g *gin.RouterGroup) {
	get(g, "/c/:id", s.publicCollection)
	get(g, "/c/:id/feed.atom", s.collectionFeed)
	get(g, "/p/:handle", s.publicProfile)
	get(g, "/p/:handle/feed.atom", s.profileFeed)
}

const profilePage = 48 // badges on one page of a profile

// shownAs sets the headers of a page that is as visible as v says. The address
// of a page by link is what lets others in: search engines keep away and no
// other site is told of it.
func shownAs(c *gin.Context, v store.Visibility) {
	if v == store.Public {
		return
	}
	c.Header("X-Robots-Tag", "noindex, nofollow, noarchive")
	c.Header("Referrer-Policy", "no-referrer")
}

// cacheFor is the Cache-Control of what is as visible as v says.
func cacheFor(v store.Visibility) string {
	if v == store.Private {
		return "private, no-store"
	}
	return "public, max-age=60"
}

// by is who shows something, as far as they want to be named.
type by struct {
	Name   string // "" not named
	Handle string // of their public profile; "" it is not for those who see this
}

// byOf tells how the person of a page as visible as v is named on it.
func (s *Server) byOf(ctx context.Context, personID string, v store.Visibility) (by, store.PublicProfile, error) {
	p, err := s.cfg.Store.Profile(ctx, personID)
	if err != nil {
		return by{}, p, err
	}
	var out by
	if p.ShowName {
		person, err := s.cfg.Store.Person(ctx, personID)
		if err != nil {
			return by{}, p, err
		}
		out.Name = person.Name()
	}
	// A profile by link is not told to who has found a public page.
	if p.Handle != "" && (p.Visibility == store.Public || p.Visibility == store.ByLink && v != store.Public) {
		out.Handle = p.Handle
	}
	return out, p, nil
}

type publicCollectionView struct {
	store.Collection
	BaseURL string
	By      by
	Owner   bool
	Badges  []placed
	Hidden  int // only to its owner: what others don't see of it
	Plain   string
}

// URL is the page's own address.
func (v publicCollectionView) URL() string { return v.BaseURL + "/c/" + v.ID }

// Indexed reports whether search engines may keep the page.
func (v publicCollectionView) Indexed() bool { return v.Visibility == store.Public }

func (v publicCollectionView) title(w *locale.Words) string {
	if v.By.Name != "" {
		return w.T("showcase.title", "Collection", v.Collection.Name, "Person", v.By.Name)
	}
	return v.Collection.Name
}

// seenCollection reads a collection for whoever asks; one that they may not see
// does not exist.
func (s *Server) seenCollection(c *gin.Context) (v publicCollectionView, err error) {
	ctx := c.Request.Context()
	col, err := s.cfg.Store.Collection(ctx, c.Param("id"))
	if err != nil {
		return v, fmt.Errorf("collection: %w", err)
	}
	who := visitorOf(c)
	v = publicCollectionView{Collection: col, BaseURL: s.cfg.BaseURL(ctx), Owner: who != nil && who.PersonID == col.PersonID}
	if col.Visibility == store.Private && !v.Owner {
		return v, fmt.Errorf("collection: not shown: %w", store.ErrNotFound)
	}
	if v.By, _, err = s.byOf(ctx, col.PersonID, col.Visibility); err != nil {
		return v, fmt.Errorf("collection: %w", err)
	}
	f := store.ShelfFilter{PersonID: col.PersonID, CollectionID: col.ID, Claim: store.Claimed, Visibilities: seenOn(col.Visibility), Order: store.AsCollection, Limit: maxInCollection}
	badges, err := s.shelf(ctx, f, store.Person{})
	if err != nil {
		return v, fmt.Errorf("collection: %w", err)
	}
	places, err := s.cfg.Store.CollectionBadges(ctx, col.ID)
	if err != nil {
		return v, fmt.Errorf("collection: %w", err)
	}
	notes := map[string]string{}
	for _, p := range places {
		notes[p.AwardID] = p.Note
	}
	for _, b := range badges {
		v.Badges = append(v.Badges, placed{badge: b, Note: notes[b.ID], Seen: true})
	}
	if v.Owner {
		v.Hidden = len(places) - len(v.Badges)
	}
	v.Plain = cutText(s.pages.md.plain(col.Story), 280)
	return v, nil
}

func (s *Server) publicCollection(c *gin.Context) {
	v, err := s.seenCollection(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	shownAs(c, v.Visibility)
	s.render(c, http.StatusOK, "showcase", v)
}

type publicProfileView struct {
	store.PublicProfile
	BaseURL     string
	Name        string // "" it is not shown
	Owner       bool
	Collections []listedCollection
	Badges      []badge
	Count       int
	Pager       pager
	Plain       string
}

// URL is the page's own address.
func (v publicProfileView) URL() string { return v.BaseURL + "/p/" + v.Handle }

// Indexed reports whether search engines may keep the page.
func (v publicProfileView) Indexed() bool { return v.Visibility == store.Public }

// Title is what the page calls the person.
func (v publicProfileView) Title() string {
	if v.Name != "" {
		return v.Name
	}
	return v.Handle
}

func (v publicProfileView) title(w *locale.Words) string {
	return w.T("profile.title-of", "Person", v.Title())
}

func (s *Server) seenProfile(c *gin.Context) (v publicProfileView, err error) {
	ctx := c.Request.Context()
	p, err := s.cfg.Store.ProfileByHandle(ctx, c.Param("handle"))
	if err != nil {
		return v, fmt.Errorf("profile: %w", err)
	}
	who := visitorOf(c)
	v = publicProfileView{PublicProfile: p, BaseURL: s.cfg.BaseURL(ctx), Owner: who != nil && who.PersonID == p.PersonID}
	if p.Visibility == store.Private && !v.Owner {
		return v, fmt.Errorf("profile: not shown: %w", store.ErrNotFound)
	}
	named, _, err := s.byOf(ctx, p.PersonID, p.Visibility)
	if err != nil {
		return v, fmt.Errorf("profile: %w", err)
	}
	v.Name, v.Plain = named.Name, cutText(s.pages.md.plain(p.About), 280)
	return v, nil
}

func (s *Server) publicProfile(c *gin.Context) {
	v, err := s.seenProfile(c)
	if err == nil {
		err = s.fillProfile(c, &v)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	shownAs(c, v.Visibility)
	s.render(c, http.StatusOK, "profile-page", v)
}

// publicOnly is what lists for everybody show.
func publicOnly() []store.Visibility { return []store.Visibility{store.Public} }

func (s *Server) fillProfile(c *gin.Context, v *publicProfileView) error {
	ctx := c.Request.Context()
	all, err := s.publicCollections(ctx, v.PersonID)
	if err != nil {
		return err
	}
	listed, err := s.listedCollections(ctx, v.PersonID, all, publicOnly())
	if err != nil {
		return err
	}
	for _, one := range listed {
		if one.Badges > 0 {
			v.Collections = append(v.Collections, one)
		}
	}
	f := store.ShelfFilter{PersonID: v.PersonID, Claim: store.Claimed, Visibilities: publicOnly(), Limit: profilePage}
	if v.Count, err = s.cfg.Store.CountShelf(ctx, f); err != nil {
		return err
	}
	pages := max(1, (v.Count+profilePage-1)/profilePage)
	page := 1
	if n, err := strconv.Atoi(c.Query("page")); err == nil && n > 1 {
		page = min(n, pages)
	}
	f.Offset = (page - 1) * profilePage
	v.Pager = pagerOf(page, pages, func(n int) string {
		if n == 1 {
			return "/p/" + v.Handle
		}
		return "/p/" + v.Handle + "?page=" + strconv.Itoa(n)
	})
	v.Badges, err = s.shelf(ctx, f, store.Person{})
	return err
}

// cutText shortens text at a word.
func cutText(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	cut := most
	for cut > most*3/4 && r[cut] != ' ' {
		cut--
	}
	return string(r[:cut]) + "…"
}
