package web_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/archive"
	"badgebridge/web"
)

// keeping adds what exports and restores need to a world; restores are done when
// their form is answered.
func keeping(t *testing.T) *outside { return keepingWith(t) }

func keepingWith(t *testing.T, change ...func(*web.Config)) *outside {
	t.Helper()
	o := newOutside(t, append(change, func(c *web.Config) {
		c.Archive = archive.New(archive.Config{Store: c.Store, Backpack: c.Backpack, Claim: c.Engine.Claim, BaseURL: c.BaseURL, Now: c.Now, Log: c.Log})
		c.Go = func(work func(context.Context)) { work(context.Background()) }
	})...)
	return o
}

// upload sends a file as a form does.
func (b *browser) upload(path string, body []byte) answer {
	b.w.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "badges.zip")
	must(b.w.t, err)
	_, err = part.Write(body)
	must(b.w.t, err)
	must(b.w.t, w.Close())
	return b.send(path, w.FormDataContentType(), form.Bytes())
}

// dump is every value of every table, as text.
func (w *world) dump() string {
	w.t.Helper()
	ctx := w.t.Context()
	var out strings.Builder
	tables, err := w.db.SQL().QueryContext(ctx, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	must(w.t, err)
	var names []string
	defer tables.Close()
	for tables.Next() {
		var name string
		must(w.t, tables.Scan(&name))
		names = append(names, name)
	}
	must(w.t, tables.Err())
	for _, name := range names {
		w.dumpTable(&out, name)
	}
	return out.String()
}

func (w *world) dumpTable(out *strings.Builder, name string) {
	w.t.Helper()
	rows, err := w.db.SQL().QueryContext(w.t.Context(), "SELECT * FROM "+name)
	must(w.t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	must(w.t, err)
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		must(w.t, rows.Scan(values...))
		for i, v := range values {
			p, _ := v.(*any)
			if b, ok := (*p).([]byte); ok {
				*p = string(b)
			}
			fmt.Fprintf(out, "%s.%s=%v\n", name, columns[i], *p)
		}
	}
	must(w.t, rows.Err())
}

func unzip(t *testing.T, body string) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	must(t, err)
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		out[f.Name], err = io.ReadAll(r)
		must(t, err)
	}
	return out
}

// full gives ada badges of every kind and a collection, and returns her browser and
// the association's award.
func (o *outside) full() (*browser, store.Award) {
	o.t.Helper()
	ctx := o.t.Context()
	o.connect()
	b := o.signIn(ada)
	own := o.awardOf(ada, "Mentor")
	b.post("/badges/" + own.ID + "/claim")
	b.post("/badges/"+own.ID+"/visibility", "visibility", "public")
	b.post("/me/name", "given", "Ada", "family", "Quillfeather")
	b.post("/badges/add", "url", o.awards(1, ada))
	b.post("/badges/add", "url", o.awards(2, "ada@elsewhere.example"))
	person := o.person(ada)
	awards, err := o.db.AwardsOf(ctx, person, 10)
	must(o.t, err)
	c, err := o.db.CreateCollection(ctx, store.Collection{PersonID: person, Name: "Afloat", Story: "By Ada Quillfeather", Visibility: store.Public})
	must(o.t, err)
	var badges []store.CollectionBadge
	for _, a := range awards {
		if a.Claim == store.Claimed {
			badges = append(badges, store.CollectionBadge{AwardID: a.ID, Note: "mine"})
		}
	}
	must(o.t, o.db.SetCollectionBadges(ctx, c.ID, badges))
	own, err = o.db.Award(ctx, own.ID)
	must(o.t, err)
	return b, own
}

func TestEverythingGoesOutIsDeletedAndComesBackOnce(t *testing.T) {
	o := keeping(t)
	ctx := t.Context()
	b, own := o.full()
	doc, err := o.db.AssertionOf(ctx, own.ID, openbadges.V20)
	must(t, err)
	document := "/ob/v2/assertions/" + doc.ID
	if a := o.browser().get(document); a.status != http.StatusOK {
		t.Fatalf("the document answers %d", a.status)
	}
	a := b.get("/me/export.zip")
	if a.header.Get("Content-Type") != "application/zip" || !strings.Contains(a.header.Get("Cache-Control"), "no-store") {
		t.Errorf("%v", a.header)
	}
	if out := o.browser().stop().get("/me/export.zip"); out.status != http.StatusSeeOther {
		t.Errorf("signed out it answers %d", out.status)
	}
	files := unzip(t, a.body)
	var m archive.Manifest
	must(t, json.Unmarshal(files["manifest.json"], &m))
	if len(m.Files) != len(files)-1 || len(m.Files) < 10 {
		t.Errorf("%d files in the list, %d in all", len(m.Files), len(files))
	}
	kinds := map[string]int{}
	for _, f := range m.Files {
		sum := sha256.Sum256(files[f.Path])
		if hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(files[f.Path])) != f.Size {
			t.Errorf("%s is not what the list says", f.Path)
		}
		for _, kind := range []string{"issued-1.1", "issued-2.0", "issued-3.0", "baked", "hosted", "image"} {
			if strings.Contains(f.Path, kind) {
				kinds[kind]++
			}
		}
	}
	if len(kinds) != 6 {
		t.Errorf("files are of the kinds %v", kinds)
	}
	if !bytes.Equal(files["badges/"+own.ID+"/issued-2.0.json"], []byte(o.browser().get(document).body)) {
		t.Error("the document in the file is not the one that is served")
	}

	// Too long after the sign-in nothing is deleted; then a code does.
	o.now.add(11 * time.Minute)
	page := b.get("/me/delete")
	page.has(t, "Sign in once more", "What stays")
	page.lacks(t, `name="sure"`)
	if a := b.post("/me/delete", "sure", "yes"); a.status != http.StatusForbidden {
		t.Errorf("deleted without a fresh sign-in: %d", a.status)
	}
	b.post("/login/email", "email", ada, "return", "/me/delete")
	b.post("/login/code", "code", o.code(ada)).has(t, `name="sure"`, "1 badge that you brought", "That the association awarded 3 badges")
	if a := b.post("/me/delete"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("deleted without being sure: %d", a.status)
	}
	b.post("/me/delete", "sure", "yes", "records", "remove").has(t, "Your account is deleted")
	b.get("/me").has(t, "Sign in")
	for what, words := range map[string]string{"address": ada, "other address": "ada@elsewhere.example", "name": "Quillfeather", "name at the site": "Ada Example"} {
		for _, line := range strings.Split(o.dump(), "\n") {
			if strings.Contains(strings.ToLower(line), strings.ToLower(words)) {
				t.Errorf("her %s remains: %.200s", what, line)
			}
		}
	}
	if a := o.browser().get(document); a.status != http.StatusNotFound {
		t.Errorf("the document answers %d after she took it away", a.status)
	}
	fact, err := o.db.Award(ctx, own.ID)
	if err != nil || fact.PersonID != "" {
		t.Errorf("the association's fact: %+v, %v", fact, err)
	}

	// Back, with the same address, and the file.
	b = o.signIn(ada)
	for i, want := range []string{"<dt>Came back</dt><dd>2</dd>", "<dt>Were here already</dt><dd>4</dd>"} {
		page := b.upload("/me/restore", []byte(a.body))
		page.has(t, "5 of 5 badges", want, "<dt>Could not be verified</dt><dd>0</dd>", "<dt>Wait for the proof of an address</dt><dd>1 ·")
		person := o.person(ada)
		if n, err := o.db.CountAwards(ctx, store.AwardFilter{PersonID: person, Claim: store.Claimed}); err != nil || n != 2 {
			t.Errorf("time %d: %d badges, %v", i+1, n, err)
		}
		list, err := o.db.CollectionsOf(ctx, person)
		must(t, err)
		if len(list) != 1 || list[0].Name != "Afloat" || list[0].Visibility != store.Public {
			t.Fatalf("time %d: collections %+v", i+1, list)
		}
		badges, err := o.db.CollectionBadges(ctx, list[0].ID)
		if err != nil || len(badges) != 2 || badges[0].Note != "mine" {
			t.Errorf("time %d: %+v, %v", i+1, badges, err)
		}
	}
	if a := o.browser().get(document); a.status != http.StatusOK {
		t.Errorf("the document answers %d after she came back", a.status)
	}
	again, err := o.db.Award(ctx, own.ID)
	if err != nil || again.Recipient.Identity != ada || again.Visibility != store.Public {
		t.Errorf("%+v, %v", again, err)
	}
	if a := o.signIn(bo).upload("/me/restore", []byte("PK no")); !strings.Contains(a.body, "no file that") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestRecordsStayVerifiableWhereTheirEarnerWantsThatAndTheOnlyAdminStays(t *testing.T) {
	o := keeping(t)
	b, own := o.full()
	doc, err := o.db.AssertionOf(t.Context(), own.ID, openbadges.V20)
	must(t, err)
	b.post("/me/delete", "sure", "yes", "records", "keep").has(t, "Your account is deleted")
	if a := o.browser().get("/ob/v2/assertions/" + doc.ID); a.status != http.StatusOK || strings.Contains(a.body, ada) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := o.browser().get("/b/" + own.ID); a.status != http.StatusNotFound {
		t.Errorf("her page answers %d", a.status)
	}
}
