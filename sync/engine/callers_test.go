package engine_test

import "testing"

// Neither side is locked out while a key is replaced, and the old one is dead.
func TestAReplacedKeyIsTheOnlyOne(t *testing.T) {
	w := newWorld(t)
	before, err := w.engine.Sites(t.Context())
	must(t, err)
	must(t, w.engine.Rekey(t.Context(), "wp"))
	after, err := w.engine.Sites(t.Context())
	must(t, err)
	if len(before) != 1 || len(after) != 1 || before[0].ClientID == after[0].ClientID {
		t.Fatalf("before %v, after %v", before, after)
	}
	w.give(w.ada)
	w.pull()
	if a := w.award("wp"); a.Recipient.Identity != "ada@example.org" {
		t.Errorf("after the change: %+v", a)
	}
}
