package wordpress

import (
	"context"
	"net/http"
	"strconv"

	"badgebridge/adapters"
)

type wireOldLinks struct {
	Badges []struct {
		ID     int64  `json:"id"`
		Title  string `json:"title"`
		Number string `json:"number"`
		Sends  bool   `json:"sends"`
	} `json:"badges"`
	Members []struct {
		DisplayName string `json:"display_name"`
		Consent     string `json:"consent"`
		Account     string `json:"account"`
	} `json:"members"`
	More bool `json:"more"`
}

// OldLinks implements adapters.OldLinker.
func (a *Adapter) OldLinks(ctx context.Context) (adapters.OldLinks, error) {
	var in wireOldLinks
	if f := a.call(ctx, "list what the old Credly left", http.MethodGet, "/old-credly", nil, nil, &in); f != nil {
		return adapters.OldLinks{}, f.Error
	}
	out := adapters.OldLinks{More: in.More}
	for _, b := range in.Badges {
		out.Badges = append(out.Badges, adapters.OldBadge{Ref: adapters.Ref(strconv.FormatInt(b.ID, 10)), Title: b.Title, Number: b.Number, Sends: b.Sends})
	}
	for _, m := range in.Members {
		out.Members = append(out.Members, adapters.OldMember{Name: m.DisplayName, Consent: m.Consent, Account: m.Account})
	}
	return out, nil
}
