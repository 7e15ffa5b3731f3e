package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/store/sqlstore"
)

// choose puts a file into the page's file field, as a person who picks one.
func (v visit) choose(name string, body []byte) {
	v.t.Helper()
	v.waits("#file")
	v.eval(fmt.Sprintf(`(() => { const t = new DataTransfer(), b = Uint8Array.from(atob(%q), c => c.charCodeAt(0)); t.items.add(new File([b], %q)); document.querySelector("#file").files = t.files; return "" })()`,
		base64.StdEncoding.EncodeToString(body), name))
}

// send sends the form and waits for the page that follows.
func (v visit) send(action string) {
	v.t.Helper()
	v.eval(fmt.Sprintf(`(document.documentElement.dataset.before = "yes", document.querySelector('form[action=%q]').requestSubmit(), "")`, action))
	Eventually(v.t, 40*time.Second, "the page after "+action, func() error {
		if v.eval(`document.documentElement ? document.documentElement.dataset.before || "" : "yes"`) != "" {
			return errors.New("still the page before")
		}
		return nil
	})
	v.settled()
}

// adds brings a badge by its file.
func (v visit) adds(name string, body []byte) {
	v.t.Helper()
	v.open("/badges/add")
	v.choose(name, body)
	v.send("/badges/add")
}

// addsBy brings a badge by its address.
func (v visit) addsBy(address string) {
	v.t.Helper()
	v.open("/badges/add")
	v.fill(map[string]string{"url": address})
	v.send("/badges/add")
}

// download follows a link of the page to a file, with the browser's cookies.
func (v visit) download(path string) []byte {
	v.t.Helper()
	v.waits(fmt.Sprintf("a[href=%q]", path))
	jar, err := chromedp.Call(v.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{v.g.URL}})
	must(v.t, err)
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.g.URL+path, nil)
	must(v.t, err)
	for _, c := range jar.Cookies {
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	res, err := http.DefaultClient.Do(req)
	must(v.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(v.t, err)
	if res.StatusCode != http.StatusOK {
		v.t.Fatalf("%s answers %d", path, res.StatusCode)
	}
	return body
}

// byCode asks for a code, reads it in the demo's mailbox and enters it.
func (v visit) byCode(ask, enter, email string) {
	v.t.Helper()
	used := v.codes(email)
	v.eval(fmt.Sprintf(`(document.querySelector("#email").value = %q)`, email))
	v.send(ask)
	code := ""
	Eventually(v.t, 20*time.Second, "a code for "+email, func() error {
		for _, c := range v.codes(email) {
			if !slices.Contains(used, c) {
				code = c
				return nil
			}
		}
		return errors.New("no new letter yet")
	})
	v.fill(map[string]string{"code": code})
	v.send(enter)
}

// codes lists those that were mailed to an address.
func (v visit) codes(email string) (out []string) {
	v.t.Helper()
	_, page := get(v.t, v.g.URL+"/demo/mailbox", "text/html")
	for _, letter := range strings.Split(string(page), "<article")[1:] {
		if code := codeInMail.FindString(letter); code != "" && strings.Contains(letter, email) {
			out = append(out, code)
		}
	}
	return out
}

// A person's whole way with the backpack, in a real browser against the real
// program.
func TestAnEarnersWholeWayFromTheFirstSignInToTheReturn(t *testing.T) {
	school := startCollege(t)
	g := New(t, Options{Demo: true, Port: FreePort(t), Env: map[string]string{"BADGEBRIDGE_LOOPBACK_HOSTS": hostPort(school.URL)}}).Start()
	ctx := chromium.StartFor(t, 6*time.Minute)
	v := visit{t, ctx, g}
	Eventually(t, time.Minute, "the demo is ready", func() error {
		if !strings.Contains(g.Said(), "Sign in: choose") {
			return errors.New("not yet")
		}
		return nil
	})
	// The site takes another port where the one beside the gateway's is in use.
	site := regexp.MustCompile(`Simulated site +(http://\S+)`).FindStringSubmatch(g.Said())[1]
	const second = "chidi.second@example.org"
	kinds := badgesOfAllKinds(newSigner(t), school, second)
	at := map[string]string{} // the badges' own pages, by name
	promise(t, "he signs in for the first time and claims what the association awarded", func(t *testing.T) {
		v := visit{t, ctx, g}
		v.open("/login")
		v.byCode("/login/email", "/login/code", earner)
		v.sees(true, "Waiting for you", "Data Stewardship")
		claim := v.attribute(`.offer form[action$="/claim"]`, "action")
		v.send(claim)
		at["Data Stewardship"] = strings.TrimSuffix(claim, "/claim")
		v.open(at["Data Stewardship"])
		v.sees(false, "Data Stewardship")
	})
	promise(t, "he brings badges of all kinds, and each is met with its own words", func(t *testing.T) {
		v := visit{t, ctx, g}
		for _, k := range kinds {
			if k.url != "" {
				v.addsBy(k.url)
			} else {
				v.adds(k.file, k.body)
			}
			v.sees(false, k.says...)
			if where := v.eval("location.pathname"); (where != "/badges/add") != k.kept {
				t.Errorf("%s: the page is %s:\n%s", k.what, where, v.text())
			} else if k.kept {
				at[k.name] = where
			}
		}
		v.open("/")
		for _, k := range kinds {
			if there := strings.Contains(v.text(), k.name); there != k.kept {
				t.Errorf("%s among his: %v", k.what, there)
			}
		}
	})
	promise(t, "he proves a second address, and what waited for it is his", func(t *testing.T) {
		v := visit{t, ctx, g}
		v.open("/me")
		v.byCode("/me/address", "/me/address/code", second)
		v.sees(false, second, "Letters go here")
		v.shot("me")
		v.open("/")
		v.sees(false, waits)
		if strings.Contains(v.text(), elses) {
			t.Error("a badge of somebody else is his")
		}
		at[waits] = v.eval(fmt.Sprintf(`[...document.querySelectorAll(".wall a")].find((a) => a.textContent.includes(%q)).getAttribute("href")`, waits))
	})
	collection := ""
	promise(t, "he makes a collection and publishes it with its badges", func(t *testing.T) {
		v := visit{t, ctx, g}
		v.open("/collections/new")
		v.fill(map[string]string{"name": "At sea", "story": "What I *learned* there.", "visibility": "public"})
		v.send("/collections")
		v.sees(false, "The collection is made")
		collection = v.eval("location.pathname")
		for _, name := range []string{"Data Stewardship", hosted, limited} {
			v.eval(fmt.Sprintf(`(document.querySelector('.pick input[value=%q]').checked = true, "")`, idIn(at[name])))
		}
		v.send(collection + "/badges")
		v.sees(false, "Badges added: 3.", "3 badges are less visible than the collection")
		v.send(collection + "/reveal")
		v.sees(false, "Badges that are shown from now on: 3.")
		v.open(at[hosted])
		v.fill(map[string]string{"visibility": "public"})
		v.send(at[hosted] + "/visibility")
	})
	promise(t, "every way to share has what the other side takes", func(t *testing.T) {
		v := visit{t, ctx, g}
		v.open(at["Data Stewardship"])
		v.sharesBy("Data Stewardship", "Example Association", idIn(at["Data Stewardship"]), nil)
		v.open(at[limited])
		v.sharesBy(limited, "Demo College", idIn(at[limited]), map[string]string{"organizationId": linkedInID,
			"issueYear": "2026", "issueMonth": "1", "expirationYear": "2099", "expirationMonth": "11"})
		v.copies()
	})
	stranger := v.window()
	promise(t, "signed out, everybody sees what he shows and nothing else", func(t *testing.T) {
		v := visit{t, stranger.ctx, g}
		v.open("/b/" + idIn(at[hosted]))
		v.sees(false, hosted, "Genuine", "Demo College · 127.0.0.1", "Sign in")
		v.shot("public-signed-out")
		v.open("/b/" + idIn(at["Data Stewardship"]))
		v.sees(false, "Data Stewardship", "Genuine", "Example Association")
		v.open("/c/" + idIn(collection))
		v.sees(false, "At sea", "What I learned there.", "Data Stewardship", hosted, limited)
		v.open("/b/" + idIn(at[waits]))
		v.sees(false, "There is nothing here")
		if strings.Contains(v.text(), waits) {
			t.Error("a private badge is told of")
		}
	})
	promise(t, "taken back where it came from, it is revoked here, and he is told", func(t *testing.T) {
		v := visit{t, ctx, g}
		revokeAtSite(t, site, "Data Stewardship", "Chidi")
		v.open("/")
		v.sees(true, "was taken back by its issuer")
		v.shot("notices")
		v.open(at["Data Stewardship"])
		v.sees(false, "Revoked by issuer")
		Eventually(t, 20*time.Second, "a letter about it", func() error {
			if _, page := get(t, g.URL+"/demo/mailbox", "text/html"); !strings.Contains(string(page), "Data Stewardship was taken back") {
				return errors.New("not yet")
			}
			return nil
		})
		// One that he brought: brought again, it is asked for again.
		school.revoke(kinds[0].url, "Lost at sea")
		v.addsBy(kinds[0].url)
		v.sees(false, "revoked by its issuer")
		v.open(at[hosted])
		v.sees(false, "Revoked by issuer", "Lost at sea")
		stranger := visit{t, stranger.ctx, g}
		for _, name := range []string{"Data Stewardship", hosted} {
			stranger.open("/b/" + idIn(at[name]))
			stranger.sees(false, name, "Revoked")
		}
	})
	var taken []byte
	promise(t, "he takes everything with him and deletes the account", func(t *testing.T) {
		v := visit{t, ctx, g}
		v.open("/me/yours")
		v.shot("yours")
		taken = v.download("/me/export.zip")
		for _, k := range kinds {
			if k.kept && k.body != nil && !holds(t, taken, k.body) {
				t.Errorf("the export does not hold %s as it was given", k.what)
			}
		}
		v.open("/me/delete")
		v.sees(false, "What goes", "What stays", "8 badges that you brought")
		v.shot("leave")
		v.eval(`(document.querySelector('[name="sure"]').checked = true, "")`)
		v.send("/me/delete")
		v.sees(false, "Your account is deleted")
		v.shot("left")
		stranger := visit{t, stranger.ctx, g}
		for _, gone := range []string{"/c/" + idIn(collection), "/b/" + idIn(at[hosted]), "/b/" + idIn(at[limited])} {
			stranger.open(gone)
			stranger.sees(false, "There is nothing here")
		}
		// His second address was known to nobody but the gateway.
		db := openStore(t, "sqlite:"+filepath.Join(g.Dir, "badgebridge.db"))
		var left, jobs int
		must(t, db.SQL().QueryRowContext(t.Context(), `SELECT COALESCE(SUM(instr(CAST(args AS TEXT), $1) > 0), 0), COUNT(*) FROM river_job`, second).Scan(&left, &jobs))
		if left > 0 || jobs == 0 {
			t.Errorf("%d of %d jobs name his address", left, jobs)
		}
	})
	promise(t, "he comes back with a new account, and the export brings all of it back", func(t *testing.T) {
		v := visit{t, ctx, g}
		v.open("/login")
		v.byCode("/login/email", "/login/code", earner)
		v.open("/")
		if strings.Contains(v.text(), jwt) {
			t.Error("a badge that was deleted is there")
		}
		v.open("/me/yours")
		v.choose("badges.zip", taken)
		v.send("/me/restore")
		v.sees(false, "Done.", "Came back")
		v.shot("restore")
		v.open("/")
		for _, k := range kinds {
			if k.kept && k.name != hosted {
				v.sees(false, k.name)
			}
		}
		v.open("/collections")
		v.sees(false, "At sea")
	})
	for _, p := range chromium.Problems(ctx) {
		if !strings.HasPrefix(p, "network:") {
			t.Errorf("the console says: %s", p)
		}
	}
}

// idIn is the id at the end of a page's address.
func idIn(page string) string { return page[strings.LastIndexByte(page, '/')+1:] }

// holds reports whether a file of the archive has these bytes.
func holds(t *testing.T, archive, want []byte) bool {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	must(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		var body bytes.Buffer
		_, err = body.ReadFrom(r)
		must(t, err)
		if bytes.Equal(body.Bytes(), want) {
			return true
		}
	}
	return false
}

// revokeAtSite takes a badge back on the simulated site's own page.
func revokeAtSite(t *testing.T, site, badge, person string) {
	t.Helper()
	_, page := get(t, site+"/admin", "text/html")
	for _, row := range strings.Split(string(page), "<li")[1:] {
		entry := regexp.MustCompile(`name="entry" value="(\d+)"`).FindStringSubmatch(row)
		if entry == nil || !strings.Contains(row, badge) || !strings.Contains(row, person) {
			continue
		}
		res, err := http.PostForm(site+"/admin/revoke", url.Values{"entry": {entry[1]}, "reason": {"Awarded in error"}})
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != http.StatusOK {
			t.Fatalf("the site answered %d", res.StatusCode)
		}
		return
	}
	t.Fatalf("the site's page has no %s of %s:\n%s", badge, person, page)
}

func TestTheOperatorExportsBacksUpAndExplains(t *testing.T) {
	port := FreePort(t)
	g := New(t, Options{Demo: true, Port: port}).Start()
	Eventually(t, time.Minute, "the demo is ready", func() error {
		if !strings.Contains(g.Said(), "Sign in: choose") {
			return errors.New("not yet")
		}
		return nil
	})
	env := []string{"BADGEBRIDGE_DATA_DIR=" + g.Dir, "BADGEBRIDGE_LISTEN=localhost:0"}
	copyTo := t.TempDir() + "/copy.db"
	if code, _, errs := Run(t, env, "", "backup", "-o", copyTo); code != 0 || !strings.Contains(errs, "master key") {
		t.Errorf("backup: %d %s", code, errs)
	}
	complaint(t, env, 2, []string{"exists already"}, "backup", "-o", copyTo)
	complaint(t, append(env, "BADGEBRIDGE_DATABASE_URL=postgres://x@localhost/x"), 2, []string{"pg_dump"}, "backup", "-o", copyTo)
	complaint(t, env, 1, []string{"nobody here"}, "export", "nobody@example.org", "-o", "-")
	complaint(t, env, 1, []string{"nothing here is known"}, "explain", "what-is-this")

	// The copy is a database like the one it was made of.
	w := openCopy(t, copyTo)
	awards, err := w.AwardsFor(t.Context(), ada, 10)
	must(t, err)
	if len(awards) == 0 {
		t.Fatal("the copy has no award")
	}
	for _, name := range []string{awards[0].ID, string(awards[0].OriginRef), g.URL + "/b/" + awards[0].ID + ".json"} {
		code, out, errs := Run(t, env, "", "explain", name)
		if code != 0 || !strings.Contains(out, "What happened") || !strings.Contains(out, "Awarded at site") || !strings.Contains(out, "Read at site") {
			t.Errorf("explain %s: %d %s%s", name, code, out, errs)
		}
	}
	code, out, _ := Run(t, env, "", "explain", awards[0].ID, "--json")
	var x struct {
		Award    string
		Happened []struct{ What string }
	}
	if err := json.Unmarshal([]byte(out), &x); err != nil || code != 0 || x.Award != awards[0].ID || len(x.Happened) < 2 {
		t.Errorf("explain --json: %d %v\n%s", code, err, out)
	}
}

func openCopy(t *testing.T, path string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), "sqlite:"+path, sqlstore.Options{KeepSchema: true})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}
