package connections_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/connections"
)

func TestACollectionArrivesOnceAndEveryRefusalHasItsWords(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	var all []string
	for range 47 {
		all = append(all, w.award("good"))
	}
	for range 3 {
		all = append(all, w.award("foreign"))
	}
	if p := w.push(c, append(all, "nothing")...); p != (connections.Pushed{New: 50, Left: 1}) {
		t.Errorf("%+v", p)
	}
	if p := w.push(c, all...); p != (connections.Pushed{There: 50}) {
		t.Errorf("twice: %+v", p)
	}
	w.send()
	w.states(c, map[store.PushState]int{store.PushDone: 47, store.PushRejected: 3})
	refused, err := w.store.DepositsIn(t.Context(), c.ID, store.PushRejected, 9)
	must(t, err)
	for _, d := range refused {
		if d.Words != "badge assertion is for a different user" || d.Reason != "refused" {
			t.Errorf("%+v", d)
		}
	}
	// Again: what is there is left alone, what was refused is tried.
	if p := w.push(c, all...); p != (connections.Pushed{There: 47, Again: 3}) {
		t.Errorf("again: %+v", p)
	}
	w.send()
	w.states(c, map[store.PushState]int{store.PushDone: 47, store.PushRejected: 3})
	if n, err := w.Retry(t.Context(), w.ada.ID, c.ID); n != 3 || err != nil {
		t.Errorf("Retry = %d, %v", n, err)
	}
	w.send()
	for badge, n := range w.other.asked {
		if strings.Contains(badge, "good") && n != 1 {
			t.Errorf("%s was given %d times", badge, n)
		}
	}
	if w.other.held() != 47 {
		t.Errorf("the other side holds %d", w.other.held())
	}
}

func TestADepositThatWasCutOffIsGivenAgainAndStaysOne(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	w.push(c, w.award("good"), w.award("good"))
	w.other.set(func() { w.other.hang = make(chan struct{}) })
	ctx, kill := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _, _ = w.SendDue(ctx) }()
	<-w.other.hang // it has the badge
	kill()
	<-done
	w.other.set(func() { w.other.hang = nil })
	w.states(c, map[store.PushState]int{store.PushSent: 1, store.PushQueued: 1})
	w.Connections = connections.New(w.cfg) // another process
	w.later(time.Minute)
	w.send()
	w.states(c, map[store.PushState]int{store.PushDone: 2})
	if w.other.held() != 2 {
		t.Errorf("the other side holds %d", w.other.held())
	}
}

func TestAGrantIsRenewedAndOneThatCannotBeWaitsForItsPerson(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	sealed := c.Sealed
	w.later(2 * time.Hour) // ended by its time
	w.push(c, w.award("good"))
	w.send()
	w.other.set(func() { w.other.access = "ended before its time" })
	w.push(c, w.award("good"))
	w.send()
	w.states(c, map[store.PushState]int{store.PushDone: 2})
	if now := w.state(c, store.ConnectionActive); string(now.Sealed) == string(sealed) || strings.Contains(string(now.Sealed), "refresh") {
		t.Error("the new grant was not sealed and saved")
	}
	// The permission was taken back there.
	w.other.set(func() { w.other.access, w.other.dead = "gone", true })
	w.push(c, w.award("good"), w.award("good"))
	w.send()
	broken := w.state(c, store.ConnectionBroken)
	if broken.Message != "invalid refresh_token" {
		t.Errorf("it says %q", broken.Message)
	}
	w.states(c, map[store.PushState]int{store.PushDone: 2, store.PushWaiting: 2})
	w.push(c, w.award("good"))
	if w.send() != 0 {
		t.Error("a broken connection was used")
	}
	w.states(c, map[store.PushState]int{store.PushDone: 2, store.PushWaiting: 3})
	w.other.set(func() { w.other.dead = false; w.other.turn() })
	if again := w.connect(); again.ID != c.ID {
		t.Error("connecting again made a second connection")
	}
	w.send()
	w.states(c, map[store.PushState]int{store.PushDone: 5})
}

func TestWhatCountsFromNowOnIsSentByItself(t *testing.T) {
	w := newWorld(t)
	w.award("good")
	w.later(time.Minute)
	c := w.connect()
	must(t, w.SetAuto(t.Context(), w.ada.ID, c.ID, true))
	w.later(time.Minute)
	noted, forgotten := w.award("good"), w.award("good")
	back := w.award("good")
	_, err := w.store.CreateCollected(t.Context(), store.Collected{PersonID: w.ada.ID, AwardID: back, Locator: "https://college.example/x",
		Source: "push:" + w.url, Standing: store.Genuine, Verification: "hosted", Report: []byte("{}")})
	must(t, err)
	w.Connections = connections.New(w.cfg)
	if _, err := w.Offer(t.Context(), true); err != nil { // the first look is at everything
		t.Fatal(err)
	}
	w.states(c, map[store.PushState]int{store.PushQueued: 2, store.PushDone: 1})
	more := w.award("good")
	w.Changed(more)
	w.Changed(noted)
	if n, err := w.Offer(t.Context(), false); n != 1 || err != nil {
		t.Errorf("Offer = %d, %v", n, err)
	}
	w.send()
	if w.other.held() != 3 {
		t.Errorf("the other side holds %d", w.other.held())
	}
	must(t, w.SetAuto(t.Context(), w.ada.ID, c.ID, false))
	w.Changed(w.award("good"))
	if n, err := w.Offer(t.Context(), true); n != 0 || err != nil {
		t.Errorf("switched off: Offer = %d, %v", n, err)
	}
	_ = forgotten
}

func TestABackpackThatIsDownOrAsksForTimeGetsIt(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	w.push(c, w.award("good"), w.award("good"), w.award("good"))
	w.other.set(func() { w.other.slow = 90 * time.Second })
	if n := w.send(); n != 1 {
		t.Errorf("%d attempts after it asked to slow down", n)
	}
	w.later(80 * time.Second)
	if n := w.send(); n != 0 {
		t.Errorf("%d attempts before its time was over", n)
	}
	w.later(11 * time.Second)
	w.send()
	w.states(c, map[store.PushState]int{store.PushDone: 3})
	w.other.set(func() { w.other.down = true })
	w.push(c, w.award("good"), w.award("good"))
	if n := w.send(); n != 1 {
		t.Errorf("%d attempts while it is down", n)
	}
	w.other.set(func() { w.other.down = false })
	w.later(time.Hour)
	w.send()
	w.states(c, map[store.PushState]int{store.PushDone: 5})
}

func TestDisconnectingForgetsTheGrantHereAndEndsItThere(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	w.push(c, w.award("good"))
	for name, f := range map[string]func() error{
		"disconnect": func() error { _, err := w.Disconnect(t.Context(), "somebody", c.ID); return err },
		"push":       func() error { _, err := w.Push(t.Context(), "somebody", c.ID, []string{"x"}); return err },
		"retry":      func() error { _, err := w.Retry(t.Context(), "somebody", c.ID); return err },
		"auto":       func() error { return w.SetAuto(t.Context(), "somebody", c.ID, true) },
	} {
		if err := f(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("somebody else: %s: %v", name, err)
		}
	}
	told, err := w.Disconnect(t.Context(), w.ada.ID, c.ID)
	if !told || err != nil || !w.other.revoked {
		t.Errorf("Disconnect = %v, %v; ended there: %v", told, err, w.other.revoked)
	}
	if n := w.send(); n != 0 || w.other.held() != 0 {
		t.Errorf("%d attempts, %d arrived", n, w.other.held())
	}
	if _, err := w.store.Connection(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the connection: %v", err)
	}
}

func TestWhatIsTakenBackBeforeItIsSentStaysHere(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	id := w.award("good")
	w.push(c, id)
	a, err := w.store.Award(t.Context(), id)
	must(t, err)
	a.Revoked = true
	_, err = w.store.PutAward(t.Context(), a)
	must(t, err)
	w.send()
	w.states(c, map[store.PushState]int{store.PushCancelled: 1})
	if w.other.held() != 0 {
		t.Error("it was sent")
	}
}

func TestAnAddressIsWhatPeopleType(t *testing.T) {
	for typed, want := range map[string]string{
		"backpack.example":                        "https://backpack.example",
		" https://Backpack.Example/ ":             "https://backpack.example",
		"https://backpack.example/issuer.js":      "https://backpack.example",
		"https://b.example/x/access?callback=y#z": "https://b.example/x",
		"http://localhost:8080":                   "http://localhost:8080",
	} {
		if got, err := connections.Address(typed); got != want || err != nil {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	w := newWorld(t)
	for _, bad := range []string{"", "ftp://x.example", "https://u:p@x.example", "not an address", "https://badges.example", "http://elsewhere.example"} {
		if _, err := w.Begin(t.Context(), w.ada.ID, "backpack", bad, "/back/", ""); !errors.Is(err, connections.ErrAddress) {
			t.Errorf("%q: %v, want ErrAddress", bad, err)
		}
	}
	if _, err := w.Begin(t.Context(), w.ada.ID, "backpack", w.url+"/nothing", "/back/", ""); !errors.Is(err, adapters.ErrNotFound) && err != nil {
		t.Errorf("no backpack: %v", err)
	}
}
