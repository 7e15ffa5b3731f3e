package web_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/sync/notices"
)

// The pages of an account in every state, phone and wide, light and dark.
func TestTheAccountsPagesKeepNobodyOut(t *testing.T) {
	o := keeping(t)
	b, own := o.full()
	b.adds("ada.second@example.org")
	zip := b.get("/me/export.zip").body
	restored := b.upload("/me/restore", []byte(zip)).path
	broken := b.upload("/me/restore", []byte("no")).path
	offer := mergeSwitch.FindStringSubmatch(b.adds(admin).body)[1]
	a, err := o.db.Award(t.Context(), own.ID)
	must(t, err)
	a.Expires = o.now.Now().Add(5 * 24 * time.Hour)
	_, err = o.db.PutAward(t.Context(), a)
	must(t, err)
	_, err = notices.Ending(t.Context(), o.db, o.now.Now())
	must(t, err)
	b.get("/verify")
	stop := ""
	for _, l := range o.mailbox.Letters() {
		if stop = stopInMail.FindString(l.Text); stop != "" {
			break
		}
	}
	// The other account, ready to become part of hers; and a sign-in that is too old.
	o.now.add(time.Second)
	other := o.signIn(admin)
	base, err := url.Parse(o.server.URL)
	must(t, err)
	ctx := chromium.Start(t)
	look := func(name string, who *browser, path string) {
		for _, cookie := range who.c.Jar.Cookies(base) {
			_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, Domain: base.Hostname(), Path: "/"})
			must(t, err)
		}
		for _, size := range []struct {
			width  int64
			scheme string
		}{{390, "light"}, {1440, "dark"}} {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: size.scheme}}})
			must(t, err)
			must(t, chromedp.Do(ctx, chromedp.EmulateViewport(size.width, 844), chromedp.Navigate(o.server.URL+path)))
			found, err := chromedp.Run(ctx, chromedp.Evaluate[string](barriers))
			must(t, err)
			if found != "" {
				t.Errorf("%s, %d px, %s:\n%s", name, size.width, size.scheme, found)
			}
			for _, p := range chromium.Problems(ctx) {
				t.Errorf("%s: %s", name, p)
			}
			chromium.Screenshot(t, ctx, "account-"+name+"-"+size.scheme)
		}
	}
	look("notices", b, "/")
	look("me", b, "/me")
	look("yours", b, "/me/yours")
	look("restored", b, restored)
	look("not-restored", b, broken)
	look("merge-offer", b, offer)
	look("merge-ready", other, offer)
	look("leave", b, "/me/delete")
	look("stop", o.browser(), stop)
	o.now.add(11 * time.Minute)
	look("leave-again", b, "/me/delete")
}
