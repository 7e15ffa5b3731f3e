package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/web/locale"
)

const (
	shelfPage   = 24 // badges on one page; divisible by what fits into a row
	maxWaiting  = 20
	maxDeclined = 50
	// searchFrom is from how many badges on the page offers to search in them.
	searchFrom = 6
	maxSearch  = 100 // characters
)

// homeView is the member's backpack.
type homeView struct {
	Waiting  []badge
	Badges   []badge // claimed, one page of them
	Declined []badge
	Adds     bool // badges can be added by hand
	Count    int  // all that are claimed
	Public   int
	Places   int
	Proofs   []store.Collected // brought, and made out to an address that is not proven
	Find     finding
}

// finding is what the member looks for, and what there is to choose from.
type finding struct {
	Text, Issuer, Source, State, Collection, Order string

	Asked       bool // something is asked for
	Offered     bool // there is enough to look through
	Found       int
	Issuers     []string
	Sources     []choice
	Collections []choice
	Page, Pages int
	query       url.Values
}

// choice is one entry of a list to choose from.
type choice struct{ Value, Title string }

// States lists the states that can be asked for.
func (finding) States() []store.ShelfState {
	return []store.ShelfState{store.Holds, store.Ending, store.Ended, store.Taken, store.Unclear}
}

// Link is the address of a page of what was found.
func (f finding) Link(page int) string {
	q := url.Values{}
	for k, v := range f.query {
		q[k] = v
	}
	q.Del("page")
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

func (f finding) filter(personID string) store.ShelfFilter {
	return store.ShelfFilter{
		PersonID: personID, Claim: store.Claimed, Text: f.Text, Issuer: f.Issuer, Origin: adapters.Remote(f.Source),
		State: store.ShelfState(f.State), CollectionID: f.Collection, Order: store.ShelfOrder(f.Order),
		Limit: shelfPage, Offset: (f.Page - 1) * shelfPage,
	}
}

// findingOf reads what is asked for; what it does not know it leaves out.
func findingOf(c *gin.Context) finding {
	f := finding{
		Text: strings.TrimSpace(c.Query("q")), Issuer: c.Query("issuer"), Source: c.Query("source"), State: c.Query("state"),
		Collection: c.Query("collection"), Order: c.Query("sort"), Page: 1, query: url.Values{},
	}
	if r := []rune(f.Text); len(r) > maxSearch {
		f.Text = string(r[:maxSearch])
	}
	switch store.ShelfState(f.State) {
	case "", store.Holds, store.Ending, store.Ended, store.Taken, store.Unclear:
	default:
		f.State = ""
	}
	if f.Order != string(store.ByName) {
		f.Order = ""
	}
	if n, err := strconv.Atoi(c.Query("page")); err == nil && n > 1 && n < 10_000 {
		f.Page = n
	}
	for k, v := range map[string]string{"q": f.Text, "issuer": f.Issuer, "source": f.Source, "state": f.State, "collection": f.Collection, "sort": f.Order} {
		if v != "" {
			f.query.Set(k, v)
			f.Asked = f.Asked || k != "sort"
		}
	}
	return f
}

// home is the member's badges, or the start page for everybody else.
func (s *Server) home(c *gin.Context) {
	v := visitorOf(c)
	if v == nil {
		s.startPage(c)
		return
	}
	view, err := s.backpackOf(c, v)
	if err != nil {
		s.fail(c, fmt.Errorf("my badges: %w", err))
		return
	}
	s.render(c, http.StatusOK, "home", view)
}

// backpackOf reads one page of a member's badges. How many queries that takes
// depends neither on how many they have nor on how many there are.
func (s *Server) backpackOf(c *gin.Context, v *visitor) (view homeView, err error) {
	ctx, st := c.Request.Context(), s.cfg.Store
	view = homeView{Adds: s.cfg.Backpack != nil, Find: findingOf(c)}
	mine := store.ShelfFilter{PersonID: v.PersonID, Now: s.cfg.Now()}

	facets, err := st.ShelfFacets(ctx, store.ShelfFilter{PersonID: v.PersonID, Claim: store.Claimed})
	if err != nil {
		return view, err
	}
	s.facets(ctx, &view, facets)
	public := mine
	public.Claim, public.Visibilities, public.State = store.Claimed, []store.Visibility{store.Public}, store.Holds
	if view.Count > 0 {
		if view.Public, err = st.CountShelf(ctx, public); err != nil {
			return view, err
		}
	}
	if err := s.found(ctx, v, &view); err != nil {
		return view, err
	}
	offered := mine
	offered.Claim, offered.Limit = store.Offered, maxWaiting
	waiting, err := s.shelf(ctx, offered, v.Person)
	if err != nil {
		return view, err
	}
	for _, b := range waiting {
		if b.Revoked {
			continue
		}
		if b.PageURL == "" {
			if b.Sending, err = s.sending(c, b); err != nil {
				return view, err
			}
		}
		view.Waiting = append(view.Waiting, b)
	}
	declined := mine
	declined.Claim, declined.Limit = store.Declined, maxDeclined
	if view.Declined, err = s.shelf(ctx, declined, v.Person); err != nil {
		return view, err
	}
	if view.Adds {
		view.Proofs, err = st.CollectedWaiting(ctx, v.PersonID)
	}
	return view, err
}

// facets sums up what there is to choose from.
func (s *Server) facets(ctx context.Context, view *homeView, facets []store.ShelfFacet) {
	issuers, sources := map[string]bool{}, map[adapters.Remote]bool{}
	for _, f := range facets {
		view.Count += f.Count
		if f.Issuer != "" && !issuers[f.Issuer] && len(view.Find.Issuers) < 100 {
			issuers[f.Issuer] = true
			view.Find.Issuers = append(view.Find.Issuers, f.Issuer)
		}
		if !sources[f.Origin] {
			sources[f.Origin] = true
			title := "" // brought by hand; the page has a word for it
			if f.Origin != store.BackpackOrigin {
				_, title = s.remoteTitle(ctx, f.Origin)
			}
			view.Find.Sources = append(view.Find.Sources, choice{string(f.Origin), title})
		}
	}
	view.Places = len(sources)
}

// found reads the page of badges that is asked for.
func (s *Server) found(ctx context.Context, v *visitor, view *homeView) error {
	f := &view.Find
	f.Offered = view.Count >= searchFrom
	collections, err := s.cfg.Store.CollectionsOf(ctx, v.PersonID)
	if err != nil {
		return err
	}
	known := f.Collection == ""
	for _, col := range collections {
		f.Collections = append(f.Collections, choice{col.ID, col.Name})
		known = known || col.ID == f.Collection
	}
	if !known { // another person's, or one that has gone: it holds nothing of theirs
		f.Found, f.Pages = 0, 1
		return nil
	}
	filter := f.filter(v.PersonID)
	filter.Now = s.cfg.Now()
	f.Found = view.Count
	if f.Asked {
		if f.Found, err = s.cfg.Store.CountShelf(ctx, filter); err != nil {
			return err
		}
	}
	f.Pages = max(1, (f.Found+shelfPage-1)/shelfPage)
	if f.Page > f.Pages {
		f.Page = f.Pages
		filter.Offset = (f.Page - 1) * shelfPage
	}
	view.Badges, err = s.shelf(ctx, filter, v.Person)
	return err
}

// shelf reads badges as pages show them. person is whose they are.
func (s *Server) shelf(ctx context.Context, f store.ShelfFilter, person store.Person) ([]badge, error) {
	if f.Now.IsZero() {
		f.Now = s.cfg.Now()
	}
	list, err := s.cfg.Store.ShelfBadges(ctx, f)
	if err != nil {
		return nil, err
	}
	base := s.cfg.BaseURL(ctx)
	out := make([]badge, 0, len(list))
	for _, b := range list {
		v := badge{
			Award: b.Award, Content: b.Content, Issuer: store.Issuer{ID: b.IssuerID, Own: b.IsOwn, Profile: b.Issuer},
			Image: s.pages.assetURL("no-image.svg"), BaseURL: base, Person: person, Now: s.cfg.Now(), Standing: b.Standing,
		}
		if b.ImageSHA != "" {
			v.Image = "/ob/images/" + b.ImageSHA
		}
		out = append(out, v)
	}
	return out, nil
}

// pager is the way from page to page.
type pager struct {
	Page, Pages int
	Before      string // address of the page before, "" none
	After       string
}

func pagerOf(page, pages int, link func(int) string) pager {
	p := pager{Page: page, Pages: pages}
	if page > 1 {
		p.Before = link(page - 1)
	}
	if page < pages {
		p.After = link(page + 1)
	}
	return p
}

// Pager is the way through what was found.
func (f finding) Pager() pager { return pagerOf(f.Page, f.Pages, f.Link) }

// title of the backpack says what was asked for, so that a tab can be told.
func (v homeView) title(w *locale.Words) string {
	if v.Find.Text != "" {
		return w.T("home.found-title", "Text", v.Find.Text)
	}
	return w.T("home.title")
}
