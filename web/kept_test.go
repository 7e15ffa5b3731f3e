package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestWhatWasWrittenIsKeptForWhoeverWasSignedOutMeanwhile(t *testing.T) {
	w := newWorld(t)
	stranger := w.browser()
	page := stranger.post("/collections", "name", `Long "walks"`, "story", "Once <b>more</b>", "visibility", "private")
	if page.status != http.StatusUnauthorized {
		t.Errorf("signed out: %d", page.status)
	}
	page.has(t, `action="/collections"`, `name="name" value="Long &#34;walks&#34;"`, `name="story" value="Once &lt;b&gt;more&lt;/b&gt;"`, "Send it again", `href="/login" target="_blank"`)

	member := w.signIn(ada)
	if a := member.post("/collections", "name", `Long "walks"`, "story", "Once <b>more</b>", "visibility", "private"); !strings.HasPrefix(a.path, "/collections/") {
		t.Errorf("sent again: %d at %s", a.status, a.path)
	}

	t.Run("what is too long is not carried about", func(t *testing.T) {
		stranger.post("/collections", "name", "x", "story", strings.Repeat("a", 70<<10)).lacks(t, "aaaaa", "Send it again")
	})
	t.Run("a form from another site is not shown again", func(t *testing.T) {
		stranger.do(http.MethodPost, "/collections", map[string][]string{"name": {"theirs"}}, "Sec-Fetch-Site", "cross-site").lacks(t, "theirs")
	})
}
