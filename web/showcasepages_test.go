package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"badgebridge/internal/mail"
	"badgebridge/web"
)

// What a member arranges and shows, and how badges come in; and a gateway that
// nobody has set up yet.
func TestTheShowcasePagesKeepNobodyOut(t *testing.T) {
	o := newOutside(t, withBackpacks(t))
	b := o.signIn(ada)
	at := o.inspector(t, "showcase")
	at.as(b)
	at.look("no-badges", "/")
	at.look("no-collections", "/collections")
	at.look("new-collection", "/collections/new")
	at.look("profile-empty", "/profile")
	at.look("add", "/badges/add")
	at.look("no-backpacks", "/me/backpacks")

	list := o.brings(b, ada, 25) // more than a page
	for _, a := range list[:2] {
		b.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	}
	id := b.makesCollection("name", "Sailing", "story", "What I *learned* at [sea](https://example.org/sea).", "visibility", "public")
	empty := b.makesCollection("name", "Nothing yet", "visibility", "private")
	b.post("/collections/"+id+"/badges", "badge", list[0].ID, "badge", list[1].ID, "badge", list[2].ID)
	b.post("/collections/"+id+"/arrange", "do", "up:"+list[1].ID, "note-"+list[0].ID, "A *long* tack")
	b.post("/profile", "handle", "ada-demo", "visibility", "public", "about", "I *sail*.", "link", "https://ada.example.org/me")
	batch := b.bring("/badges/add", map[string][]byte{
		"again.json": o.web[o.awards(1, ada)].Body, "new.json": o.web[o.awards(50, ada)].Body, "bo.json": o.web[o.awards(51, bo)].Body, "empty.txt": []byte(" "),
		"class.json": o.web[college+"/badge"].Body,
	})
	if batch.status != http.StatusOK {
		t.Fatalf("bring files: %d\n%s", batch.status, batch.body)
	}
	at.look("badges", "/")
	at.look("badges-second", "/?page=2")
	at.look("badges-none-found", "/?q=nothing")
	at.look("brought-badge", "/badges/"+list[0].ID)
	at.look("batch", batch.path)
	at.look("collections", "/collections")
	at.look("collection", "/collections/"+id)
	at.do(chromedp.Navigate(o.server.URL + "/collections/" + id))
	_, err := chromedp.Run(at.ctx, chromedp.Evaluate[bool](dragFirstToLast))
	must(t, err)
	at.do(chromedp.WaitVisible(chromedp.CSS("body:not(.before) form[data-arrange]"))) // comes anew once the order is kept
	if got := b.get("/collections/" + id).order(); !slices.Equal(got, []string{list[0].ID, list[2].ID, list[1].ID}) {
		t.Errorf("after a drag the order is %v", got)
	}
	at.look("collection-empty", "/collections/"+empty)
	at.look("profile", "/profile")
	at.look("own-collection-page", "/c/"+empty)
	at.look("access", "/access?scope=issue&state=s1&callback="+url.QueryEscape("https://lms.example/back"))
	offer := b.do(http.MethodPost, "/issuer/frameless", url.Values{
		"assertions": {o.awards(52, ada), o.awards(53, bo), college + "/none"}, "ticket": {"0123456789abcdef0123456789abcdef"}, "page": {"https://lms.example/course"},
	}, "Sec-Fetch-Site", "cross-site")
	offer.has(t, "Sailor", "not awarded to you")
	at.look("incoming", offer.path)

	at.as(o.browser())
	at.look("collection-page", "/c/"+id)
	at.look("profile-page", "/p/ada-demo")
	at.look("brought-page", "/b/"+list[0].ID)
}

func TestTheSetUpAndTheDemosMailboxKeepNobodyOut(t *testing.T) {
	letters := mail.NewMailbox(time.Now)
	must(t, letters.Send(t.Context(), mail.Message{To: ada, Subject: "A badge for you", Text: "Open http://localhost/badges/x"}))
	w := newWorld(t, func(c *web.Config) { c.Demo, c.Mailbox = true, letters })
	link, err := w.setup.NewLink(t.Context())
	must(t, err)
	at := w.inspector(t, "setup")
	at.as(w.browser())
	at.look("start", "/")
	at.look("form", "/setup/"+link)
	at.look("mailbox", "/demo/mailbox")
}

// dragFirstToLast drags a collection's first badge behind the last one.
const dragFirstToLast = `(() => {
  document.body.classList.add("before");
  const rows = document.querySelectorAll("form[data-arrange] li"), last = rows[rows.length - 1].getBoundingClientRect();
  const send = (row, name, y) => row.dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true, clientY: y, dataTransfer: new DataTransfer() }));
  send(rows[0], "dragstart", 0);
  send(rows[rows.length - 1], "dragover", last.bottom - 2);
  send(rows[0], "dragend", 0);
  return true;
})()`
