package web_test

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
	"badgebridge/sync/backpack"
	"badgebridge/web"
)

// statements is what the store was asked.
type statements struct {
	mu   sync.Mutex
	text []string
	rows int
}

func (s *statements) add(text string, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, text)
	s.rows += rows
}

// take returns what was asked since the last time.
func (s *statements) take() (text []string, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, rows = s.text, s.rows
	s.text, s.rows = nil, 0
	return text, rows
}

// stock is how much there is in a store.
type stock struct {
	badges      int // of the member
	collections int // of the member; the first holds up to 100 badges, the others two
	others      int // badges of other people, 20 to each
	classes     int // badges that the association awards, each of them mapped; 0 for 40
}

// stocked is a gateway with a member in it who has much.
type stocked struct {
	*world
	member, admin, stranger *browser
	pages                   []stockedPage
}

type stockedPage struct {
	name, path string
	by         *browser
}

func newStocked(t testing.TB, much stock) *stocked {
	t.Helper()
	w := newWorld(t, func(c *web.Config) {
		c.Fetcher = verify.Offline{}
		c.Backpack = backpack.New(backpack.Config{Store: c.Store, Fetcher: c.Fetcher, BaseURL: c.BaseURL, Now: c.Now, Log: c.Log})
	})
	s := &stocked{world: w, member: w.signIn(ada), admin: w.signIn(admin), stranger: w.browser()}
	ctx := t.Context()
	id, err := w.db.Identifier(ctx, openbadges.IdentityEmail, ada)
	must(t, err)
	for _, name := range []adapters.Remote{"campus", "yard"} {
		must(t, w.db.CreateRemote(ctx, store.Remote{Name: name, Kind: "test", State: store.RemoteActive}))
	}
	var class store.Class
	for i := range cmp.Or(much.classes, 40) {
		of := func(name adapters.Remote) store.Class {
			made, _, err := w.db.PutClass(ctx, store.Class{Remote: name, Ref: adapters.Ref(fmt.Sprint(i)), Issuable: true, Content: openbadges.BadgeClass{Name: fmt.Sprint("Navigator ", i), Description: "Finds the way in any weather."}})
			must(t, err)
			return made
		}
		class = of("campus")
		_, err = w.db.CreateMapping(ctx, store.Mapping{ClassA: class.ID, ClassB: of("yard").ID})
		must(t, err)
	}
	mine := awarded(t, w, class, id.PersonID, "mine", much.badges)
	for n := 0; n < much.others; n += 20 {
		p, err := w.db.CreatePerson(ctx, store.Person{GivenName: "Demo"})
		must(t, err)
		must(t, w.db.AddIdentifier(ctx, store.Identifier{Type: openbadges.IdentityEmail, Value: fmt.Sprintf("demo-%d@example.org", n), PersonID: p.ID, ProvenBy: "code", ProvenAt: w.now.Now()}))
		_, err = w.db.Profile(ctx, p.ID)
		must(t, err)
		theirs := awarded(t, w, class, p.ID, fmt.Sprint("theirs-", n), min(20, much.others-n))
		collected(t, w, p.ID, theirs[:min(5, len(theirs))])
	}
	var first store.Collection
	for i := range much.collections {
		held := mine[i%len(mine) : min(i%len(mine)+2, len(mine))]
		if i == 0 {
			held = mine[:min(100, len(mine))]
		}
		col := collected(t, w, id.PersonID, held)
		if i == 0 {
			first = col
		}
	}
	s.member.post("/profile", "handle", "many-badges", "visibility", "public")
	profile, err := w.db.Profile(ctx, id.PersonID)
	must(t, err)
	own, err := w.db.OwnIssuer(ctx)
	must(t, err)
	s.pages = []stockedPage{
		{"overview", "/", s.member},
		{"page 2", "/?page=2", s.member},
		{"search", "/?q=navigator", s.member},
		{"filter", "/?state=holds&sort=name", s.member},
		{"one badge", "/badges/" + mine[0], s.member},
		{"collections", "/collections", s.member},
		{"collection", "/collections/" + first.ID, s.member},
		{"public profile", "/p/many-badges", s.stranger},
		{"profile's feed", "/p/many-badges/feed.atom", s.stranger},
		{"public collection", "/c/" + first.ID, s.stranger},
		{"public badge", "/b/" + mine[0], s.stranger},
		{"catalog", "/catalog", s.stranger},
		{"issuer", "/issuers/" + own.ID, s.stranger},
		{"displayer groups", "/displayer/" + strconv.Itoa(profile.Number) + "/groups.json", s.stranger},
		{"displayer group", fmt.Sprintf("/displayer/%d/group/%d.json", profile.Number, first.Number), s.stranger},
		{"admin: people", "/admin/people", s.admin},
		{"admin: badges", "/admin/badges", s.admin},
		{"admin: mappings", "/admin/mappings", s.admin},
		{"admin: new mapping", "/admin/mappings/new", s.admin},
		{"admin: overview", "/admin", s.admin},
	}
	return s
}

// awarded gives a person public badges and returns the awards' ids.
func awarded(t testing.TB, w *world, class store.Class, person, ref string, n int) (ids []string) {
	t.Helper()
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	must(t, w.db.InTx(t.Context(), func(tx store.Tx) error {
		ids = nil
		for i := range n {
			a, err := tx.CreateAward(t.Context(), store.Award{
				ClassID: class.ID, ClassVersionID: class.VersionID, Origin: "campus", OriginRef: adapters.Ref(fmt.Sprint(ref, "-", i)), PersonID: person,
				Claim: store.Claimed, Visibility: store.Public, IssuedOn: start.Add(time.Duration(i) * time.Hour),
			})
			if err != nil {
				return err
			}
			ids = append(ids, a.ID)
		}
		return nil
	}))
	return ids
}

// collected makes a public collection of awards.
func collected(t testing.TB, w *world, person string, awards []string) store.Collection {
	t.Helper()
	col, err := w.db.CreateCollection(t.Context(), store.Collection{PersonID: person, Name: "Many", Visibility: store.Public})
	must(t, err)
	var held []store.CollectionBadge
	for _, id := range awards {
		held = append(held, store.CollectionBadge{AwardID: id})
	}
	must(t, w.db.SetCollectionBadges(t.Context(), col.ID, held))
	return col
}

// open returns the statements that a page takes when it is opened again.
func (s *stocked) open(t testing.TB, p stockedPage) []string {
	t.Helper()
	for range 2 {
		s.asked.take()
		if a := p.by.get(p.path); a.status != 200 {
			t.Fatalf("%s: %d", p.path, a.status)
		}
	}
	text, _ := s.asked.take()
	return text
}

func TestAPageTakesAsManyStatementsHoweverMuchThereIs(t *testing.T) {
	few := newStocked(t, stock{badges: 5, collections: 5, classes: 5})
	many := newStocked(t, stock{badges: 60, collections: 60, others: 300})
	for i, p := range many.pages {
		t.Run(p.name, func(t *testing.T) {
			before, now := few.open(t, few.pages[i]), many.open(t, p)
			if len(before) != len(now) {
				t.Errorf("%d statements with 5 badges and collections, %d with 60 and those of others:\n%s", len(before), len(now), strings.Join(extra(before, now), "\n"))
			}
		})
	}
}

// extra lists what the longer list has more of.
func extra(a, b []string) []string {
	if len(a) > len(b) {
		a, b = b, a
	}
	a = slices.Clone(a)
	var out []string
	for _, s := range b {
		if i := slices.Index(a, s); i >= 0 {
			a = slices.Delete(a, i, i+1)
			continue
		}
		out = append(out, s)
	}
	return out
}

// small tables grow with what the association sets up, not with people and
// their badges.
func small() []string {
	return []string{"settings", "remotes", "issuers", "i", "classes", "c", "mappings", "m", "signing_keys", "imports", "ranked"}
}

var (
	place   = regexp.MustCompile(`\$\d+`)
	scanned = regexp.MustCompile(`^SCAN (\S+)`)
)

func TestNoPageOfAMemberReadsThroughATable(t *testing.T) {
	s := newStocked(t, stock{badges: 60, collections: 10, others: 1000})
	_, err := s.db.SQL().ExecContext(t.Context(), "ANALYZE")
	must(t, err)
	seen := map[string]bool{}
	for _, p := range s.pages {
		if p.by == s.admin {
			continue // its lists are of all people
		}
		for _, text := range s.open(t, p) {
			if seen[text] {
				continue
			}
			seen[text] = true
			for _, step := range plan(t.Context(), t, s.world, text) {
				if m := scanned.FindStringSubmatch(step); m != nil && !strings.HasPrefix(m[1], "(subquery") && !slices.Contains(small(), m[1]) {
					t.Errorf("%s: %s\n%s", p.name, step, text)
				}
			}
		}
	}
}

// plan is how SQLite goes about a statement.
func plan(ctx context.Context, t testing.TB, w *world, text string) (steps []string) {
	t.Helper()
	most := 0
	for _, p := range place.FindAllString(text, -1) {
		n, _ := strconv.Atoi(p[1:])
		most = max(most, n)
	}
	rows, err := w.db.SQL().QueryContext(ctx, "EXPLAIN QUERY PLAN "+text, make([]any, most)...)
	must(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, parent, unused int
		var step string
		must(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	must(t, rows.Err())
	return steps
}
