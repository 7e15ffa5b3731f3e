package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"badgebridge/openbadges"
)

// Erased is what is left to do after a person was erased.
type Erased struct {
	// Awards of remotes that were the person's, and stay without them.
	Awards []string
	// Addresses that the person had proven.
	Addresses []string
}

// Accounts joins accounts and ends them. Each of its methods is one transaction.
type Accounts interface {
	// MergePersons gives everything of the person from to the person into, and
	// deletes from: awards, claims, collected badges, collections, profile,
	// permissions, connections, addresses, ways to sign in and sessions. Where both
	// have a thing that a person has once, that of into stays: a name, a profile
	// (texts that it lacks are taken over; number and handle of the other one go on
	// leading there), a collected document. ErrNotFound.
	MergePersons(ctx context.Context, into, from string) error
	// FormerPersons lists the ids of accounts that became part of this one.
	FormerPersons(ctx context.Context, personID string) ([]string, error)
	// ErasePerson deletes a person with everything that is theirs. Awards of
	// remotes stay as facts: without the person, private, their recipient as a
	// digest, the raw records of them erased. With keepClaims they stay claimed, so
	// that the documents go on answering; else they are as before the claim.
	// ErrNotFound.
	ErasePerson(ctx context.Context, id string, keepClaims bool) (Erased, error)
	// DropDocument deletes a document that no row refers to; one that is referred
	// to stays, without error.
	DropDocument(ctx context.Context, sha256 string) error
}

// Digest names an address without saying it: "sha256$" and the digest of its
// normalized form. It stands where an address was forgotten.
func Digest(address string) string {
	sum := sha256.Sum256([]byte(openbadges.NormalizeEmail(address)))
	return "sha256$" + hex.EncodeToString(sum[:])
}

// Forgotten is the recipient of an award whose person was erased.
func Forgotten(address string) openbadges.Recipient {
	return openbadges.Recipient{Type: openbadges.IdentityEmail, Hashed: true, Identity: Digest(address)}
}
