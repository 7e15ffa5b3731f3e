package wordpress

import "encoding/json"

// The shapes of wordpress/site-api.yaml, as far as the adapter reads them.
// Members that are not named here are ignored, as the contract says.

type wireSite struct {
	Contract         string   `json:"contract"`
	ContractLeast    string   `json:"contract_least"`
	UUID             string   `json:"uuid"`
	HomeURL          string   `json:"home_url"`
	Name             string   `json:"name"`
	Timezone         string   `json:"timezone"`
	Provider         wireName `json:"provider"`
	PluginVersion    string   `json:"plugin_version"`
	WordPressVersion string   `json:"wordpress_version"`
	PHPVersion       string   `json:"php_version"`
	OIDCIssuer       string   `json:"oidc_issuer"`
	Warnings         []string `json:"warnings"`
}

type wireName struct {
	ID      string `json:"id"`
	Version string `json:"version"`
}

type wireBadge struct {
	ID          int64  `json:"id"`
	Version     string `json:"version"`
	Title       string `json:"title"`
	Description string `json:"description"`
	CriteriaURL string `json:"criteria_url"`
	Criteria    string `json:"criteria"`
	ImageURL    string `json:"image_url"`
	LinkURL     string `json:"link_url"`
	Key         string `json:"key"`
	State       string `json:"state"`
}

type wireMember struct {
	ID          int64  `json:"id"`
	Email       string `json:"email"`
	GivenName   string `json:"given_name"`
	FamilyName  string `json:"family_name"`
	DisplayName string `json:"display_name"`
}

type wireAward struct {
	EntryID     int64       `json:"entry_id"`
	Fingerprint string      `json:"fingerprint"`
	Version     string      `json:"version"`
	Badge       wireBadge   `json:"badge"`
	Member      *wireMember `json:"member"` // null when the user is gone, or erased
	Erased      bool        `json:"erased"`
	NoBadge     bool        `json:"badge_deleted"`
	IssuedOn    string      `json:"issued_on"`
	ExpiresOn   string      `json:"expires_on"`
	Key         string      `json:"key"`
}

type wireChange struct {
	Seq         int64           `json:"seq"`
	At          string          `json:"at"`
	Kind        string          `json:"kind"`
	EntryID     int64           `json:"entry_id"`
	Fingerprint string          `json:"fingerprint"`
	Reason      string          `json:"reason"`
	Cause       string          `json:"cause"`
	Award       json.RawMessage `json:"award"`
}

// wirePage is a page of any of the lists; the items stay as the bytes they came
// in.
type wirePage struct {
	Badges      []json.RawMessage `json:"badges"`
	Awards      []json.RawMessage `json:"awards"`
	Changes     []json.RawMessage `json:"changes"`
	Next        string            `json:"next"`
	More        bool              `json:"more"`
	ChangesFrom string            `json:"changes_from"`
}

type wireGrant struct {
	Key      string `json:"key"`
	BadgeID  int64  `json:"badge_id"`
	Email    string `json:"email"`
	IssuedOn string `json:"issued_on"`
	PageURL  string `json:"page_url,omitempty"`
}

// wireDraft leaves out what shall stay as it is.
type wireDraft struct {
	BadgeID     int64      `json:"badge_id,omitempty"`
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Criteria    string     `json:"criteria,omitempty"`
	CriteriaURL string     `json:"criteria_url,omitempty"`
	LinkURL     string     `json:"link_url,omitempty"`
	Image       *wireImage `json:"image,omitempty"`
}

type wireImage struct {
	MediaType string `json:"media_type"`
	Data      []byte `json:"data"`
}

type wireRevocation struct {
	Fingerprint string `json:"fingerprint"`
	Reason      string `json:"reason"`
}

type wireError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field"`
}

type wireEvent struct {
	ID       string `json:"id"`
	SiteUUID string `json:"site_uuid"`
	HomeURL  string `json:"home_url"`
	Kind     string `json:"kind"`
}
