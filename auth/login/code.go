package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"badgebridge/internal/secret"
	"badgebridge/store"
)

// What a code is like.
const (
	// CodeLife is how long a code is good.
	CodeLife = 15 * time.Minute
	// CodeAttempts is how often it may be tried.
	CodeAttempts = 5
	// CodeLength is how many characters it has.
	CodeLength = 8

	// codeAlphabet has no two characters that look or sound alike in print: 30
	// of them, so 39 bits a code.
	codeAlphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// CodeJob is the Kind of the job that sends a code; its Args are a CodeMail.
const CodeJob = "mail.code"

// The purposes of a code, as a CodeMail names them. A store.Code adds what it is
// for: "join:" and the hash of the pending token, "prove:" and the person; then a
// blank and where to go after.
const (
	PurposeSignIn = "sign-in"
	PurposeJoin   = "join"
	PurposeProve  = "prove"
)

// purpose is a code's purpose taken apart.
type purpose struct{ kind, arg, returnTo string }

func (p purpose) String() string { return p.kind + ":" + p.arg + " " + p.returnTo }

func parsePurpose(s string) purpose {
	head, returnTo, _ := strings.Cut(s, " ")
	kind, arg, _ := strings.Cut(head, ":")
	return purpose{kind: kind, arg: arg, returnTo: SafeReturn(returnTo)}
}

// CodeMail is what the job that sends a code has to know.
type CodeMail struct {
	ID      string `json:"id"`
	To      string `json:"to"`   // sealed: see OpenCode
	Code    string `json:"code"` // sealed: see OpenCode
	Purpose string `json:"purpose"`
	Locale  string `json:"locale"`
}

// OpenCode reads the job's args and gives address and code in clear, the code in
// the form in which people get it ("K3MT-9XVA"). Both are sealed in the job, which
// is kept for a while after it is done.
func OpenCode(k *secret.Keyring, args []byte) (CodeMail, string, error) {
	var m CodeMail
	if err := json.Unmarshal(args, &m); err != nil {
		return m, "", fmt.Errorf("read the code's job: %w", err)
	}
	to, err := k.Open(m.To, toSeal(m.ID))
	if err != nil {
		return m, "", fmt.Errorf("read the code's job: %w", err)
	}
	m.To = string(to)
	plain, err := k.Open(m.Code, codeSeal(m.ID))
	if err != nil {
		return m, "", fmt.Errorf("read the code's job: %w", err)
	}
	return m, string(plain[:CodeLength/2]) + "-" + string(plain[CodeLength/2:]), nil
}

func codeSeal(id string) string { return "login/code-mail/" + id }
func toSeal(id string) string   { return "login/code-address/" + id }
func hashSeal(id string) string { return "login/code/" + id }

// CodeRequest asks for a code.
type CodeRequest struct {
	Email  string
	Locale string // for the mail's language
	IP     string // of the browser, for the limits; "" unknown
	// ReturnTo is where to go after; anything but a local path becomes "/".
	ReturnTo string
	// Pending is Result.Pending when the code is to join a first sign-in with
	// the account that has the address. "" for all else.
	Pending string
}

// SendCode sends a code that signs in whoever holds the address, and makes the
// account if there is none. What it answers and how long that takes says nothing
// about which addresses are known. codeID belongs in this browser's session, not
// in an address or a form. ErrAddress, ErrTooMany.
func (l *Login) SendCode(ctx context.Context, r CodeRequest) (codeID string, err error) {
	p := purpose{kind: PurposeSignIn}
	if r.Pending != "" {
		p = purpose{kind: PurposeJoin, arg: hashToken(r.Pending)}
	}
	return l.sendCode(ctx, r, p)
}

// ProveAddress sends a code that attaches the address to a signed-in person; see
// CheckProof. That another account has the address already is said only to who
// has the code.
func (l *Login) ProveAddress(ctx context.Context, personID string, r CodeRequest) (codeID string, err error) {
	if personID == "" {
		return "", errors.New("prove an address: nobody is signed in")
	}
	return l.sendCode(ctx, r, purpose{kind: PurposeProve, arg: personID})
}

func (l *Login) sendCode(ctx context.Context, r CodeRequest, p purpose) (string, error) {
	p.returnTo = SafeReturn(r.ReturnTo)
	email, err := Address(r.Email)
	if err != nil {
		return "", fmt.Errorf("send a code: %w", err)
	}
	if r.IP != "" && !l.cfg.Allow(ctx, "code-ip", r.IP) || !l.cfg.Allow(ctx, "code-address", hashToken(email)) {
		return "", fmt.Errorf("send a code: %w", ErrTooMany)
	}
	id, code := store.NewID(), newCode()
	hash, err := l.cfg.Keyring.Seal([]byte(hashCode(id, code)), hashSeal(id))
	if err != nil {
		return "", fmt.Errorf("send a code: %w", err)
	}
	sealed, err := l.cfg.Keyring.Seal([]byte(code), codeSeal(id))
	if err != nil {
		return "", fmt.Errorf("send a code: %w", err)
	}
	to, err := l.cfg.Keyring.Seal([]byte(email), toSeal(id))
	if err != nil {
		return "", fmt.Errorf("send a code: %w", err)
	}
	args, err := json.Marshal(CodeMail{ID: id, To: to, Code: sealed, Purpose: p.kind, Locale: clip(r.Locale, 35)})
	if err != nil {
		return "", fmt.Errorf("send a code: %w", err)
	}
	err = l.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		c := store.Code{ID: id, Email: email, Hash: hash, Purpose: p.String(), ExpiresAt: l.cfg.Now().Add(CodeLife)}
		if err := tx.CreateCode(ctx, c); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Job{Kind: CodeJob, Args: args, UniqueKey: id})
	})
	if err != nil {
		return "", fmt.Errorf("send a code: %w", err)
	}
	return id, nil
}

func newCode() string {
	out := make([]byte, 0, CodeLength)
	var b [1]byte
	for len(out) < CodeLength {
		_, _ = rand.Read(b[:])
		// 240 is the largest multiple of 30 that fits: above, the letters at the
		// front would come up more often.
		if b[0] < 240 {
			out = append(out, codeAlphabet[int(b[0])%len(codeAlphabet)])
		}
	}
	return string(out)
}

// hashCode binds the code to its id. It is sealed before it is stored: 39 bits
// alone would not withstand a search.
func hashCode(id, code string) string {
	sum := sha256.Sum256([]byte(id + "\x00" + code))
	return hex.EncodeToString(sum[:])
}

// typed is a code as people type it, made equal to how it was made.
func typed(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r == ' ' || r == '-' || r == '\u2010' || r == '\u2011' || r == '\u00a0' || r == '\t' || r == '\n' || r == '\r':
			return -1
		}
		return r
	}, clip(s, 64))
}

// tryCode checks a code, counting the attempt, and deletes it when it is right
// or no longer of use.
func (l *Login) tryCode(ctx context.Context, codeID, code string, fits func(purpose) bool) (store.Code, error) {
	if codeID == "" || len(codeID) > 64 {
		return store.Code{}, ErrCodeExpired
	}
	c, err := l.cfg.Store.TryCode(ctx, codeID)
	if errors.Is(err, store.ErrNotFound) {
		return c, ErrCodeExpired
	}
	if err != nil {
		return c, err
	}
	if !fits(parsePurpose(c.Purpose)) {
		return c, ErrCodeExpired
	}
	if c.Attempts > CodeAttempts {
		return c, l.dropCode(ctx, codeID, ErrTooMany)
	}
	if !l.cfg.Now().Before(c.ExpiresAt) {
		return c, l.dropCode(ctx, codeID, ErrCodeExpired)
	}
	want, err := l.cfg.Keyring.Open(c.Hash, hashSeal(codeID))
	if err != nil {
		return c, err
	}
	if subtle.ConstantTimeCompare([]byte(hashCode(codeID, typed(code))), want) != 1 {
		if c.Attempts >= CodeAttempts {
			return c, l.dropCode(ctx, codeID, ErrTooMany)
		}
		return c, ErrCodeWrong
	}
	return c, nil
}

func (l *Login) dropCode(ctx context.Context, codeID string, why error) error {
	if err := l.cfg.Store.DeleteCode(ctx, codeID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return why
}
