package statuslist

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// The kinds of credentialStatus.
const (
	TypeBitstring  = "BitstringStatusListEntry"
	Type2021       = "StatusList2021Entry"
	TypeRevocation = "1EdTechRevocationList"
)

// The purposes that the Recommendation defines.
const (
	Revocation = "revocation" // for good
	Suspension = "suspension" // for a while
	Refresh    = "refresh"    // a newer credential is to be had
	Messages   = "message"    // anything; see Entry.Messages
)

const maxMessages = 1024

// Entry is a credential's credentialStatus.
type Entry struct {
	ID      string
	Type    string // TypeBitstring, Type2021 or TypeRevocation
	Purpose string
	Index   int
	Size    int    // bits of the status; 1 but for messages
	List    string // the address of the list's document
	// Messages says what a status value means (purpose "message").
	Messages map[uint32]string
	// Warnings name what is not as the specification has it, and was understood
	// all the same.
	Warnings []string
}

// ParseEntry reads one credentialStatus object, as jsonld.Parse returns it.
// Errors: ErrUnsupported for other kinds of status, ErrMalformed.
func ParseEntry(status map[string]any) (Entry, error) {
	e := Entry{Size: 1}
	var err error
	if e.ID, err = optional(status, "id"); err != nil {
		return e, err
	}
	types := texts(status["type"])
	for _, t := range []string{TypeBitstring, Type2021, TypeRevocation} {
		if slices.Contains(types, t) {
			e.Type = t
			break
		}
	}
	switch e.Type {
	case "":
		return e, fmt.Errorf("%w: type %.100q", ErrUnsupported, fmt.Sprint(status["type"]))
	case TypeRevocation:
		e.Purpose = Revocation
		if e.List = e.ID; e.List == "" {
			return e, fmt.Errorf("%w: a %s without the list's address (id)", ErrMalformed, TypeRevocation)
		}
		return e, nil
	}
	if e.Purpose, err = required(status, "statusPurpose"); err != nil {
		return e, err
	}
	if e.List, err = required(status, "statusListCredential"); err != nil {
		return e, err
	}
	if e.Index, err = e.number(status, "statusListIndex", true, math.MaxInt32); err != nil {
		return e, err
	}
	if _, there := status["statusSize"]; there {
		if e.Size, err = e.number(status, "statusSize", false, maxSize); err != nil {
			return e, err
		}
		if e.Size == 0 {
			return e, fmt.Errorf("%w: statusSize is 0", ErrMalformed)
		}
	}
	if e.Type == Type2021 && e.Size != 1 {
		return e, fmt.Errorf("%w: a %s has no statusSize", ErrMalformed, Type2021)
	}
	return e, e.messages(status)
}

// number reads a count that has to be a decimal text or a JSON number; the other
// one of the two is understood with a warning.
func (e *Entry) number(m map[string]any, member string, wantText bool, limit int) (int, error) {
	bad := fmt.Errorf("%w: %s is %.60q", ErrMalformed, member, fmt.Sprint(m[member]))
	switch v := m[member].(type) {
	case string:
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil || int64(n) > int64(limit) || v[0] == '+' || len(v) > 1 && v[0] == '0' {
			return 0, bad
		}
		if !wantText {
			e.Warnings = append(e.Warnings, member+" is a text, not a number")
		}
		return int(n), nil
	case float64:
		if v != math.Trunc(v) || v < 0 || v > float64(limit) {
			return 0, bad
		}
		if wantText {
			e.Warnings = append(e.Warnings, member+" is a number, not a text")
		}
		return int(v), nil
	}
	return 0, bad
}

// messages reads statusMessage.
func (e *Entry) messages(m map[string]any) error {
	v, there := m["statusMessage"]
	if !there {
		if e.Size > 1 {
			// The Recommendation demands them; the value is told without.
			e.Warnings = append(e.Warnings, "statusSize is above 1, and statusMessage is missing")
		}
		return nil
	}
	list, ok := v.([]any)
	if !ok || len(list) > maxMessages {
		return fmt.Errorf("%w: statusMessage is no list of at most %d", ErrMalformed, maxMessages)
	}
	e.Messages = make(map[uint32]string, len(list))
	for _, item := range list {
		o, _ := item.(map[string]any)
		text, err := required(o, "status")
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(text, 0, 32) // "0x1"
		if err != nil {
			return fmt.Errorf("%w: statusMessage has the status %.40q", ErrMalformed, text)
		}
		if e.Messages[uint32(n)], err = required(o, "message"); err != nil {
			return err
		}
	}
	return nil
}

// Status is what a list says about a credential.
type Status struct {
	Purpose string
	Value   uint32
	Message string // for the purpose "message", when there is one
	// Set: the value is not 0. For Revocation the credential was taken back, for
	// Suspension it does not hold now; the other purposes are information.
	Set bool
}

// Invalid tells whether the credential does not hold: it was revoked or is
// suspended.
func (s Status) Invalid() bool { return s.Set && (s.Purpose == Revocation || s.Purpose == Suspension) }

// Check looks an entry up in a list (Recommendation, section 3.2, without
// getting and proving the list, which is the caller's): the kinds fit, the list
// is the one that the entry names, it serves the entry's purpose and is valid at
// the time. Errors: ErrVerification, ErrMalformed, ErrLimit, ErrLength, ErrRange;
// ErrUnsupported for a 1EdTechRevocationList, which is no such list.
func (e Entry) Check(list Credential, at time.Time, lim Limits) (Status, error) {
	want := map[string]string{TypeBitstring: typeBitstringList, Type2021: type2021List}[e.Type]
	switch {
	case want == "":
		return Status{}, fmt.Errorf("%w: %.60q has no list of bits", ErrUnsupported, e.Type)
	case list.Type != want:
		return Status{}, fmt.Errorf("%w: a %s with a list of type %.60q", ErrVerification, e.Type, list.Type)
	case list.ID != "" && list.ID != e.List:
		return Status{}, fmt.Errorf("%w: the list of %.200q says it is %.200q", ErrVerification, e.List, list.ID)
	case !slices.Contains(list.Purposes, e.Purpose):
		return Status{}, fmt.Errorf("%w: the list is not for the purpose %.60q", ErrVerification, e.Purpose)
	}
	if err := list.GoodAt(at); err != nil {
		return Status{}, err
	}
	l, err := DecodeSized(list.Encoded, e.Size, lim)
	if err != nil {
		return Status{}, err
	}
	v, err := l.Value(e.Index)
	if err != nil {
		return Status{}, err
	}
	return Status{Purpose: e.Purpose, Value: v, Message: e.Messages[v], Set: v != 0}, nil
}

func optional(m map[string]any, member string) (string, error) {
	v, there := m[member]
	s, ok := v.(string)
	if there && !ok {
		return "", fmt.Errorf("%w: %s is no text", ErrMalformed, member)
	}
	return s, nil
}

func required(m map[string]any, member string) (string, error) {
	s, err := optional(m, member)
	if err == nil && s == "" {
		err = fmt.Errorf("%w: %s is missing", ErrMalformed, member)
	}
	return s, err
}

// texts is a text or a list of them.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}
