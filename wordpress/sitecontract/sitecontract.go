// Package sitecontract is the test suite of the contract between a site and the
// gateway (wordpress/site-api.yaml). The live plugin passes it in a real
// WordPress, and the simulated site passes the same.
//
// The suite plays the gateway: it pairs the site with itself, calls the site
// signed, receives its webhooks, and validates every message in either direction
// against the OpenAPI document.
package sitecontract

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// Target is a running site.
type Target struct {
	// RestURL is where "/badgebridge/v1/..." is appended, for example
	// "http://127.0.0.1:8080/wp-json".
	RestURL string
	// UUID and Home are what the site says about itself in
	// Site.uuid and Site.home_url.
	UUID, Home string

	// Control is the site's people. The suite itself pairs the site, with a gateway
	// that it plays, so it needs no key.
	Control Control

	// WritesBadges: the site takes putBadge. Without it those promises are not
	// tested.
	WritesBadges bool

	// ForgetsAwards: the site deletes the awards of a member who goes or whose data is
	// erased, as GamiPress does; then the feed says so.
	ForgetsAwards bool

	Client *http.Client     // nil: one with a timeout of 30 s
	Now    func() time.Time // the site's clock; nil: time.Now
}

// Control does to a site what its people do there, past the contract. Each
// method fails the test when it can't.
type Control interface {
	// AddBadge makes a published badge that only an administrator awards. The
	// title is stored raw: "Star & Co" stays as it is.
	AddBadge(t testing.TB, title string) (badge int64)
	// AddMember makes a member who has proven nothing.
	AddMember(t testing.TB, email, given, family string) (member int64)
	// RemoveMember deletes the account; the awards stay, without a member.
	RemoveMember(t testing.TB, member int64)
	// EraseMember erases the member's personal data on request, as WordPress's
	// privacy tools do; the account stays.
	EraseMember(t testing.TB, member int64, email string)
	// SetEmail changes a member's address.
	SetEmail(t testing.TB, member int64, email string)
	// AwardBadge awards as an administrator does.
	AwardBadge(t testing.TB, badge, member int64) (entry int64)
	// RevokeAward takes an award back as an administrator does: an explicit act.
	RevokeAward(t testing.TB, entry int64)
	// DeleteSilently removes awards without a word: no hook, no tombstone.
	DeleteSilently(t testing.TB, entries ...int64)
	// AwardSilently adds an award without a word, like one that was there before
	// the plugin was installed.
	AwardSilently(t testing.TB, badge, member int64) (entry int64)
	// Snapshot makes a backup of the site; restore puts the whole site back to it.
	Snapshot(t testing.TB) (restore func(t testing.TB))
	// SetHome makes the site believe that it lives at another URL, as a clone or
	// a moved site does. Target.RestURL goes on answering.
	SetHome(t testing.TB, home string)
	// Pair does what an administrator does with a one-time code, and gives the
	// site's complaint as an error.
	Pair(t testing.TB, gatewayURL, code string) error
	// RetryWebhooks sends all that is still to be sent, whenever it would be due.
	RetryWebhooks(t testing.TB)
}

// Run runs the suite. It leaves badges, members and awards behind, and the site
// paired with a gateway that is gone.
func Run(t *testing.T, target Target) {
	t.Helper()
	if target.Client == nil {
		target.Client = &http.Client{Timeout: 30 * time.Second}
	}
	if target.Now == nil {
		target.Now = time.Now
	}
	s := &suite{Target: target}
	s.pair(t)
	promises := slices.Concat(readPromises, lastPromises)
	if target.WritesBadges {
		promises = slices.Concat(readPromises, badgePromises, lastPromises)
	}
	for _, p := range promises {
		if !t.Run(p.name, func(t *testing.T) { p.test(s, t) }) && t.Failed() && s.unpaired {
			t.Fatal("the site lost its pairing; nothing more can be tested")
		}
	}
}

type promise struct {
	name string
	test func(*suite, *testing.T)
}

var (
	readPromises = []promise{
		{"the site says who it is", (*suite).site},
		{"an unsigned or badly signed call is refused", (*suite).signatures},
		{"a signed call works once", (*suite).replay},
		{"a call for another site does nothing", (*suite).anotherSite},
		{"badges have raw titles and come in pages", (*suite).badges},
		{"members are found by address whatever its case", (*suite).members},
		{"what the old Credly left can be listed", (*suite).oldCredly},
		{"an award is listed and in the feed", (*suite).awarded},
		{"an award from before the plugin is listed", (*suite).awardedBefore},
		{"the feed pages without gaps", (*suite).feedPages},
		{"awards come in pages that are complete", (*suite).awardPages},
		{"granting twice with one key awards once", (*suite).grantTwice},
		{"granting at the same time with one key awards once", (*suite).grantAtOnce},
		{"grants to two members in a row both count", (*suite).grantTwoMembers},
		{"a grant that can't be is refused with its reason", (*suite).grantRefused},
		{"a key whose award was revoked never awards again", (*suite).grantAfterRevoke},
		{"revoking twice is no error and really revokes", (*suite).revokeTwice},
		{"revoking with another fingerprint touches nothing", (*suite).revokeAnother},
		{"what an administrator revokes leaves a tombstone", (*suite).tombstone},
		{"what vanishes silently is absent without a tombstone", (*suite).silentDelete},
		{"a member who is gone leaves awards without a member", (*suite).memberGone},
		{"a changed address is in the feed", (*suite).addressChanged},
		{"a member whose data was erased is named nowhere", (*suite).erased},
	}
	badgePromises = []promise{
		{"putting a badge twice with one key makes one", (*suite).putTwice},
		{"what a put leaves out stays as it is", (*suite).putPart},
		{"a badge's image comes back and changes its address when changed", (*suite).putImage},
		{"an existing badge can be put under a key", (*suite).putExisting},
		{"a badge that can't be is refused with its field", (*suite).putRefused},
	}
	lastPromises = []promise{
		{"a restored backup makes newer cursors gone", (*suite).restored},
		{"a cursor that never was is gone", (*suite).strangeCursor},
		{"a webhook is signed and names the award", (*suite).webhook},
		{"a webhook that failed is sent again", (*suite).webhookRetried},
		{"a clone neither answers nor sends webhooks", (*suite).clone},
		{"a wrong pairing code is refused in words", (*suite).pairRefused},
		{"a replaced key counts at once and the old one is dead", (*suite).rekeyed},
		{"a cut pairing is dead at once", (*suite).cut},
	}
)
