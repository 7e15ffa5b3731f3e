// Package adapters holds the contract between the gateway and every system it
// keeps in step: WordPress sites, Credly, backpacks.
//
// An adapter is a client of one kind of system. It knows neither the store, nor
// the pages, nor another adapter; what it can do is said by the interfaces that
// its type has, never by an error "not supported". The gateway never wraps an
// adapter: time-outs, rate limits, circuit breaker, metrics and the SSRF guard
// sit in the *http.Client that it is given.
//
// To write one: a folder with client.go (calls), wire.go (types), normalize.go
// (pure: no clock, no I/O) and adapter.go; one line in builtin; and a test that
// calls adaptertest.Run.
package adapters

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"badgebridge/openbadges"
)

type (
	// Remote names one configured connection, for example "wp-campus".
	Remote string
	// Ref is a record's id at its remote. Only the adapter that made it reads
	// into it.
	Ref string
	// Cursor says where a feed stopped. "" starts over. Only the adapter that
	// made it reads into it.
	Cursor string
	// Key makes a write happen once: same key, same effect.
	Key string
)

// Adapter is what every remote can do.
type Adapter interface {
	// Check asks the remote whether it is there and takes our credentials.
	// ErrUnauthorized when it refuses them. It changes nothing there.
	Check(ctx context.Context) (Health, error)
}

// Health is the answer of Check.
type Health struct {
	// Identity names the system behind the address (for a site its uuid and
	// home URL). The engine pins it: a remote that answers with another
	// identity is a clone or was moved, and is read-only until an admin says
	// which. "" when the remote has no such notion.
	Identity string
	Name     string            // as the remote calls itself
	Version  string            // of the remote's software, for people
	Details  map[string]string // for people: what the admin page shows
	Warnings []string          // for people: what will stop working, and the cure
	// CredentialExpires is when the remote stops taking our credentials, zero when
	// that is not known or never.
	CredentialExpires time.Time
}

// Source is a remote that reports awards.
type Source interface {
	Adapter
	// Changes lists what changed after the cursor, oldest first, tombstones
	// included. It may repeat a record, it must not skip one. An error of kind
	// ErrCursorGone means that the feed no longer reaches back to the cursor:
	// the caller lists everything and goes on from the cursor that List ends
	// with.
	Changes(ctx context.Context, after Cursor) (Page, error)
	// List lists all records that exist now. The listing is complete when a page
	// with More false was read; that page's Next is a cursor for List's next
	// call only, while ChangesFrom holds a cursor for Changes.
	List(ctx context.Context, from Cursor) (Page, error)
	// Absence says what it means that a complete List no longer names a record.
	Absence() Absence
}

// Absence is what a record's absence from a complete List means.
type Absence string

// The meanings of an absence.
const (
	AbsenceRevoked Absence = "revoked" // the remote only ever drops revoked records
	AbsenceDeleted Absence = "deleted" // the copy there was removed; the award holds
	AbsenceUnknown Absence = "unknown" // can't be told: flag it for a person
)

// Page is one page of a feed.
type Page struct {
	Records []Record
	Next    Cursor // where the next call of the same method goes on
	More    bool
	// ChangesFrom is set on the pages of List: a cursor for Changes taken at or
	// before the listing's start, so that nothing between the two is skipped.
	ChangesFrom Cursor
}

// Record is one award as a remote reports it.
type Record struct {
	Ref      Ref
	Version  string // changes when the record's content changes; "" unknown
	External Key    // our key, where the remote kept it
	Gone     *Tombstone
	// Notice is a reason for a person to look at an award that holds; "" none.
	Notice Notice
	// Erased: the remote was asked to erase what it holds of the recipient, who
	// is left out of Award. What came before with the recipient's data is to go.
	Erased bool
	Raw    []byte // the bytes it came in
	// Award is Raw normalized. Award.BadgeClass.ID is the badge's Ref at the
	// remote. Only Ref, Gone and Erased count on a tombstone.
	Award openbadges.Award
}

// GoneKind says why a record is no longer there.
type GoneKind string

// The kinds of tombstone.
const (
	GoneRevoked GoneKind = "revoked" // taken back by an explicit act at the remote
	GoneDeleted GoneKind = "deleted" // the row went without a word: user or badge deleted, points lost
)

// Notice is a reason for a person to look at an award. None of them takes it back.
type Notice string

// The notices.
const (
	NoticeMember Notice = "member-deleted" // the recipient's account at the remote is gone
	NoticeBadge  Notice = "badge-deleted"  // the badge at the remote is gone
	NoticePoints Notice = "points-lost"    // a record went because its recipient lost the points for it
	NoticeErased Notice = "erased"         // the recipient's data was erased
)

// Tombstone marks a record that no longer exists at its remote.
type Tombstone struct {
	Kind   GoneKind
	At     time.Time
	Reason string
	Notice Notice // with GoneDeleted: why it went, where the remote knows; else ""
}

// Issuance is what an Issuer needs to award one badge.
type Issuance struct {
	Key       Key
	Award     openbadges.Award
	Class     Ref // the badge at that remote
	Recipient openbadges.Recipient
	// EarnerKey is stable for one recipient of this gateway and means nothing
	// elsewhere. A remote that keeps it lets Find settle a doubtful write.
	EarnerKey string
	// PageURL is the public page of the award at the gateway, "" when none.
	PageURL string
	// Notify asks the remote to tell the recipient itself.
	Notify bool
	// The rest is for Find alone. Addresses are those that the recipient has
	// proven, Recipient's own among them. Siblings are other awards of the same
	// badge to the same recipient. Past are earlier copies of this award, which are
	// not meant.
	Addresses []string
	Siblings  []Sibling
	Past      []Ref
	// Existing: nothing was sent yet for this award, so that any badge of Class which
	// the recipient has at the remote and which is no sibling's is the answer,
	// whoever issued it.
	Existing bool
}

// Sibling is another award. Ref is "" where the remote is not known to have it.
type Sibling struct {
	Ref      Ref
	IssuedOn time.Time
}

// Issuer is a remote that awards badges.
type Issuer interface {
	Adapter
	// Issue awards once per Key and returns the record's Ref there. If it can't
	// tell whether the remote did it, IsAmbiguous(err) holds. ErrConflict: the
	// recipient has this badge there already. ErrRejected carries the remote's
	// own words.
	Issue(ctx context.Context, in Issuance) (Ref, error)
}

// Deposit is a finished assertion on its way to a backpack.
type Deposit struct {
	Key       Key
	Assertion []byte // the document, or a compact JWS or JWT; nil when it is only known where it is
	URL       string // where it is hosted, "" when it is not
	Baked     []byte // the image with the assertion baked in; nil when none
	// Others attest the same award in other forms (an older version of Open
	// Badges), best first, for a backpack that does not take the first one.
	Others []Form
}

// Form is one form of a deposit's assertion; its fields are those of Deposit.
type Form struct {
	Assertion []byte
	URL       string
}

// Backpack is a remote that keeps finished assertions.
type Backpack interface {
	Adapter
	// Store keeps one copy of the assertion, however often it is called: a copy
	// that is there already is a success, so that a call whose outcome is not
	// known is simply made again. The Ref is the same each time; where the remote
	// gives none it is the assertion's own address or digest. ErrRejected carries
	// the remote's own words about this one badge; ErrUnauthorized says that the
	// person's grant has ended.
	Store(ctx context.Context, in Deposit) (Ref, error)
}

// Found is the answer of Find.
type Found string

// The answers of Find.
const (
	Present Found = "present"
	Absent  Found = "absent"
	Unknown Found = "unknown" // the remote can't say; a person decides
)

// Finder settles ambiguous writes.
type Finder interface {
	// Find looks for the award that in describes: by our own key of the recipient,
	// then by each address. The Ref counts only when Present; it may be a sibling's
	// where the remote keeps one record of a badge for one recipient.
	Find(ctx context.Context, in Issuance) (Ref, Found, error)
	// Settle is how long a fresh write may stay invisible at the remote.
	Settle() time.Duration
}

// Locator reads the one record that a person points at.
type Locator interface {
	// Locate reads what text names: a record's id, or the address of a page about
	// it, of which nothing but the id counts. ErrRejected when text names no record;
	// ErrNotFound when the remote has none of that name, or does not show it yet.
	Locate(ctx context.Context, text string) (Record, error)
}

// NameRequirer marks an Issuer that refuses a recipient without given and
// family name. A push to it waits until the names are known.
type NameRequirer interface {
	RequiresNames()
}

// Updater changes an award in place.
type Updater interface {
	Update(ctx context.Context, r Ref, in Issuance) error
}

// Replacer changes an award by a new record that takes the old one's place, where
// a remote can't change one in place.
type Replacer interface {
	// Replace returns the Ref of the record that holds afterwards. Where r was
	// replaced before, it is the last of that row that is replaced, or that is
	// returned when it says already what in says. If it can't tell whether the
	// remote did it, IsAmbiguous(err) holds; it may then be called again.
	Replace(ctx context.Context, r Ref, in Issuance) (Ref, error)
}

// Revoker takes awards back.
type Revoker interface {
	// Revoke makes r invalid at the remote. Revoking twice is no error.
	Revoke(ctx context.Context, r Ref, reason string) error
}

// Remover takes a copy away without saying that it was invalid.
type Remover interface {
	Remove(ctx context.Context, r Ref) error
}

// Class is a badge as a remote reports it.
type Class struct {
	Ref        Ref
	Version    string
	Raw        []byte
	BadgeClass openbadges.BadgeClass
	// Issuable is false for a badge that exists but can't be awarded now
	// (a draft, an archived template).
	Issuable bool
	State    string // the remote's own word, for people
	PageURL  string // the badge's own page at the remote, for people; "" unknown
}

// ClassPage is one page of a catalog.
type ClassPage struct {
	Classes []Class
	Next    Cursor
	More    bool
}

// Catalog lists the badges that a remote can award.
type Catalog interface {
	BadgeClasses(ctx context.Context, from Cursor) (ClassPage, error)
}

// ClassDraft is what a CatalogWriter writes. Of BadgeClass its name, description
// and criteria count; what is "" there stays as it is at the remote.
type ClassDraft struct {
	// Key names the badge for ever: the first call makes it, later ones change
	// it.
	Key Key
	// Class is an existing badge at the remote that Key shall name from now on;
	// "" when it is Key's own.
	Class      Ref
	BadgeClass openbadges.BadgeClass
	Image      []byte // PNG or JPEG; nil: stays as it is
	LinkURL    string // where the badge comes from, for people; "": stays as it is
}

// CatalogWriter creates or changes badges at the remote.
type CatalogWriter interface {
	// PutBadgeClass may be repeated: same Key, same badge. It returns the badge
	// as it is at the remote afterwards. ErrNotFound when the Key's badge was
	// deleted there; a Key never makes a second one. ErrRejected names the field
	// that the remote does not take.
	PutBadgeClass(ctx context.Context, in ClassDraft) (Class, error)
}

// Hint says that something may have changed at a remote; it is never taken as
// the fact itself. Ref is "" when the webhook named none.
type Hint struct {
	ID  string // for deduplication; "" unknown
	Ref Ref
}

// Notifier understands the remote's webhooks.
type Notifier interface {
	// ParseWebhook authenticates the call and returns hints. ErrUnauthorized
	// when it is not from the remote.
	ParseWebhook(h http.Header, body []byte) ([]Hint, error)
}

// Hinted is what a hint was about, as the remote itself says when it is asked.
type Hinted struct {
	Records []Record
	Classes []Class
	// Catalog: a badge may have gone, which only reading the whole catalog tells.
	Catalog bool
}

// HintReader is a Notifier whose webhooks name an event that the remote can be
// asked about, so that nothing that came with the webhook has to be believed.
type HintReader interface {
	Notifier
	// ReadHint gives the records and badges that the event was about, as they are
	// now and not as they were then, so that it does not matter in which order
	// webhooks come. ErrNotFound: the remote knows no such event, or not yet.
	ReadHint(ctx context.Context, h Hint) (Hinted, error)
}

// Grant is a person's own permission at a remote.
type Grant struct {
	// Token is secret and sealed by the store. It is a configuration of the same
	// driver: an adapter made from it acts for this person.
	Token   json.RawMessage
	Account string // for people: whose account there, "" unknown
}

// Connector lets a person connect their own account.
type Connector interface {
	// Begin says where to send the person. The remote leads them back to callback
	// with a query; state is kept, in secret and for this person, until then.
	// ErrNotFound when what answers is no such remote.
	Begin(ctx context.Context, callback string) (redirect string, state []byte, err error)
	// Finish makes a grant of the query that the person came back with.
	// ErrRejected when the person said no there, ErrUnauthorized when the query does
	// not belong to state.
	Finish(ctx context.Context, state []byte, query url.Values) (Grant, error)
}

// Renewer is a remote whose grants end by themselves and are traded for new ones.
type Renewer interface {
	// Renew returns a configuration with a new grant, when the present one is about
	// to end or ended is true (the remote has just refused it); nil when it is good
	// still. What the old grant was traded for may be good once only: the caller
	// saves the new one before it uses it, and never trades one grant in two places
	// at once. ErrUnauthorized when the grant can't be renewed: the person has to
	// connect again.
	Renew(ctx context.Context, ended bool) (config []byte, err error)
}

// Driver makes adapters of one kind from their configuration.
type Driver struct {
	Kind string
	// New validates cfg and does no I/O. Its errors name the field, why it is
	// wrong and what to do.
	New func(cfg json.RawMessage, hc *http.Client) (Adapter, error)
	// Hosts names the hosts ("host" or "host:port") that the operator named in
	// cfg. Calls there may reach private addresses; calls to any other host go
	// through the SSRF guard.
	Hosts func(cfg json.RawMessage) ([]string, error)
}
