package login_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/auth/login"
)

func send(t *testing.T, w *world, r login.CodeRequest) (id, code string) {
	t.Helper()
	id, err := w.SendCode(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	_, code = w.code(t)
	return id, code
}

func TestACodeSignsInWhoeverHoldsTheAddress(t *testing.T) {
	w := newWorld(t)
	id, code := send(t, w, login.CodeRequest{Email: " Ada@Example.ORG ", Locale: "en", ReturnTo: "/badges"})
	if !regexp.MustCompile(`^[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}$`).MatchString(code) {
		t.Errorf("the code is %q", code)
	}
	if m, _ := w.code(t); m.To != ada || m.Purpose != login.PurposeSignIn || m.Locale != "en" {
		t.Errorf("%+v", m)
	}
	res, err := w.CheckCode(t.Context(), id, "  "+strings.ToLower(code)+" ")
	if err != nil || !res.New || res.PersonID == "" || res.Email != ada || res.ReturnTo != "/badges" {
		t.Fatalf("%+v, %v", res, err)
	}
	if w.proven[ada] != res.PersonID {
		t.Error("nobody heard of it")
	}
	if _, err := w.CheckCode(t.Context(), id, code); !errors.Is(err, login.ErrCodeExpired) {
		t.Errorf("the code is good twice: %v", err)
	}
	if again := w.byCode(t, ada); again.PersonID != res.PersonID || again.New {
		t.Errorf("the next time: %+v", again)
	}
}

func TestACodeIsNowhereInClear(t *testing.T) {
	w := newWorld(t)
	id, code := send(t, w, login.CodeRequest{Email: ada})
	bare := strings.ReplaceAll(code, "-", "")
	for _, j := range w.st.jobs {
		if bytes.Contains(j.Args, []byte(bare)) || bytes.Contains(j.Args, []byte(code)) {
			t.Error("the job shows the code")
		}
	}
	kept, err := w.st.TryCode(t.Context(), id)
	if err != nil || strings.Contains(kept.Hash, bare) || !strings.HasPrefix(kept.Hash, "v1.") {
		t.Errorf("the store keeps %q, %v", kept.Hash, err)
	}
}

func TestACodeMayBeTriedFiveTimes(t *testing.T) {
	w := newWorld(t)
	id, code := send(t, w, login.CodeRequest{Email: ada})
	for i := range login.CodeAttempts - 1 {
		if _, err := w.CheckCode(t.Context(), id, "AAAA-AAAA"); !errors.Is(err, login.ErrCodeWrong) {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	if res, err := w.CheckCode(t.Context(), id, code); err != nil || res.PersonID == "" {
		t.Fatalf("the last attempt: %v", err)
	}

	id, code = send(t, w, login.CodeRequest{Email: ada})
	for i := range login.CodeAttempts {
		_, err := w.CheckCode(t.Context(), id, "AAAA-AAAA")
		want := login.ErrCodeWrong
		if i == login.CodeAttempts-1 {
			want = login.ErrTooMany
		}
		if !errors.Is(err, want) {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	if _, err := w.CheckCode(t.Context(), id, code); !errors.Is(err, login.ErrCodeExpired) {
		t.Errorf("the right code after too many: %v", err)
	}
}

func TestACodeIsGoodForAQuarterOfAnHour(t *testing.T) {
	w := newWorld(t)
	id, code := send(t, w, login.CodeRequest{Email: ada})
	w.clock.pass(login.CodeLife)
	if _, err := w.CheckCode(t.Context(), id, code); !errors.Is(err, login.ErrCodeExpired) {
		t.Errorf("%v", err)
	}
	if w.people(t) != 0 {
		t.Error("an account was made")
	}
}

func TestACodeOfOneRequestIsNotAnothers(t *testing.T) {
	w := newWorld(t)
	first, _ := send(t, w, login.CodeRequest{Email: ada})
	_, second := send(t, w, login.CodeRequest{Email: "mallory@example.org"})
	if _, err := w.CheckCode(t.Context(), first, second); !errors.Is(err, login.ErrCodeWrong) {
		t.Errorf("%v", err)
	}
	for _, id := range []string{"", "made-up", strings.Repeat("x", 1000)} {
		if _, err := w.CheckCode(t.Context(), id, second); !errors.Is(err, login.ErrCodeExpired) {
			t.Errorf("id %.10q: %v", id, err)
		}
	}
}

func TestAskingForACodeSaysNothingAboutTheAddress(t *testing.T) {
	w := newWorld(t)
	w.byCode(t, ada)
	before := len(w.st.jobs)
	known, err1 := w.SendCode(t.Context(), login.CodeRequest{Email: ada})
	unknown, err2 := w.SendCode(t.Context(), login.CodeRequest{Email: "nobody@example.org"})
	if err1 != nil || err2 != nil || len(known) != len(unknown) || len(w.st.jobs) != before+2 {
		t.Errorf("%q %v, %q %v", known, err1, unknown, err2)
	}
}

func TestCodesAreLimitedByAddressAndByBrowser(t *testing.T) {
	for _, bucket := range []string{"code-address", "code-ip"} {
		w := newWorld(t)
		w.deny[bucket] = true
		if _, err := w.SendCode(t.Context(), login.CodeRequest{Email: ada, IP: "192.0.2.1"}); !errors.Is(err, login.ErrTooMany) {
			t.Errorf("%s: %v", bucket, err)
		}
		if len(w.st.jobs) != 0 {
			t.Errorf("%s: mail was sent", bucket)
		}
	}
}

func TestOnlyAddressesGetCodes(t *testing.T) {
	w := newWorld(t)
	for _, bad := range []string{
		"", "ada", "@example.org", "ada@", "ada@example", "a b@example.org", "ada@example.org\r\nBcc: x@example.org",
		"ada@example.org,bob@example.org", "Ada <ada@example.org>", "ada@@example.org", "ada@.example.org", strings.Repeat("a", 65) + "@example.org",
	} {
		if _, err := w.SendCode(t.Context(), login.CodeRequest{Email: bad}); !errors.Is(err, login.ErrAddress) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestASignedInPersonAddsAnAddressByACode(t *testing.T) {
	w := newWorld(t)
	me := w.byCode(t, ada).PersonID
	id, err := w.ProveAddress(t.Context(), me, login.CodeRequest{Email: "ada@work.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	m, code := w.code(t)
	if m.Purpose != login.PurposeProve {
		t.Errorf("the mail is for %q", m.Purpose)
	}
	if _, _, err := w.CheckProof(t.Context(), "somebody-else", id, code); !errors.Is(err, login.ErrCodeExpired) {
		t.Fatalf("somebody else's code: %v", err)
	}
	email, _, err := w.CheckProof(t.Context(), me, id, code)
	if err != nil || email != "ada@work.example.org" || w.owner(t, email) != me || w.proven[email] != me {
		t.Fatalf("%q, %v", email, err)
	}
	if again := w.byCode(t, "ada@work.example.org"); again.PersonID != me {
		t.Errorf("signing in with it is %+v", again)
	}
}

func TestAProvenAddressDoesNotChangeHands(t *testing.T) {
	w := newWorld(t)
	me, other := w.byCode(t, ada).PersonID, w.byCode(t, "grace@example.org").PersonID
	id, err := w.ProveAddress(t.Context(), me, login.CodeRequest{Email: "grace@example.org"})
	if err != nil {
		t.Fatal(err) // that it is taken is not said to who only asks
	}
	_, code := w.code(t)
	res, err := w.CheckCode(t.Context(), id, code)
	if !errors.Is(err, login.ErrAddressTaken) || res.PersonID != "" {
		t.Fatalf("%+v, %v", res, err)
	}
	if w.owner(t, "grace@example.org") != other || w.proven["grace@example.org"] != other {
		t.Error("the address changed hands")
	}
}

func TestOfTwoRequestsWithOneCodeOneSignsIn(t *testing.T) {
	w := newWorld(t)
	id, code := send(t, w, login.CodeRequest{Email: ada})
	errs := make(chan error, 4)
	// All of them find the code right before the first one uses it up.
	var all sync.WaitGroup
	all.Add(cap(errs))
	w.st.gate = func() { all.Done(); all.Wait() }
	for range cap(errs) {
		go func() {
			_, err := w.CheckCode(t.Context(), id, code)
			errs <- err
		}()
	}
	good := 0
	for range cap(errs) {
		switch err := <-errs; {
		case err == nil:
			good++
		case !errors.Is(err, login.ErrCodeExpired):
			t.Error(err)
		}
	}
	w.st.gate = nil
	if good != 1 || w.people(t) != 1 {
		t.Errorf("%d signed in, %d people", good, w.people(t))
	}
}

func TestTheTimeOfTheStoreIsTheClocks(t *testing.T) {
	w := newWorld(t)
	res := w.byCode(t, ada)
	ids, err := w.st.IdentifiersOf(t.Context(), res.PersonID)
	if err != nil || len(ids) != 1 || !ids[0].ProvenAt.Equal(w.clock.now().Truncate(time.Microsecond)) || ids[0].ProvenBy != "code" {
		t.Errorf("%+v, %v", ids, err)
	}
}
