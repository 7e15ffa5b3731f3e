package credly

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// The types of Credly's answers. Credly adds members without notice and leaves
// members out, so that everything is optional here and unknown members are
// ignored; what must be there is checked where it is used.

// envelope is what every answer comes in.
type envelope struct {
	Data     json.RawMessage `json:"data"`
	Metadata *metadata       `json:"metadata"`
}

// metadata describes a page of a list, Next alone one of the export. It is empty or
// null in other answers.
type metadata struct {
	Count       int   `json:"count"`
	CurrentPage int   `json:"current_page"`
	TotalCount  int   `json:"total_count"`
	TotalPages  int   `json:"total_pages"`
	Next        *text `json:"next_page_url"`
}

// problem is the data of an error.
type problem struct {
	Message text       `json:"message"`
	Errors  []struct { // what is wrong with single fields
		Attribute text   `json:"attribute"`
		Label     text   `json:"attribute_label"`
		Messages  []text `json:"messages"`
	} `json:"errors"`
}

type badge struct {
	ID             text       `json:"id"`
	State          text       `json:"state"`
	Email          text       `json:"recipient_email"`
	FirstName      text       `json:"issued_to_first_name"`
	LastName       text       `json:"issued_to_last_name"`
	EarnerID       text       `json:"issuer_earner_id"`
	Public         bool       `json:"public"`
	IssuedAt       when       `json:"issued_at"`
	ExpiresAt      when       `json:"expires_at"`
	CreatedAt      when       `json:"created_at"`
	StateUpdatedAt when       `json:"state_updated_at"` // zero until the first change of state
	Replaces       text       `json:"replaces_badge_id"`
	Replacement    text       `json:"replacement_badge_id"`
	RevokeReason   text       `json:"revocation_reason"`
	AcceptURL      text       `json:"accept_badge_url"` // while pending
	BadgeURL       text       `json:"badge_url"`        // once accepted
	Image          *picture   `json:"image"`
	ImageURL       text       `json:"image_url"`
	Evidence       []evidence `json:"evidence"`
	Template       template   `json:"badge_template"`
	User           struct {   // empty when nobody has an account with the address
		Email text `json:"email"`
	} `json:"user"`
}

type picture struct {
	ID  text `json:"id"`
	URL text `json:"url"`
}

type evidence struct {
	Type        text `json:"type"`
	Name        text `json:"name"`
	Title       text `json:"title"`
	Value       text `json:"value"`
	Description text `json:"description"`
	Values      []struct {
		Key   text `json:"key"`
		Value text `json:"value"`
	} `json:"values"`
}

type template struct {
	ID              text     `json:"id"`
	Name            text     `json:"name"`
	Description     text     `json:"description"`
	State           text     `json:"state"`
	AllowDuplicates bool     `json:"allow_duplicate_badges"`
	URL             text     `json:"url"`
	GlobalURL       text     `json:"global_activity_url"`
	CriteriaURL     text     `json:"criteria_url"`
	Image           *picture `json:"image"`
	ImageURL        text     `json:"image_url"`
	Skills          []skill  `json:"skills"`
	Owner           owner    `json:"owner"`
	Alignments      []struct {
		Name        text `json:"name"`
		URL         text `json:"url"`
		Description text `json:"description"`
	} `json:"alignments"`
	Activities []struct {
		Type  text `json:"activity_type"`
		Title text `json:"title"`
		URL   text `json:"activity_url"`
	} `json:"badge_template_activities"`
}

type owner struct {
	ID        text `json:"id"`
	Name      text `json:"name"`
	URL       text `json:"url"`
	VanityURL text `json:"vanity_url"`
}

type organization struct {
	ID   text `json:"id"`
	Name text `json:"name"`
}

type authorization struct {
	Token     text  `json:"token"`
	Write     *bool `json:"write_enabled"`
	Delete    *bool `json:"delete_enabled"`
	ExpiresAt when  `json:"expires_at"`
}

type webhook struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id"`
	EventType      string `json:"event_type"`
}

// text takes whatever stands where a text is expected: null is "", a number its
// digits, an object or a list "".
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch b[0] {
	case '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
	case 'n', '{', '[':
	default:
		*t = text(b)
	}
	return nil
}

func (t text) String() string { return strings.TrimSpace(string(t)) }

// skill is a text in the organization's API and an object with a name in the
// public one.
type skill string

// UnmarshalJSON implements json.Unmarshaler.
func (k *skill) UnmarshalJSON(b []byte) error {
	var t text
	if b[0] == '{' {
		var o struct {
			Name text `json:"name"`
		}
		if err := lenient(b, &o); err != nil {
			return err
		}
		t = o.Name
	} else if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	*k = skill(t)
	return nil
}

// when is a time, UTC; zero when absent or not understood.
type when struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (w *when) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	w.Time = parseWhen(string(t))
	return nil
}

func parseWhen(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil && t.Year() > 1 && t.Year() < 10000 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// lenient decodes as much as fits: a member of another type than expected stays
// empty. Only what is no JSON is an error.
func lenient(b []byte, into any) error {
	err := json.Unmarshal(b, into)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return nil
	}
	return err
}
