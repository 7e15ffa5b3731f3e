package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/web/locale"
)

// galleryPage is how many designs a page of the gallery shows.
const galleryPage = 24

// design is a badge elsewhere that could be imported.
type design struct {
	classLine
	Skills   []string
	Missing  []string // codes under "missing."
	Mappings []mappedTo
}

// mappedTo is what a design is joined with already.
type mappedTo struct {
	MappingID string
	Name      string
	Place     string
}

type galleryView struct {
	From    adapters.Remote
	Sources []store.Remote // the remotes that designs can come from
	Q       string
	State   string
	Skill   string
	Free    bool // only those that are not mapped yet
	States  []string
	Skills  []string
	Designs []design
	Found   int // that match
	Total   int
	Page    int
	Pages   int
	Imports []store.Import
	HasSite bool
	Problem string // key under "error."
}

// Link is the address of a page of the gallery under the same filter.
func (v galleryView) Link(page int) string {
	q := v.filter()
	q.Set("page", strconv.Itoa(page))
	return "/admin/import?" + q.Encode()
}

func (v galleryView) filter() url.Values {
	q := url.Values{"from": {string(v.From)}}
	for name, value := range map[string]string{"q": v.Q, "state": v.State, "skill": v.Skill} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if v.Free {
		q.Set("free", "yes")
	}
	return q
}

// Before and After are the neighbouring pages, 0 none.
func (v galleryView) Before() int { return v.Page - 1 }

// After is the page that follows, 0 none.
func (v galleryView) After() int {
	if v.Page < v.Pages {
		return v.Page + 1
	}
	return 0
}

// importRoutes are the pages on which badges are brought in and kept in step.
func (s *Server) importRoutes(g *gin.RouterGroup) {
	get(g, "/import", s.gallery)
	g.POST("/import/review", s.reviewImport)
	g.POST("/import", s.startImport)
	get(g, "/imports/:id", s.importRun)
	g.POST("/imports/:id/resume", s.resumeImport)
	get(g, "/drift", s.drift)
	g.POST("/drift/:id", s.resolveDrift)
}

// sources are the remotes whose badges may be imported into a site, and sites
// those that take badges.
func (s *Server) sources(ctx context.Context) (sources, sites []store.Remote, err error) {
	all, err := s.cfg.Store.Remotes(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("remotes: %w", err)
	}
	for _, r := range all {
		if r.Kind == "wordpress" {
			sites = append(sites, r)
		} else {
			sources = append(sources, r)
		}
	}
	return sources, sites, nil
}

// find fills the view with what matches its filter.
func (s *Server) find(ctx context.Context, v *galleryView) error {
	classes, err := s.cfg.Store.Classes(ctx, v.From)
	if err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	v.Total = len(classes)
	skills, states := map[string]int{}, map[string]bool{}
	for _, cl := range classes {
		states[cl.State] = true
		for _, skill := range cl.Content.Tags {
			skills[skill]++
		}
		if !v.matches(cl) {
			continue
		}
		d, err := s.design(ctx, cl)
		if err != nil {
			return err
		}
		if v.Free && len(d.Mappings) > 0 {
			continue
		}
		v.Designs = append(v.Designs, d)
	}
	v.Found = len(v.Designs)
	for state := range states {
		v.States = append(v.States, state)
	}
	slices.Sort(v.States)
	for skill := range skills {
		v.Skills = append(v.Skills, skill)
	}
	slices.SortFunc(v.Skills, func(a, b string) int { return cmp.Or(cmp.Compare(skills[b], skills[a]), cmp.Compare(a, b)) })
	v.Skills = v.Skills[:min(len(v.Skills), 200)]
	slices.Sort(v.Skills)
	return nil
}

func (v galleryView) matches(cl store.Class) bool {
	words := strings.ToLower(cl.Content.Name + " " + cl.Content.Description + " " + strings.Join(cl.Content.Tags, " "))
	for _, w := range strings.Fields(strings.ToLower(v.Q)) {
		if !strings.Contains(words, w) {
			return false
		}
	}
	return (v.State == "" || cl.State == v.State) && (v.Skill == "" || slices.Contains(cl.Content.Tags, v.Skill))
}

func (s *Server) design(ctx context.Context, cl store.Class) (design, error) {
	d := design{classLine: s.classLineOf(ctx, cl), Skills: cl.Content.Tags, Missing: engine.Missing(cl)}
	all, err := s.cfg.Store.MappingsOf(ctx, cl.ID)
	if err != nil {
		return d, fmt.Errorf("mappings: %w", err)
	}
	for _, m := range all {
		other := m.ClassA
		if other == cl.ID {
			other = m.ClassB
		}
		to, err := s.cfg.Store.Class(ctx, other)
		if err != nil {
			return d, fmt.Errorf("mappings: %w", err)
		}
		_, place := s.remoteTitle(ctx, to.Remote)
		d.Mappings = append(d.Mappings, mappedTo{MappingID: m.ID, Name: to.Content.Name, Place: place})
	}
	return d, nil
}

func (s *Server) gallery(c *gin.Context) { s.showGallery(c, http.StatusOK, galleryFrom(c.Query), "") }

// galleryFrom reads the filter, from a query or a form.
func galleryFrom(get func(string) string) galleryView {
	page, _ := strconv.Atoi(get("page"))
	return galleryView{
		From: adapters.Remote(get("from")), Q: strings.TrimSpace(get("q")), State: get("state"), Skill: get("skill"),
		Free: get("free") == "yes", Page: max(page, 1),
	}
}

func (s *Server) showGallery(c *gin.Context, status int, v galleryView, problem string) {
	ctx := c.Request.Context()
	var err error
	var sites []store.Remote
	v.Problem = problem
	if v.Sources, sites, err = s.sources(ctx); err == nil && v.From == "" && len(v.Sources) > 0 {
		v.From = v.Sources[0].Name
	}
	v.HasSite = len(sites) > 0
	if err == nil && v.From != "" {
		err = s.find(ctx, &v)
	}
	if err == nil {
		v.Imports, err = s.cfg.Store.Imports(ctx, 5)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	v.Pages = max(1, (v.Found+galleryPage-1)/galleryPage)
	v.Page = min(v.Page, v.Pages)
	first := (v.Page - 1) * galleryPage
	v.Designs = v.Designs[first:min(first+galleryPage, v.Found)]
	s.render(c, status, "admin/import", v)
}

// reviewLine is one design on the page before an import is begun.
type reviewLine struct {
	design
	Same string // the class of the site that has the same name, "" none
}

type reviewView struct {
	From      adapters.Remote
	FromTitle string
	To        adapters.Remote
	Sites     []store.Remote
	Lines     []reviewLine
	There     []design // joined with a badge of this site already
	Targets   []store.Class
	Few       bool // few enough to offer every badge of the site at every line
	Warned    int
}

// manyChoices bounds lines times choices on one page.
const manyChoices = 20000

// reviewImport shows what each chosen design would become, before anything is
// made.
func (s *Server) reviewImport(c *gin.Context) {
	ctx := c.Request.Context()
	filter := galleryFrom(c.PostForm)
	v := reviewView{From: filter.From, To: adapters.Remote(c.PostForm("to"))}
	_, v.FromTitle = s.remoteTitle(ctx, v.From)
	var err error
	if _, v.Sites, err = s.sources(ctx); err == nil && v.To == "" && len(v.Sites) > 0 {
		v.To = v.Sites[0].Name
	}
	var chosen []design
	if err == nil {
		chosen, err = s.chosen(c, filter)
	}
	if err == nil && (len(chosen) == 0 || v.To == "") {
		s.showGallery(c, http.StatusUnprocessableEntity, filter, map[bool]string{true: "import-nothing", false: "import-no-site"}[v.To != ""])
		return
	}
	if err == nil {
		v.Targets, err = s.cfg.Store.Classes(ctx, v.To)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("review import: %w", err))
		return
	}
	v.Targets = slices.DeleteFunc(v.Targets, func(t store.Class) bool { return t.State == engine.GoneState })
	_, place := s.remoteTitle(ctx, v.To)
	for _, d := range chosen {
		if slices.ContainsFunc(d.Mappings, func(m mappedTo) bool { return m.Place == place }) {
			v.There = append(v.There, d)
			continue
		}
		line := reviewLine{design: d}
		for _, t := range v.Targets {
			if strings.EqualFold(t.Content.Name, d.Content.Name) {
				line.Same = t.ID
			}
		}
		if len(d.Missing) > 0 {
			v.Warned++
		}
		v.Lines = append(v.Lines, line)
	}
	v.Few = len(v.Lines)*len(v.Targets) <= manyChoices
	s.render(c, http.StatusOK, "admin/import-review", v)
}

// chosen are the designs that were ticked, or all that match the filter.
func (s *Server) chosen(c *gin.Context, filter galleryView) ([]design, error) {
	ctx := c.Request.Context()
	if c.PostForm("all") == "yes" {
		err := s.find(ctx, &filter)
		return filter.Designs, err
	}
	var out []design
	for _, id := range c.PostFormArray("class") {
		cl, err := s.cfg.Store.Class(ctx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && cl.Remote != filter.From {
			return nil, fmt.Errorf("badge %q: %w", id, errBadInput)
		}
		if err != nil {
			return nil, err
		}
		d, err := s.design(ctx, cl)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// startImport takes the reviewed list and begins.
func (s *Server) startImport(c *gin.Context) {
	var wishes []engine.ImportWish
	for _, id := range c.PostFormArray("class") {
		switch target := c.PostForm("target-" + id); target {
		case "skip":
		case "new":
			wishes = append(wishes, engine.ImportWish{ClassID: id})
		default:
			wishes = append(wishes, engine.ImportWish{ClassID: id, TargetID: target})
		}
	}
	from, to := adapters.Remote(c.PostForm("from")), adapters.Remote(c.PostForm("to"))
	if len(wishes) == 0 {
		s.showGallery(c, http.StatusUnprocessableEntity, galleryView{From: from, Page: 1}, "import-nothing")
		return
	}
	imp, err := s.cfg.Engine.StartImport(c.Request.Context(), from, to, visitorOf(c).PersonID, wishes)
	if err != nil {
		s.fail(c, fmt.Errorf("start import: %w", err))
		return
	}
	c.Redirect(http.StatusSeeOther, "/admin/imports/"+imp.ID)
}

type importLine struct {
	store.ImportItem
	Design store.Class
	Image  string
	Target string // its name
}

type importView struct {
	store.Import
	FromTitle, ToTitle string
	Lines              []importLine
	Next               int // the page that follows begins after it
	Waits              string
	WithWarnings       int
}

func (v importView) title(w *locale.Words) string {
	return w.T("import.run-title", "From", v.FromTitle, "To", v.ToTitle)
}

func (v importView) refresh() int {
	if v.State == store.ImportGoing {
		return 2
	}
	return 0
}

// Tried is how many badges are through.
func (v importView) Tried() int { return v.Done + v.Failed }

const importPage = 100

func (s *Server) importRun(c *gin.Context) {
	ctx := c.Request.Context()
	imp, err := s.cfg.Store.Import(ctx, c.Param("id"))
	if err != nil {
		s.fail(c, fmt.Errorf("import: %w", err))
		return
	}
	v := importView{Import: imp}
	_, v.FromTitle = s.remoteTitle(ctx, imp.From)
	_, v.ToTitle = s.remoteTitle(ctx, imp.To)
	after, _ := strconv.Atoi(c.Query("after"))
	items, err := s.cfg.Store.ImportItems(ctx, imp.ID, max(after, 0), importPage+1)
	if len(items) > importPage {
		items = items[:importPage]
		v.Next = items[importPage-1].Position
	}
	for _, item := range items {
		if err != nil {
			break
		}
		line := importLine{ImportItem: item}
		if line.Design, err = s.cfg.Store.Class(ctx, item.ClassID); err != nil {
			break
		}
		line.Image = s.classLineOf(ctx, line.Design).Image
		if item.TargetID != "" {
			if t, terr := s.cfg.Store.Class(ctx, item.TargetID); terr == nil {
				line.Target = t.Content.Name
			}
		}
		if item.State == store.ItemWaiting && item.Message != "" && v.Waits == "" {
			v.Waits = item.Message
		}
		if len(item.Warnings) > 0 {
			v.WithWarnings++
		}
		v.Lines = append(v.Lines, line)
	}
	if err != nil {
		s.fail(c, fmt.Errorf("import: %w", err))
		return
	}
	s.render(c, http.StatusOK, "admin/import-run", v)
}

func (s *Server) resumeImport(c *gin.Context) {
	id := c.Param("id")
	if err := s.cfg.Engine.ResumeImport(c.Request.Context(), id); err != nil {
		s.fail(c, fmt.Errorf("resume import: %w", err))
		return
	}
	s.say(c, "ok", "import-resumed", nil)
	c.Redirect(http.StatusSeeOther, "/admin/imports/"+id)
}
