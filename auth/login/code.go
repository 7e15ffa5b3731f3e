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

// The purposes of a code, as a CodeMail and store.Code name them.
const (
	PurposeSignIn = "sign-in"
	PurposeJoin   = "join" // in the store "join:" and the hash of the pending token
	PurposeProve  = "prove"
)

// CodeMail is what the job that sends a code has to know.
type CodeMail struct {
	ID      string `json:"id"`
	To      string `json:"to"`
	Code    string `json:"code"` // sealed: see OpenCode
	Purpose string `json:"purpose"`
	Locale  string `json:"locale"`
}

// OpenCode reads the job's args and gives the code in clear, in the form in
// which people get it ("K3MT-9XVA").
func OpenCode(k *secret.Keyring, args []byte) (CodeMail, string, error) {
	var m CodeMail
	if err := json.Unmarshal(args, &m); err != nil {
		return m, "", fmt.Errorf("read the code's job: %w", err)
	}
	plain, err := k.Open(m.Code, codeSeal(m.ID))
	if err != nil {
		return m, "", fmt.Errorf("read the code's job: %w", err)
	}
	return m, string(plain[:CodeLength/2]) + "-" + string(plain[CodeLength/2:]), nil
}

func codeSeal(id string) string { return "login/code-mail/" + id }
func hashSeal(id string) string { return "login/code/" + id }

// CodeRequest asks for a code.
type CodeRequest struct {
	Email  string
	Locale string // for the mail's language
	IP     string // of the browser, for the limits; "" unknown
	// Pending is Result.Pending when the code is to join a first sign-in with
	// the account that has the address. "" for all else.
	Pending string
}

// SendCode sends a code that signs in whoever holds the address, and makes the
// account if there is none. What it answers and how long that takes says nothing
// about which addresses are known. codeID belongs in this browser's session, not
// in an address or a form. ErrAddress, ErrTooMany.
func (l *Login) SendCode(ctx context.Context, r CodeRequest) (codeID string, err error) {
	purpose := PurposeSignIn
	if r.Pending != "" {
		purpose = PurposeJoin + ":" + hashToken(r.Pending)
	}
	return l.sendCode(ctx, r, purpose)
}

// ProveAddress sends a code that attaches the address to a signed-in person; see
// CheckProof. That another account has the address already is said only to who
// has the code.
func (l *Login) ProveAddress(ctx context.Context, personID string, r CodeRequest) (codeID string, err error) {
	if personID == "" {
		return "", errors.New("prove an address: nobody is signed in")
	}
	return l.sendCode(ctx, r, PurposeProve+":"+personID)
}

func (l *Login) sendCode(ctx context.Context, r CodeRequest, purpose string) (string, error) {
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
	word, _, _ := strings.Cut(purpose, ":")
	args, err := json.Marshal(CodeMail{ID: id, To: email, Code: sealed, Purpose: word, Locale: clip(r.Locale, 35)})
	if err != nil {
		return "", fmt.Errorf("send a code: %w", err)
	}
	err = l.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		c := store.Code{ID: id, Email: email, Hash: hash, Purpose: purpose, ExpiresAt: l.cfg.Now().Add(CodeLife)}
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
func (l *Login) tryCode(ctx context.Context, codeID, code string, fits func(purpose string) bool) (store.Code, error) {
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
	if !fits(c.Purpose) {
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

// CheckCode signs in by a code of SendCode. ErrCodeWrong may be tried again;
// ErrCodeExpired and ErrTooMany need a new code. With the code of a Pending
// sign-in the person is the one who has the address, with that sign-in added.
func (l *Login) CheckCode(ctx context.Context, codeID, code string) (Result, error) {
	return l.checkCode(ctx, codeID, code, "")
}

// CheckPending is CheckCode for a code that was asked for with a Pending token.
func (l *Login) CheckPending(ctx context.Context, codeID, code, pending string) (Result, error) {
	return l.checkCode(ctx, codeID, code, pending)
}

func (l *Login) checkCode(ctx context.Context, codeID, code, pending string) (Result, error) {
	want := PurposeSignIn
	if pending != "" {
		want = PurposeJoin + ":" + hashToken(pending)
	}
	c, err := l.tryCode(ctx, codeID, code, func(p string) bool { return p == want })
	if err != nil {
		return Result{}, fmt.Errorf("check a code: %w", err)
	}
	var res Result
	err = l.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		if err := useCode(ctx, tx, codeID); err != nil {
			return err
		}
		if pending != "" {
			res, err = l.joinPending(ctx, tx, pending, c.Email)
			return err
		}
		res = Result{Provider: CodeProvider, ReturnTo: "/", Email: c.Email}
		owner, err := ownerOf(ctx, tx, c.Email)
		if err != nil {
			return err
		}
		if owner == "" {
			if owner, err = l.newPerson(ctx, tx, claims{}); err != nil {
				return err
			}
			res.New = true
		}
		res.PersonID = owner
		return l.attach(ctx, tx, c.Email, owner, "code")
	})
	if err != nil {
		return Result{}, fmt.Errorf("check a code: %w", err)
	}
	l.proven(ctx, res.PersonID, res.Email)
	return res, nil
}

// joinPending adds a waiting sign-in to the person who has the address.
func (l *Login) joinPending(ctx context.Context, tx store.Tx, pending, email string) (Result, error) {
	var w pendingSignIn
	if err := l.takeState(ctx, tx, pendingHash(pending), &w); err != nil {
		return Result{}, err
	}
	if w.Claims.Email != email {
		return Result{}, fmt.Errorf("%w: the code went to another address", ErrUnknownState)
	}
	res := w.result()
	res.Email = email
	owner, err := ownerOf(ctx, tx, email)
	if err != nil {
		return Result{}, err
	}
	if owner == "" { // the other account is gone
		if owner, err = l.newPerson(ctx, tx, w.Claims); err != nil {
			return Result{}, err
		}
		res.New = true
	}
	res.PersonID = owner
	return res, l.join(ctx, tx, w.Provider, w.Claims, owner, "code")
}

// CheckProof attaches the address of a ProveAddress code to the person, who must
// be the one that asked. ErrAddressTaken when another account has it: signing in
// there by code is the way. email is the normalized address.
func (l *Login) CheckProof(ctx context.Context, personID, codeID, code string) (email string, err error) {
	c, err := l.tryCode(ctx, codeID, code, func(p string) bool { return personID != "" && p == PurposeProve+":"+personID })
	if err != nil {
		return "", fmt.Errorf("prove an address: %w", err)
	}
	err = l.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		if err := useCode(ctx, tx, codeID); err != nil {
			return err
		}
		owner, err := ownerOf(ctx, tx, c.Email)
		if err != nil {
			return err
		}
		if owner != "" && owner != personID {
			return ErrAddressTaken
		}
		return l.attach(ctx, tx, c.Email, personID, "code")
	})
	if errors.Is(err, store.ErrExists) {
		err = ErrAddressTaken
	}
	if err != nil {
		return "", fmt.Errorf("prove an address: %w", err)
	}
	l.proven(ctx, personID, c.Email)
	return c.Email, nil
}

// useCode makes a right code good once: of two requests that bring it at the
// same moment one finds it gone.
func useCode(ctx context.Context, tx store.Tx, codeID string) error {
	if err := tx.DeleteCode(ctx, codeID); errors.Is(err, store.ErrNotFound) {
		return ErrCodeExpired
	} else if err != nil {
		return err
	}
	return nil
}
