package sitecontract

import "testing"

// oldCredly wants lists, also where nothing is left: a site knows best what it has.
func (s *suite) oldCredly(t *testing.T) {
	var got struct {
		Badges  []map[string]any `json:"badges"`
		Members []map[string]any `json:"members"`
		More    *bool            `json:"more"`
	}
	s.get(t, "/old-credly", nil, &got)
	if got.Badges == nil || got.Members == nil || got.More == nil {
		t.Errorf("%+v", got)
	}
}
