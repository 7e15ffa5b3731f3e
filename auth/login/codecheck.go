package login

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/store"
)

// CheckCode takes a code of SendCode or ProveAddress. ErrCodeWrong may be tried
// again; ErrCodeExpired and ErrTooMany need a new code.
//
//   - For a sign-in, the result is the person who has the address, made now if
//     there was none.
//   - For a Pending sign-in, the result is the person who has the address, with
//     that sign-in added; only CheckPending takes those.
//   - For ProveAddress, the address now belongs to the person who asked:
//     Result.PersonID, with Result.Proved set. It signs nobody in. ErrAddressTaken
//     when another account has it; then Result.Merge is set.
func (l *Login) CheckCode(ctx context.Context, codeID, code string) (Result, error) {
	return l.checkCode(ctx, codeID, code, func(p purpose) bool { return p.kind == PurposeSignIn || p.kind == PurposeProve }, "")
}

// CheckPending takes a code that was asked for with a Pending token.
// ErrUnknownState when that was decided already, or too long ago.
func (l *Login) CheckPending(ctx context.Context, codeID, code, pending string) (Result, error) {
	return l.checkCode(ctx, codeID, code, func(p purpose) bool { return p.kind == PurposeJoin && p.arg == hashToken(pending) }, pending)
}

// CheckProof takes a code of ProveAddress from the person who asked for it, and
// from nobody else. email is the address that is theirs now. With ErrAddressTaken,
// merge is the token of a MergeOffer, "" where none is made.
func (l *Login) CheckProof(ctx context.Context, personID, codeID, code string) (email, merge string, err error) {
	res, err := l.checkCode(ctx, codeID, code, func(p purpose) bool {
		return p.kind == PurposeProve && p.arg == personID && personID != ""
	}, "")
	return res.Email, res.Merge, err
}

func (l *Login) checkCode(ctx context.Context, codeID, code string, fits func(purpose) bool, pending string) (Result, error) {
	c, err := l.tryCode(ctx, codeID, code, fits)
	if err != nil {
		return Result{}, fmt.Errorf("check a code: %w", err)
	}
	var res Result
	err = l.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		// A right code is good once: of two requests that bring it at the same
		// moment one finds it used.
		fresh, err := tx.UseOnce(ctx, "login/code", c.ID, l.cfg.Now(), c.ExpiresAt)
		if err != nil {
			return err
		}
		if !fresh {
			return ErrCodeExpired
		}
		if err := tx.DeleteCode(ctx, c.ID); err != nil {
			return err
		}
		switch p := parsePurpose(c.Purpose); p.kind {
		case PurposeJoin:
			res, err = l.joinPending(ctx, tx, pending, c.Email)
		case PurposeProve:
			res, err = l.addAddress(ctx, tx, p.arg, c.Email)
			res.ReturnTo = p.returnTo
		default:
			res, err = l.byAddress(ctx, tx, c.Email)
			res.ReturnTo = p.returnTo
		}
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("check a code: %w", err)
	}
	if res.taken {
		return Result{Email: res.Email, Merge: res.Merge}, fmt.Errorf("check a code: %w", ErrAddressTaken)
	}
	l.proven(ctx, res.PersonID, res.Email)
	return res, nil
}

// byAddress finds or makes the person who has an address.
func (l *Login) byAddress(ctx context.Context, tx store.Tx, email string) (Result, error) {
	res := Result{Provider: CodeProvider, Email: email}
	owner, err := ownerOf(ctx, tx, email)
	if err != nil {
		return res, err
	}
	if owner == "" {
		if l.cfg.MaySignUp != nil {
			if may, err := l.cfg.MaySignUp(ctx, tx, email); err != nil || !may {
				return res, errors.Join(err, ErrNoSignUp)
			}
		}
		if owner, err = l.newPerson(ctx, tx, claims{}); err != nil {
			return res, err
		}
		res.New = true
	}
	res.PersonID = owner
	return res, l.attach(ctx, tx, email, owner, "code")
}

// addAddress gives a person one more address.
func (l *Login) addAddress(ctx context.Context, tx store.Tx, personID, email string) (Result, error) {
	res := Result{PersonID: personID, Provider: CodeProvider, Email: email, Proved: true}
	err := l.attach(ctx, tx, email, personID, "code")
	if errors.Is(err, store.ErrExists) {
		res.taken = true // the code is used up all the same: it has proven something
		res.Merge, err = l.offerMerge(ctx, tx, personID, email)
	}
	return res, err
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
