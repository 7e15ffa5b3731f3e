package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges/bake"
	"badgebridge/store"
)

func TestABadgeIsAddedByItsAddressAfterItWasVerified(t *testing.T) {
	o := newOutside(t)
	member := o.signIn(ada)
	member.get("/badges/add").has(t, "Address, JSON or JWT", "Its public page at Credly", `type="file" multiple`)
	mine, others := o.awards(1, ada), o.awards(2, bo)
	member.post("/badges/add", "url", mine).has(t, "Sailor", "is verified and kept", "Verified by its issuer")
	member.post("/badges/add", "url", mine).has(t, "You have this badge already")
	for url, words := range map[string]string{
		others:             "have not proven here",
		college + "/badge": "not one that somebody earned",
		college + "/none":  "could not be read",
		"":                 "Paste an address",
		"javascript:x":     "could not be read",
	} {
		a := member.post("/badges/add", "url", url)
		a.has(t, words)
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", url, a.status)
		}
	}
}

// bring posts files by name, as the form does.
func (b *browser) bring(path string, files map[string][]byte) answer {
	b.w.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		part, err := form.CreateFormFile("file", name)
		must(b.w.t, err)
		_, err = part.Write(files[name])
		must(b.w.t, err)
	}
	must(b.w.t, form.Close())
	req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.server.URL+path, &body)
	must(b.w.t, err)
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.c.Do(req)
	must(b.w.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(b.w.t, err)
	return answer{res.StatusCode, res.Header, string(text), res.Request.URL.RequestURI()}
}

func TestFiftyFilesAreBroughtAtOnceAndEachIsToldOf(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	picture := []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle r="4"/></svg>`)
	baked := func(address string) []byte {
		out, err := bake.Bake(picture, bake.OpenBadges, o.web[address].Body)
		must(t, err)
		return out
	}
	files := map[string][]byte{}
	for n := range 45 {
		address := o.awards(n+1, ada)
		files[fmt.Sprintf("badge-%02d.json", n)] = o.web[address].Body
		if n%2 == 0 {
			files[fmt.Sprintf("badge-%02d.json", n)] = baked(address)
		}
	}
	first := college + "/a/1"
	files["x-again.svg"] = baked(first)
	files["x-bo.svg"] = baked(o.awards(50, bo))
	files["x-empty.txt"] = []byte(" ")
	files["x-none.svg"] = picture
	files["x-class.json"] = o.web[college+"/badge"].Body
	if len(files) != 50 {
		t.Fatal(len(files))
	}
	a := b.bring("/badges/add", files)
	if a.status != http.StatusOK || !strings.HasPrefix(a.path, "/badges/add/") {
		t.Fatalf("%d at %s\n%s", a.status, a.path, a.body)
	}
	batch := a.path
	a.has(t, "50 of 50 looked at", "45 kept", "1 there already", "1 waits for an address", "3 refused", "x-none.svg", "There is no badge in it.",
		"Take the picture as it was downloaded", "not one that somebody earned", "have not proven here")
	a.lacks(t, `http-equiv="refresh"`, bo)
	if got := o.signIn(bo).get(batch); got.status != http.StatusNotFound {
		t.Errorf("another member reads what was brought: %d", got.status)
	}
	b.get("/").has(t, "45 badges", "1 badge that you brought waits")

	files["y-one-more.json"] = o.web[first].Body
	if a := b.bring("/badges/add", files); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "50 at most") {
		t.Errorf("51 files: %d", a.status)
	}
	id, err := o.db.Identifier(t.Context(), "email", ada)
	must(t, err)
	half, err := o.db.CreateBatch(t.Context(), id.PersonID, []store.BatchFile{{Name: "a.png", Body: []byte("x")}, {Name: "b.png", Done: true, Fate: "kept"}}, time.Time{})
	must(t, err)
	b.get("/badges/add/"+half).has(t, "1 of 2 looked at", "Waits to be verified", `http-equiv="refresh"`)
	if a := b.bring("/badges/add", map[string][]byte{"one.svg": baked(first)}); !strings.HasPrefix(a.path, "/badges/") || strings.HasPrefix(a.path, "/badges/add") {
		t.Errorf("one file leads to %s", a.path)
	}
}

func TestABadgeThatChangedAtItsIssuersIsUpdatedWhenItIsBroughtAgain(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	at := o.awards(1, ada)
	b.post("/badges/add", "url", at)
	b.post("/badges/add", "url", string(o.web[at].Body)).has(t, "You have this badge already")
	var doc map[string]any
	must(t, json.Unmarshal(o.web[at].Body, &doc))
	doc["narrative"] = "Sailed round the cape."
	o.put("/a/1", doc)
	b.post("/badges/add", "url", at).has(t, "changed since you brought it")
}
