package credly

import "time"

// Org is an organization. An empty ID is filled in when it is seeded.
type Org struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Slug         string `json:"vanity_slug"`
	WebsiteURL   string `json:"website_url,omitempty"`
	ContactEmail string `json:"contact_email,omitempty"`
	Bio          string `json:"bio,omitempty"`
	WebhookURL   string `json:"webhook_url,omitempty"`
	// More are documented fields that are kept and not used.
	More      map[string]string `json:"more,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// Token is an organization's authorization token.
type Token struct {
	ID          string     `json:"id"`
	OrgID       string     `json:"organization_id"`
	Token       string     `json:"token"`
	Description string     `json:"description,omitempty"`
	Read        bool       `json:"read_enabled"`
	Write       bool       `json:"write_enabled"`
	Delete      bool       `json:"delete_enabled"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"` // nil: 180 days after CreatedAt
	// Sandbox says which environment the token is of. It opens a simulator of the
	// same one (Config.Sandbox).
	Sandbox bool `json:"sandbox,omitempty"`
}

// App is an OAuth application of an organization, for client credentials.
type App struct {
	UID       string    `json:"uid"`
	Secret    string    `json:"secret"`
	OrgID     string    `json:"organization_id"`
	Name      string    `json:"name,omitempty"`
	Scopes    []string  `json:"scopes,omitempty"` // what it may ask for; nil is everything
	Sandbox   bool      `json:"sandbox,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Alignment points from a template to a standard.
type Alignment struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name"`
	URL         string `json:"url,omitempty"`
	Description string `json:"description,omitempty"`
}

// Activity is one thing an earner did for a badge.
type Activity struct {
	Type  string `json:"activity_type"`
	Title string `json:"title"`
	URL   string `json:"activity_url"`
}

// Recommendation is what a template suggests as a next step.
type Recommendation struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Type  string `json:"type"`
	URL   string `json:"activity_url,omitempty"`
}

// Template is a badge template.
type Template struct {
	ID              string           `json:"id"`
	OrgID           string           `json:"organization_id"`
	Name            string           `json:"name"`
	Description     string           `json:"description"`
	State           string           `json:"state"` // draft, active or archived; "" is active
	Private         bool             `json:"private,omitempty"`
	AllowDuplicates bool             `json:"allow_duplicate_badges,omitempty"`
	Level           string           `json:"level,omitempty"`
	Cost            string           `json:"cost,omitempty"`
	TimeToEarn      string           `json:"time_to_earn,omitempty"`
	TypeCategory    string           `json:"type_category,omitempty"`
	Recommendations []Recommendation `json:"recommendations,omitempty"`
	GlobalURL       string           `json:"global_activity_url,omitempty"`
	CriteriaURL     string           `json:"criteria_url,omitempty"`
	Skills          []string         `json:"skills,omitempty"`
	ReportingTags   []string         `json:"reporting_tags,omitempty"`
	Alignments      []Alignment      `json:"alignments,omitempty"`
	Activities      []Activity       `json:"badge_template_activities,omitempty"`
	DefaultExpires  *time.Time       `json:"default_expires_at,omitempty"`
	ImageID         string           `json:"image_id,omitempty"`
	// Emblem is a short text in the middle of the picture, the name's initials
	// when "".
	Emblem    string     `json:"emblem,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	ChangedAt *time.Time `json:"state_updated_at,omitempty"`
	Deleted   bool       `json:"deleted,omitempty"`
}

// User is an earner's account. The first address is the primary one.
type User struct {
	ID     string   `json:"id"`
	Emails []string `json:"emails"`
	// Unconfirmed are addresses that the earner entered and has not confirmed:
	// badges sent there are not theirs yet.
	Unconfirmed []string `json:"unconfirmed,omitempty"`
	FirstName   string   `json:"first_name"`
	LastName    string   `json:"last_name"`
	Slug        string   `json:"vanity_slug"`
}

// The states of a badge. Replaced exists only under Options.ReplacedState.
const (
	Pending  = "pending"
	Accepted = "accepted"
	Rejected = "rejected"
	Revoked  = "revoked"
	Replaced = "replaced"
)

// Badge is an issued badge.
type Badge struct {
	ID              string           `json:"id"`
	OrgID           string           `json:"organization_id"`
	TemplateID      string           `json:"badge_template_id"`
	State           string           `json:"state"`
	Email           string           `json:"recipient_email"`
	FirstName       string           `json:"issued_to_first_name"`
	MiddleName      string           `json:"issued_to_middle_name,omitempty"`
	LastName        string           `json:"issued_to_last_name"`
	EarnerID        string           `json:"issuer_earner_id,omitempty"`
	UserID          string           `json:"user_id,omitempty"` // the account that it was accepted in
	GroupTag        string           `json:"group_tag,omitempty"`
	Locale          string           `json:"locale"`
	Public          bool             `json:"public"`
	IssuedAt        time.Time        `json:"issued_at"`
	ExpiresAt       *time.Time       `json:"expires_at,omitempty"`
	StateUpdatedAt  *time.Time       `json:"state_updated_at,omitempty"`
	CreatedAt       time.Time        `json:"created_at"`
	UpdatedAt       time.Time        `json:"updated_at"`
	Replaces        string           `json:"replaces_badge_id,omitempty"`
	Replacement     string           `json:"replacement_badge_id,omitempty"`
	RevokeReason    string           `json:"revocation_reason,omitempty"`
	SuppressMail    bool             `json:"suppress_badge_notification_email,omitempty"`
	Country         string           `json:"country,omitempty"`
	StateOrProvince string           `json:"state_or_province,omitempty"`
	Evidence        []map[string]any `json:"evidence,omitempty"`
	// VisibleAt is when a fresh badge begins to show in reads.
	VisibleAt time.Time `json:"visible_at"`

	place int // among all badges, oldest first
}

// Event is an entry of an organization's event log. Badge and Template are
// copies as they were when it happened.
type Event struct {
	ID         string    `json:"id"`
	OrgID      string    `json:"organization_id"`
	Type       string    `json:"event_type"`
	OccurredAt time.Time `json:"occurred_at"`
	Badge      *Badge    `json:"badge,omitempty"`
	Template   *Template `json:"badge_template,omitempty"`
}

// Delivery is a webhook on its way.
type Delivery struct {
	EventID  string    `json:"event_id"`
	URL      string    `json:"url"`
	Attempts int       `json:"attempts"`
	NextAt   time.Time `json:"next_at"`
	Status   int       `json:"status,omitempty"` // of the last answer, 0 none
	Error    string    `json:"error,omitempty"`
	Done     bool      `json:"done"`
	GivenUp  bool      `json:"given_up,omitempty"`
}

// Mail is a mail that Credly would have sent to a recipient.
type Mail struct {
	To      string    `json:"to"`
	Kind    string    `json:"kind"`
	BadgeID string    `json:"badge_id"`
	At      time.Time `json:"at"`
}

// Seed is what a simulator can be filled with at once.
type Seed struct {
	Orgs      []Org      `json:"organizations,omitempty"`
	Tokens    []Token    `json:"tokens,omitempty"`
	Apps      []App      `json:"oauth_applications,omitempty"`
	Templates []Template `json:"badge_templates,omitempty"`
	Users     []User     `json:"users,omitempty"`
	Badges    []Badge    `json:"badges,omitempty"`
}

// state is all that StateFile keeps.
type state struct {
	Offset     time.Duration      `json:"clock_offset"`
	Orgs       []*Org             `json:"organizations"`
	Tokens     []*Token           `json:"tokens"`
	Apps       []*App             `json:"oauth_applications"`
	Bearers    map[string]*bearer `json:"bearers"`
	Templates  []*Template        `json:"badge_templates"`
	Pictures   map[string][]byte  `json:"pictures"` // PNGs that were uploaded, by image id
	Users      []*User            `json:"users"`
	Badges     []*Badge           `json:"badges"`
	Deleted    map[string]bool    `json:"deleted_badges"`
	Events     []*Event           `json:"events"`
	Deliveries []*Delivery        `json:"deliveries"`
	Mails      []*Mail            `json:"mails"`

	// Looked up by, rebuilt by index.
	byTemplate map[string][]*Badge  // template id
	byEarner   map[string][]*Badge  // issuer_earner_id
	byEmail    map[string][]*Badge  // address in lower case
	byUser     map[string][]*Badge  // account that it was accepted in
	accounts   map[string]*User     // id
	templates  map[string]*Template // id, the deleted ones too
	emails     map[string]*User     // confirmed address in lower case
	events     map[string]*Event    // id
	queue      []*Delivery          // neither done nor given up
}

type bearer struct {
	App       string    `json:"app"`
	Scopes    string    `json:"scopes"`
	ExpiresAt time.Time `json:"expires_at"`
}
