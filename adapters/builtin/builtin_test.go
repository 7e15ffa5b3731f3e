package builtin_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"badgebridge/adapters/builtin"
)

func TestEveryDriverIsCompleteAndItsKindUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range builtin.Drivers() {
		if d.Kind == "" || d.New == nil || d.Hosts == nil {
			t.Errorf("driver %q is incomplete", d.Kind)
			continue
		}
		if seen[d.Kind] {
			t.Errorf("two drivers are called %q", d.Kind)
		}
		seen[d.Kind] = true
		if a, err := d.New(json.RawMessage(`{}`), http.DefaultClient); err == nil || a != nil {
			t.Errorf("%s takes an empty configuration: %v, %v", d.Kind, a, err)
		}
	}
	if len(seen) == 0 {
		t.Error("there are no drivers")
	}
}
