package web_test

import (
	"testing"
	"time"

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
	at := o.inspector(t, "account")
	look := func(name string, who *browser, path string) {
		at.as(who)
		at.look(name, path)
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
	new := o.browser()
	new.post("/login/email", "email", bo, "return", "/")
	look("code", new, "/login/code")
	b.post("/me/address", "email", "ada.third@example.org")
	look("address-code", b, "/me/address")
	o.now.add(11 * time.Minute)
	look("leave-again", b, "/me/delete")
}
