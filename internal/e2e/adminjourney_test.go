package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/engine"
)

const designs = 60 // two pages at Credly

// as gives the browser the session of somebody who has signed in.
func (v visit) as(b *Browser) {
	v.t.Helper()
	must(v.t, chromedp.Do(v.ctx, chromedp.Navigate("about:blank")))
	public, err := url.Parse(PublicURL)
	must(v.t, err)
	for _, c := range b.client.Jar.Cookies(public) {
		secure := strings.HasPrefix(c.Name, "__")
		_, err := chromedp.Call(v.ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: v.g.URL, Path: "/", Secure: &secure})
		must(v.t, err)
	}
}

// fill puts words into fields of the page, as a person who types.
func (v visit) fill(fields map[string]string) {
	v.t.Helper()
	for name, value := range fields {
		v.waits(fmt.Sprintf("[name=%q]", name))
		v.eval(fmt.Sprintf(`(() => { const f = document.querySelector('[name=%[1]q]'); if (f.type === "radio") { document.querySelector('[name=%[1]q][value=%[2]q]').checked = true } else { f.value = %[2]q } return "" })()`, name, value))
	}
}

// seed puts designs and tokens with faults at Credly.
func seedDesigns(t testing.TB, w *World) {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	seed := simcredly.Seed{Tokens: []simcredly.Token{
		{OrgID: simcredly.DemoOrg, Token: "token-that-has-expired", Read: true, Write: true, ExpiresAt: &past},
		{OrgID: simcredly.DemoOrg, Token: "token-that-only-reads", Read: true},
	}}
	for i := 1; i <= designs; i++ {
		d := design(i)
		if i == 3 { // one that lacks what people look for
			d.GlobalURL, d.Activities = "", nil
		}
		seed.Templates = append(seed.Templates, d)
	}
	must(t, w.Sim.Seed(seed))
}

// design is the i-th badge as it was designed at Credly. Its few images keep the
// test short.
func design(i int) simcredly.Template {
	return simcredly.Template{
		ID: fmt.Sprintf("0c7cbd20-0000-4000-8000-0000000010%02d", i), OrgID: simcredly.DemoOrg, Name: fmt.Sprintf("Design %02d & more", i),
		Description: "Knows how to do what design " + fmt.Sprint(i) + " asks for.", GlobalURL: "https://example.org/designs",
		ImageID: fmt.Sprintf("3f000000-0000-4000-8000-00000000000%d", i%3), Skills: []string{"Facilitation", "Sewing", []string{"Weaving", "Dyeing"}[i%2]},
		Activities: []simcredly.Activity{{Type: "Course", Title: "A course of three evenings"}},
	}
}

func TestAnAdminBringsCredlysDesignsToWordPress(t *testing.T) {
	site := startWordPress(t)
	w := NewWorld(t, WorldOptions{Site: site})
	seedDesigns(t, w)
	w.Admin.SetUp(t, w.Gateway, w.Mail, alex)
	w.Badge = w.Site.AddBadge(t, "Design 02 & more") // by hand, before
	w.Site.Pair(t, PublicURL, w.Admin.PairingCode(t))
	remotes, err := w.DB.Remotes(t.Context())
	must(t, err)
	w.SiteName = remotes[0].Name
	classOf(t, w.DB, w.SiteName)
	v := visit{t, chromium.Start(t), w.Gateway}
	v.as(w.Admin)

	promise(t, "each fault of a token says what to do", func(t *testing.T) {
		v := visit{t, v.ctx, v.g}
		connect := func(token string) {
			v.open("/admin/connect/credly")
			v.fill(map[string]string{"where": "custom", "organization": simcredly.DemoOrg, "token": token})
			v.click("main form button")
		}
		for _, token := range []string{"token-that-nobody-made", "token-that-has-expired"} {
			connect(token)
			v.waits("#problem")
			v.sees(false, "mistyped", "expired", "180 days", "Make a new one at Credly")
			v.shot("connect-credly-" + token)
			if strings.Contains(v.eval("document.documentElement.outerHTML"), token) {
				t.Error("the page shows the token")
			}
		}
		connect("token-that-only-reads")
		v.sees(false, "the token can only read", "make a token with write access")
		v.shot("connect-credly-read-only")
		connect(simcredly.DemoToken)
		v.sees(false, "Token expires")
		if strings.Contains(v.text(), "can only read") {
			t.Errorf("the new token is taken for one that can only read:\n%s", v.text())
		}
		v.shot("connect-credly-connected")
	})
	promise(t, "the designs of both pages are in the gallery", func(t *testing.T) {
		v := visit{t, v.ctx, v.g}
		Eventually(t, time.Minute, "the catalog is read, with images", func() error {
			all, err := w.DB.Classes(t.Context(), credlyName)
			if err != nil {
				return err
			}
			if len(all) != designs+1 || slices.ContainsFunc(all, func(c store.Class) bool { return c.ImageSHA == "" }) {
				return fmt.Errorf("%d badges", len(all))
			}
			return nil
		})
		v.open("/admin/import?from=credly")
		v.sees(false, fmt.Sprint(designs+1)+" badges", "Page 1 of 3", "Facilitation")
		v.shot("import-gallery")
		v.press("Next page")
		v.sees(false, "Page 2 of 3")
		v.open("/admin/import?from=credly&skill=Weaving")
		v.sees(false, fmt.Sprint(designs/2)+" badges")
		v.open("/admin/import?from=credly&q=nothing+like+it")
		v.sees(false, "Nothing matches")
		v.shot("import-nothing")
	})
	promise(t, "sixty designs are imported, with progress", func(t *testing.T) {
		v := visit{t, v.ctx, v.g}
		v.open("/admin/import?from=credly&q=Design")
		v.press(fmt.Sprintf("Review all %d that match", designs))
		v.sees(false, "Before the import", "no criteria")
		v.shot("import-review")
		if v.eval(`document.querySelectorAll('select[name^="target-"] option:checked:not([value=new])').length + ""`) != "1" {
			t.Error("the badge of the same name was not proposed")
		}
		v.press(fmt.Sprintf("Import %d badges", designs))
		v.sees(false, fmt.Sprintf("of %d imported.", designs))
		v.shot("import-progress")
		began := v.eval("location.pathname")
		Eventually(t, 2*time.Minute, "the page says that all are imported", func() error {
			if text := v.text(); !strings.Contains(text, fmt.Sprintf("%d of %d imported.", designs, designs)) {
				return fmt.Errorf("%.300s", text)
			}
			return nil
		})
		v.settled()
		v.shot("import-done")
		if at := v.eval("location.pathname"); at != began {
			t.Errorf("the progress is at %s, then at %s", began, at)
		}
		if n := strings.TrimSpace(site.PHP(t, `echo count( get_posts( array( 'post_type' => 'badges', 'post_status' => 'publish', 'numberposts' => -1, 's' => 'Design' ) ) );`)); n != fmt.Sprint(designs) {
			t.Errorf("WordPress has %s badges", n)
		}
	})
	var mapping store.Mapping
	promise(t, "nothing flows before a policy is set behind its dry run", func(t *testing.T) {
		v := visit{t, v.ctx, v.g}
		mapping = mappingNamed(t, w, "Design 07 & more")
		if mapping.AToB != store.Never || mapping.BToA != store.Never {
			t.Fatalf("%+v", mapping)
		}
		v.open("/admin/mappings/" + mapping.ID)
		v.shot("mapping-policy")
		v.fill(map[string]string{"a_to_b": "on-claim", "mailer": "gateway"})
		v.press("Show what would happen")
		v.sees(false, "Nothing would be sent now")
		v.shot("mapping-preview")
		v.click(`form[action="/admin/mappings"] button`)
		v.sees(false, "The mapping is saved.")
	})
	member := NewBrowser(t, w.Gateway)
	var award store.Award
	promise(t, "an award is claimed with name and address seen, and is at Credly", func(t *testing.T) {
		v := visit{t, v.ctx, v.g}
		a, err := w.DB.Class(t.Context(), mapping.ClassA)
		must(t, err)
		var badge int64
		_, err = fmt.Sscan(string(a.Ref), &badge)
		must(t, err)
		w.Site.Award(t, badge, w.Site.AddMember(t, ada, "Ada", "Example"))
		award = w.Offered(t, ada, 1)
		member.SignIn(t, w.Mail, ada)
		v.as(member)
		v.open("/badges/" + award.ID)
		v.sees(false, "What is sent when you claim it", "Ada Example", ada, "Credly")
		v.shot("member-claim")
		v.press("Claim")
		w.Pushed(t, award.ID, store.OpIssue, credlyName, store.PushDone)
		if got := w.AtCredly(ada); len(got) != 1 || got[0].State != simcredly.Pending {
			t.Fatalf("%+v", got)
		}
	})
	promise(t, "accepted at Credly, its state shows here", func(t *testing.T) {
		v := visit{t, v.ctx, v.g}
		w.Pulled(t, credlyName)
		v.open("/badges/" + award.ID + "#copies")
		v.sees(true, "Sent to "+ada)
		v.shot("member-pending")
		there := v.attribute(`#copies a[href*="/accept"]`, "href")
		must(t, chromedp.Do(v.ctx, chromedp.Navigate(there)))
		v.click(`form[action$="/accept"] button`)
		Eventually(t, 20*time.Second, "Credly has the acceptance", func() error {
			if got := w.AtCredly(ada); got[0].State != simcredly.Accepted {
				return fmt.Errorf("%+v", got)
			}
			return nil
		})
		w.Pulled(t, credlyName)
		v.open("/badges/" + award.ID)
		Eventually(t, 20*time.Second, "the badge is there, and no longer to be accepted", func() error {
			if strings.Contains(v.text(), "Sent to "+ada) {
				v.open("/badges/" + award.ID)
				return fmt.Errorf("still pending")
			}
			return nil
		})
		v.shot("member-accepted")
	})
	promise(t, "another image at Credly is shown as drift and taken over to the site", func(t *testing.T) {
		v := visit{t, v.ctx, v.g}
		d := design(7)
		d.ImageID, d.Description = "3f000000-0000-4000-8000-000000000099", "Knows more than before."
		must(t, w.Sim.Seed(simcredly.Seed{Templates: []simcredly.Template{d}}))
		w.ListAll(t, credlyName)
		before, err := w.DB.Class(t.Context(), mapping.ClassA)
		must(t, err)
		v.as(w.Admin)
		v.open("/admin")
		v.sees(false, "One badge changed at the other side")
		v.shot("overview-drift")
		v.press("One badge changed")
		v.sees(false, "Design 07 & more", "Image", "Knows more than before.")
		v.shot("drift")
		v.fill(map[string]string{"field-image": "take", "field-description": "keep"})
		v.press("Save")
		v.sees(false, "The site’s badge was changed.", "Everything is as it was")
		v.shot("drift-none")
		after, err := w.DB.Class(t.Context(), mapping.ClassA)
		must(t, err)
		theirs, err := w.DB.Class(t.Context(), mapping.ClassB)
		must(t, err)
		if after.ImageSHA == before.ImageSHA || after.ImageSHA != theirs.ImageSHA || after.Content.Description != before.Content.Description {
			t.Errorf("from %+v came %+v", before, after)
		}
		res, err := http.Get(after.Content.Image.ID)
		must(t, err)
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("the site's image answers %d", res.StatusCode)
		}
	})
	promise(t, "a template that is gone stops its mapping and the admins are told", func(t *testing.T) {
		v := visit{t, v.ctx, v.g}
		gone := mappingNamed(t, w, "Design 09 & more")
		must(t, w.Sim.DeleteTemplate(design(9).ID))
		w.ListAll(t, credlyName)
		v.open("/admin")
		v.sees(false, "One badge is gone at the other side")
		v.shot("overview-gone")
		v.open("/admin/drift")
		v.shot("drift-gone")
		if m, err := w.DB.Mapping(t.Context(), gone.ID); err != nil || m.Paused != engine.PausedGone {
			t.Errorf("%+v, %v", m, err)
		}
		Eventually(t, 30*time.Second, "the admin is told by mail", func() error {
			for _, l := range w.Mail.To(alex) {
				if strings.Contains(l.Subject, "Design 09 & more is gone from Credly") {
					return nil
				}
			}
			return fmt.Errorf("%d letters", len(w.Mail.To(alex)))
		})
	})
	for _, p := range chromium.Problems(v.ctx) {
		if !strings.HasPrefix(p, "network:") {
			t.Errorf("the console says: %s", p)
		}
	}
}

// mappingNamed is the mapping of the badge that has this name at Credly.
func mappingNamed(t testing.TB, w *World, name string) store.Mapping {
	t.Helper()
	all, err := w.DB.Mappings(t.Context())
	must(t, err)
	for _, m := range all {
		if c, err := w.DB.Class(t.Context(), m.ClassB); err == nil && c.Content.Name == name {
			return m
		}
	}
	t.Fatalf("no mapping of %q among %d", name, len(all))
	return store.Mapping{}
}
