package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/alexedwards/scs/v2"

	"badgebridge/store"
)

var errNoContext = errors.New("a session is only read with a context")

// sqlStore keeps scs sessions in the store, under the hash of their token.
type sqlStore struct {
	st  store.Sessions
	now func() time.Time
}

var _ scs.CtxStore = (*sqlStore)(nil)

// loadedKey finds, in a request's context, which session the request began with.
type loadedKey struct{}

// loaded is the hash of the token that the request's cookie brought and that
// was found; "" when the request began without a session.
type loaded struct{ hash string }

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// FindCtx returns the data of a live session.
func (s *sqlStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	h := hashToken(token)
	b, err := s.st.Session(ctx, h, s.now())
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if l, ok := ctx.Value(loadedKey{}).(*loaded); ok {
		l.hash = h
	}
	return b, true, nil
}

// CommitCtx writes the session, to expire at its absolute end or when it was
// idle for too long. A session that the request began with and that somebody
// signed out of meanwhile stays gone: a slow request in another tab must not
// bring it back.
func (s *sqlStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	h := hashToken(token)
	now := s.now()
	if l, ok := ctx.Value(loadedKey{}).(*loaded); ok && l.hash == h {
		_, err := s.st.Session(ctx, h, now)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if idle := now.Add(Idle); idle.Before(expiry) {
		expiry = idle
	}
	return s.st.PutSession(ctx, h, personIn(b), b, expiry)
}

// personIn is whose session the encoded one is, "" nobody's.
func personIn(b []byte) string {
	var e encoded
	_ = json.Unmarshal(b, &e) // made by jsonCodec
	return e.Values[keyPerson]
}

// DeleteCtx ends the session; an unknown one is no error.
func (s *sqlStore) DeleteCtx(ctx context.Context, token string) error {
	if token == "" {
		return nil
	}
	err := s.st.DeleteSession(ctx, hashToken(token))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// The methods without context are never called: scs prefers the others.

func (s *sqlStore) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (s *sqlStore) Commit(string, []byte, time.Time) error { return errNoContext }
func (s *sqlStore) Delete(string) error                    { return errNoContext }

// jsonCodec writes a session as JSON: it can be read with any tool, and needs
// no registered types.
type jsonCodec struct{}

type encoded struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

func (jsonCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	e := encoded{Deadline: deadline, Values: make(map[string]string, len(values))}
	for k, v := range values {
		if s, ok := v.(string); ok {
			e.Values[k] = s
		}
	}
	return json.Marshal(e)
}

// Decode reads a session. One that can't be read (an older program's) is an
// empty one: its owner signs in again.
func (jsonCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var e encoded
	if json.Unmarshal(b, &e) != nil {
		e = encoded{}
	}
	values := make(map[string]any, len(e.Values))
	for k, v := range e.Values {
		values[k] = v
	}
	return e.Deadline, values, nil
}
