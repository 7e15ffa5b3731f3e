package site

import (
	"cmp"
	"net/http"
)

// oldCredly lists what a BadgeOS of before 3.6.9 left of its link to Credly.
func (s *Site) oldCredly(*call) (int, any, *refusal) {
	type badge struct {
		ID     int64  `json:"id"`
		Title  string `json:"title"`
		Number string `json:"number"`
		Sends  bool   `json:"sends"`
	}
	type member struct {
		ID          int64  `json:"id"`
		DisplayName string `json:"display_name"`
		Consent     string `json:"consent"`
		Account     string `json:"account"`
	}
	badges, members := []badge{}, []member{}
	for _, b := range s.st.Badges {
		if b.OldNumber != "" || b.OldSends {
			badges = append(badges, badge{b.ID, b.Title, b.OldNumber, b.OldSends})
		}
	}
	for _, m := range s.st.Members {
		if m.OldConsent != "" {
			members = append(members, member{m.ID, cmp.Or(m.DisplayName, m.GivenName+" "+m.FamilyName), m.OldConsent, ""})
		}
	}
	return http.StatusOK, map[string]any{"badges": badges, "members": members, "more": false}, nil
}
