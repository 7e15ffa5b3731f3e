package credly

import "time"

// Options are the behaviours of Credly that nobody has documented or recorded,
// and that were inferred. The zero value is what this simulator assumes; each
// field turns one assumption into its opposite, or into another value. Inferred
// lists them with what is publicly known of each, how sure that is, and the
// value that a test flips it to.
//
// Five decide whether a client loses or doubles a badge, and are to be tried in
// pairs (Deciding):
//
//   - ReadDelay: what was just written can't be found yet.
//   - DuplicateDelay: the refusal of a duplicate, which would otherwise save a
//     careless client, does not hold for a fresh badge.
//   - DropFilterOnNext: the second page of a search answers another question
//     than the first.
//   - RevokedStillDuplicate: a badge that was revoked stands in the way of the
//     next one, and must not be taken for it.
//   - EventsOldestFirst: news are at the end of the list, not at its beginning.
type Options struct {
	// Authorization.

	// LenientAuth takes Basic credentials without the colon after the token.
	// Otherwise they get a 401.
	LenientAuth bool
	// ExpiredTokenIs403 answers 403 to an expired token. Otherwise 401, as to an
	// unknown one.
	ExpiredTokenIs403 bool
	// MissingRightIs401 answers 401 to a token that lacks the write or delete
	// flag. Otherwise 403.
	MissingRightIs401 bool
	// OtherOrgIs404 answers 404 to a token of another organization. Otherwise
	// 403.
	OtherOrgIs404 bool
	// WriteMayDelete lets a token with the write flag delete. Otherwise that
	// takes the delete flag.
	WriteMayDelete bool
	// BareRefusals sends 401, 403, 404 and 429 without a body. Otherwise with the
	// usual envelope.
	BareRefusals bool
	// ScopesIgnored lets a Bearer do what its application may, whatever scope it
	// asked for. Otherwise a call outside its scopes gets a 403.
	ScopesIgnored bool
	// OAuthJSONOnly refuses a form at the token endpoint. Otherwise forms and
	// JSON are taken.
	OAuthJSONOnly bool
	// OAuthAnswerBare answers the token endpoint with access_token alone.
	// Otherwise with token_type, expires_in, scope and created_at too.
	OAuthAnswerBare bool
	// OAuthErrorEnvelope answers errors of the token endpoint in Credly's
	// envelope. Otherwise as RFC 6749 has them.
	OAuthErrorEnvelope bool
	// BearerLife is how long a Bearer holds; 0 is 2 hours.
	BearerLife time.Duration

	// Reading.

	// ReadDelay keeps a fresh badge out of lists, searches and single reads for
	// that long.
	ReadDelay time.Duration
	// DirectReadsFresh lets the read of a single badge see at once what ReadDelay
	// keeps out of lists.
	DirectReadsFresh bool
	// StaleChanges shows a changed badge as it was until ReadDelay has passed.
	// Otherwise only new badges are late.
	StaleChanges bool
	// UnknownFilterRefused answers 422 to a filter or sort key that is not known.
	// Otherwise it is ignored.
	UnknownFilterRefused bool
	// NewFilterSyntaxIgnored ignores filter[key]=value. Otherwise it works
	// everywhere, as key::value does.
	NewFilterSyntaxIgnored bool
	// AnalogousFiltersUnknown does not know the *_min and *_max filters of badges
	// that follow from documented ones only by analogy.
	AnalogousFiltersUnknown bool
	// RecipientEmailFilterMisses finds nothing by recipient_email. Otherwise it
	// finds the badges of that address.
	RecipientEmailFilterMisses bool
	// DropFilterOnNext leaves filter and sort out of next_page_url. Otherwise
	// they are kept.
	DropFilterOnNext bool
	// HideRevokedByDefault leaves revoked and rejected badges out of lists that
	// ask for no state. Otherwise such a list names all states.
	HideRevokedByDefault bool
	// NewestFirst is the order of badges and templates when none is asked for.
	// Otherwise the oldest come first.
	NewestFirst bool
	// NullsLast sorts badges without state_updated_at last when that key is
	// sorted downwards. Otherwise first, as PostgreSQL does.
	NullsLast bool
	// PastEndIs404 answers 404 to a page after the last. Otherwise an empty page.
	PastEndIs404 bool
	// PerPageHonoured makes pages smaller than 50 by per or page_size. Otherwise
	// both are ignored.
	PerPageHonoured bool
	// HighVolumeResetsFormat names badge_format=default in the next_page_url of
	// the high-volume search whatever was asked. Otherwise it is kept.
	HighVolumeResetsFormat bool
	// PrivateHasNoBadgeURL leaves badge_url out of a badge that its earner made
	// private. Otherwise every accepted badge has it.
	PrivateHasNoBadgeURL bool
	// DeletedIs410 answers 410 to a deleted badge. Otherwise 404.
	DeletedIs410 bool

	// Issuing.

	// DuplicateMessage is the text of the 422 on a duplicate, "User already has
	// this badge" when "".
	DuplicateMessage string
	// DuplicateDelay lets a badge count as a duplicate only when it is that old.
	DuplicateDelay time.Duration
	// DuplicateByDate is the older rule: a duplicate has the same template,
	// address, and issued_at or expires_at. Otherwise the same template, and the
	// same address, account or issuer_earner_id.
	DuplicateByDate bool
	// RejectedMayRepeat does not count a rejected badge as a duplicate.
	RejectedMayRepeat bool
	// RevokedStillDuplicate counts a revoked badge as a duplicate.
	RevokedStillDuplicate bool
	// CaseSensitiveEmail compares addresses as they are typed.
	CaseSensitiveEmail bool
	// AutoAccept makes a badge accepted at once when the recipient has an
	// account.
	AutoAccept bool
	// DraftsIssue lets drafts be issued. Otherwise only active templates are.
	DraftsIssue bool
	// UnusableTemplateIs404 answers 404 to an issue of an unknown, draft or
	// archived template. Otherwise 422 with the message that was recorded for a
	// blank one.
	UnusableTemplateIs404 bool
	// FutureDatesRefused answers 422 to an issued_at in the future.
	FutureDatesRefused bool
	// StrictTimes takes times only as documented, "2024-04-01 09:41:00 -0500".
	// Otherwise the other spellings that clients send are read too.
	StrictTimes bool
	// UnknownFieldsRefused answers 422 to a field that is not known. Otherwise it
	// is ignored.
	UnknownFieldsRefused bool
	// AnyEvidenceType takes evidence of any type. Otherwise only UrlEvidence,
	// IdEvidence, TextEvidence and KeyValueEvidence, and checks their fields.
	AnyEvidenceType bool
	// GroupTagIgnored does not keep group_tag.
	GroupTagIgnored bool
	// NoFieldErrors leaves data.errors out of a 422. Otherwise it names each
	// field.
	NoFieldErrors bool
	// NullErrorMetadata sends metadata null with every error. Otherwise only
	// where it was recorded so.
	NullErrorMetadata bool
	// NewTemplatesActive makes a template active when no state is given. Otherwise
	// a draft.
	NewTemplatesActive bool
	// LooseImages takes any PNG for a template. Otherwise one of 600 by 600 and
	// 2 MB at most.
	LooseImages bool

	// Batches.

	// BatchPartial issues the good ones of a batch that is answered with an
	// error. Otherwise nothing of it.
	BatchPartial bool
	// BatchReversed answers a batch in another order than it was sent in.
	BatchReversed bool
	// BatchCap is the most badges that one batch may hold; 0 is any number.
	BatchCap int
	// BatchSharedDuplicateBehavior reads duplicate_behavior beside badges.
	// Otherwise in each of them.
	BatchSharedDuplicateBehavior bool

	// Revoking and replacing.

	// RevokeTwiceOK answers 200 when a revoked badge is revoked again. Otherwise
	// 422.
	RevokeTwiceOK bool
	// RevokeAnswers201 answers 201 to a revocation. Otherwise 200.
	RevokeAnswers201 bool
	// RejectedRefusesRevoke answers 422 when a rejected badge is revoked.
	// Otherwise it becomes revoked.
	RejectedRefusesRevoke bool
	// ReplacedMayBeRevoked lets a badge be revoked that has been replaced.
	// Otherwise 422.
	ReplacedMayBeRevoked bool
	// RevokedMayBeReplaced lets a revoked badge be replaced, by a pending one.
	// Otherwise 422.
	RevokedMayBeReplaced bool
	// ReplacedState gives a replaced badge the state "replaced". Otherwise it
	// keeps its own.
	ReplacedState bool
	// AlreadyReplacedIs409 answers 409 when a replaced badge is replaced again.
	// Otherwise 422.
	AlreadyReplacedIs409 bool
	// ReplaceShowsOneURL names accept_badge_url or badge_url in the answer to a
	// replacement. Otherwise both, as the documented sample does.
	ReplaceShowsOneURL bool

	// Events and webhooks.

	// EventsOldestFirst lists events in the order in which they happened.
	// Otherwise the newest first.
	EventsOldestFirst bool
	// EventsShowNow embeds the badge or template in an event as it is when the
	// event is read. Otherwise as it was when it happened.
	EventsShowNow bool
	// NoMailEvents raises no pending_badge_notification events.
	NoMailEvents bool
	// WebhookAny2xx takes every 2xx as a delivery. Otherwise only 200.
	WebhookAny2xx bool
	// WebhooksTwice delivers every webhook twice.
	WebhooksTwice bool
	// WebhooksReversed delivers the newest of the due webhooks first.
	WebhooksReversed bool
	// WebhookPause is the first pause after a failed delivery, which doubles with
	// each further one up to a day; 0 is a minute.
	WebhookPause time.Duration

	// Open Badges documents.

	// RevokedAssertionOK answers 200 for the hosted assertion of a revoked badge
	// as if nothing had happened. Otherwise 410 with the revoked stub.
	RevokedAssertionOK bool
	// UnansweredAssertionOK serves the assertion of a pending or rejected badge.
	// Otherwise 404.
	UnansweredAssertionOK bool
	// HashAsTyped hashes the recipient's address as it is. Otherwise in lower
	// case.
	HashAsTyped bool
	// HashPrimaryEmail hashes the account's primary address. Otherwise the one
	// that the badge was sent to.
	HashPrimaryEmail bool

	// Rate limit.

	// RateLimit is how many calls each token may make in a minute of the clock; 0
	// is any number.
	RateLimit int
	// RetryAfterAbsent sends the 429 of RateLimit without Retry-After. Otherwise
	// with the seconds to the next minute.
	RetryAfterAbsent bool
}
