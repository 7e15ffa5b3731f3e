// Package statuslist reads and writes the lists by which issuers take
// credentials back: BitstringStatusList (W3C Recommendation "Bitstring Status
// List v1.0"), its forerunner StatusList2021, and the 1EdTechRevocationList of
// Open Badges 3.0.
//
// It does no I/O. The caller gets the list's document, verifies its own proof and
// that its issuer may speak for the credential's, and asks Entry.Check.
package statuslist

import (
	"errors"
	"fmt"
)

// The ways in which status fails. The first three are the Recommendation's own
// (section 3.4, "Processing Errors", and 3.2).
var (
	// ErrVerification is STATUS_VERIFICATION_ERROR: entry and list don't belong
	// together, or the list is not valid now.
	ErrVerification = errors.New("statuslist: the status can't be verified")
	// ErrLength is STATUS_LIST_LENGTH_ERROR: fewer entries than anonymity in a crowd
	// needs.
	ErrLength = errors.New("statuslist: the list is too short")
	// ErrRange is RANGE_ERROR: an index beyond the list.
	ErrRange = errors.New("statuslist: the index is outside of the list")
	// ErrMalformed: not made as its kind demands.
	ErrMalformed = errors.New("statuslist: malformed")
	// ErrLimit: larger than the Limits allow.
	ErrLimit = errors.New("statuslist: the list is too large")
	// ErrUnsupported: a kind of status that this package does not know. Nothing is
	// said about the credential.
	ErrUnsupported = errors.New("statuslist: this kind of status is not supported")
)

// MinEntries is how many entries a list has at least (Recommendation, section
// 3.2): 16 KiB of bits.
const MinEntries = 131_072

const maxSize = 32 // bits of one entry

// List is a list of small numbers, all 0 at first; 0 means that nothing is said
// against the credential. Its entries are bits where size is 1. A List is not
// safe for use while it is changed.
type List struct {
	bits    []byte
	size    int
	entries int
}

// New makes a list of n bits, and of no fewer than MinEntries.
func New(n int) *List { return mustSized(n, 1) }

func mustSized(n, size int) *List {
	n = (max(n, MinEntries) + 7) / 8 * 8
	return &List{bits: make([]byte, n*size/8), size: size, entries: n}
}

// NewSized makes a list of n entries of 1 to 32 bits each (statusSize).
func NewSized(n, size int) (*List, error) {
	if size < 1 || size > maxSize {
		return nil, fmt.Errorf("%w: statusSize %d", ErrMalformed, size)
	}
	return mustSized(n, size), nil
}

// Len is the number of entries.
func (l *List) Len() int { return l.entries }

// Size is the number of bits of an entry.
func (l *List) Size() int { return l.size }

func (l *List) inside(i int) error {
	if i < 0 || i >= l.entries {
		return fmt.Errorf("%w: %d of %d", ErrRange, i, l.entries)
	}
	return nil
}

// Get tells whether an entry is not 0. Error: ErrRange.
func (l *List) Get(i int) (bool, error) {
	v, err := l.Value(i)
	return v != 0, err
}

// Set makes an entry 1 or 0. Error: ErrRange.
func (l *List) Set(i int, on bool) error {
	var v uint32
	if on {
		v = 1
	}
	return l.SetValue(i, v)
}

// Value reads an entry; its first bit is the highest. Index 0 begins at the most
// significant bit of the first byte. Error: ErrRange.
func (l *List) Value(i int) (uint32, error) {
	if err := l.inside(i); err != nil {
		return 0, err
	}
	var v uint32
	for at := i * l.size; at < (i+1)*l.size; at++ {
		v = v<<1 | uint32(l.bits[at/8]>>(7-at%8)&1)
	}
	return v, nil
}

// SetValue writes an entry. Errors: ErrRange, also for a value that needs more
// bits than an entry has.
func (l *List) SetValue(i int, v uint32) error {
	if err := l.inside(i); err != nil {
		return err
	}
	if uint64(v)>>l.size != 0 {
		return fmt.Errorf("%w: the value %d in %d bits", ErrRange, v, l.size)
	}
	for k := range l.size {
		at := i*l.size + k
		mask := byte(1) << (7 - at%8)
		if v>>(l.size-1-k)&1 == 1 {
			l.bits[at/8] |= mask
		} else {
			l.bits[at/8] &^= mask
		}
	}
	return nil
}
