package connections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

// offerLife is how long a person may take to say yes at the other side.
const offerLife = time.Hour

// Offer is a connection that its person has not agreed to yet.
type Offer struct {
	ID       string
	Address  string
	Host     string
	Redirect string // where the person says yes, at the other side
}

// pending is what is kept of an offer.
type pending struct {
	PersonID string          `json:"person_id"`
	Kind     string          `json:"kind"`
	Address  string          `json:"address"`
	AwardID  string          `json:"award_id,omitempty"`
	Config   json.RawMessage `json:"config"`
	State    []byte          `json:"state"`
}

func pendingKey(id string) string {
	sum := sha256.Sum256([]byte("connect/" + id))
	return hex.EncodeToString(sum[:])
}

// Begin asks the other side for nothing but whether it is a backpack, and says
// where the person agrees. callback is where the other side leads them back, with
// the offer's id at its end. awardID is a badge that is on its way as soon as the
// person has agreed, "" none. Errors: ErrAddress, ErrNotReady; adapters.ErrNotFound
// when what answers there is no backpack of that kind.
func (c *Connections) Begin(ctx context.Context, personID, kind, typed, callback, awardID string) (Offer, error) {
	address, err := Address(typed)
	if err != nil {
		return Offer{}, err
	}
	base := c.cfg.BaseURL(ctx)
	if base == "" {
		return Offer{}, ErrNotReady
	}
	if address == base {
		return Offer{}, ErrAddress // one's own backpack has these badges
	}
	config, err := json.Marshal(map[string]string{"root": address})
	if err != nil {
		return Offer{}, err
	}
	a, err := c.adapter(kind, config)
	if err != nil {
		return Offer{}, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	connector, ok := a.(adapters.Connector)
	if !ok {
		return Offer{}, fmt.Errorf("connect: kind %q: %w", kind, store.ErrNotFound)
	}
	id := store.NewID()
	redirect, state, err := connector.Begin(ctx, base+callback+id)
	if err != nil {
		return Offer{}, err
	}
	data, err := json.Marshal(pending{PersonID: personID, Kind: kind, Address: address, AwardID: awardID, Config: config, State: state})
	if err == nil {
		err = c.cfg.Store.CreateLoginState(ctx, pendingKey(id), data, c.cfg.Now().Add(offerLife))
	}
	if err != nil {
		return Offer{}, fmt.Errorf("connect: %w", err)
	}
	return Offer{ID: id, Address: address, Host: hostOf(address), Redirect: redirect}, nil
}

// Finished is what came of an offer.
type Finished struct {
	store.Connection
	AwardID string // the badge for which it was begun, on its way now if it may be sent
	Pushed  Pushed
}

// Finish takes what the person came back with. A backpack that is connected
// already gets the new grant, and what waited for it goes on. The badge for which
// the offer was begun is put on its way. store.ErrNotFound when the offer is not
// this person's, was used, or is too old; adapters.ErrRejected when the person
// said no: AwardID is there then, too.
func (c *Connections) Finish(ctx context.Context, personID, id string, query url.Values) (Finished, error) {
	data, err := c.cfg.Store.TakeLoginState(ctx, pendingKey(id), c.cfg.Now())
	if err != nil {
		return Finished{}, fmt.Errorf("connect: %w", err)
	}
	var p pending
	if err := json.Unmarshal(data, &p); err != nil {
		return Finished{}, fmt.Errorf("connect: %w", err)
	}
	if personID == "" || p.PersonID != personID {
		return Finished{}, fmt.Errorf("connect: somebody else began it: %w", store.ErrNotFound)
	}
	out := Finished{AwardID: p.AwardID}
	if out.Connection, err = c.agreed(ctx, p, query); err == nil && p.AwardID != "" {
		out.Pushed, err = c.Push(ctx, personID, out.ID, []string{p.AwardID})
	}
	return out, err
}

// agreed trades what the person came back with for a grant, and keeps it.
func (c *Connections) agreed(ctx context.Context, p pending, query url.Values) (store.Connection, error) {
	a, err := c.adapter(p.Kind, p.Config)
	if err != nil {
		return store.Connection{}, err
	}
	grant, err := a.(adapters.Connector).Finish(ctx, p.State, query)
	if err != nil {
		return store.Connection{}, err
	}
	if a, err = c.adapter(p.Kind, grant.Token); err != nil {
		return store.Connection{}, fmt.Errorf("connect: %w: %w", adapters.ErrRejected, err)
	}
	if _, err := a.Check(ctx); err != nil && !adapters.Temporary(err) {
		return store.Connection{}, err // it gave a token that it does not take
	}
	conn := store.Connection{ID: store.NewID(), PersonID: p.PersonID, Kind: p.Kind, Address: p.Address, Title: hostOf(p.Address)}
	err = c.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		conn, err = c.keep(ctx, tx, conn, grant)
		return err
	})
	if err != nil {
		return store.Connection{}, fmt.Errorf("connect: %w", err)
	}
	c.Wake()
	return conn, nil
}

// keep writes a connection with its grant: the person's one at that address, or a
// new one.
func (c *Connections) keep(ctx context.Context, tx store.Tx, conn store.Connection, grant adapters.Grant) (store.Connection, error) {
	have, err := tx.ConnectionsOf(ctx, conn.PersonID)
	if err != nil {
		return conn, err
	}
	for _, old := range have {
		if old.Kind != conn.Kind || old.Address != conn.Address {
			continue
		}
		sealed, err := c.cfg.Keyring.Seal(grant.Token, sealAAD(old.ID))
		if err != nil {
			return conn, err
		}
		if err := tx.SealConnection(ctx, old.ID, []byte(sealed), old.Sealed); err != nil {
			return conn, err
		}
		old.Sealed, old.State, old.Message = []byte(sealed), store.ConnectionActive, ""
		if _, err := tx.MoveDeposits(ctx, old.ID, store.PushWaiting, store.PushQueued); err != nil {
			return conn, err
		}
		return old, tx.PutConnection(ctx, old)
	}
	sealed, err := c.cfg.Keyring.Seal(grant.Token, sealAAD(conn.ID))
	if err != nil {
		return conn, err
	}
	conn.Sealed = []byte(sealed)
	return tx.CreateConnection(ctx, conn)
}

// SetAuto says whether what the person claims or collects from now on is sent by
// itself.
func (c *Connections) SetAuto(ctx context.Context, personID, id string, on bool) error {
	err := c.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		conn, err := mine(ctx, tx, personID, id)
		if err != nil || conn.Auto == on {
			return err
		}
		conn.Auto, conn.AutoSince = on, time.Time{}
		if on {
			conn.AutoSince = store.Moment(c.cfg.Now())
		}
		return tx.PutConnection(ctx, conn)
	})
	if err != nil {
		return fmt.Errorf("send by itself: %w", err)
	}
	return nil
}

// tellTime bounds how long a person waits for the other side to hear that they
// have disconnected.
const tellTime = 10 * time.Second

// Disconnect forgets the grant here and gives it back at the other side, where
// there is a way to. told is false when the other side could not be told, or knows
// no such call: then the permission has to be taken back there, too.
func (c *Connections) Disconnect(ctx context.Context, personID, id string) (told bool, err error) {
	conn, err := mine(ctx, c.cfg.Store, personID, id)
	if err != nil {
		return false, fmt.Errorf("disconnect: %w", err)
	}
	l, openErr := c.open(conn)
	if err := c.cfg.Store.DeleteConnection(ctx, id); err != nil {
		return false, fmt.Errorf("disconnect: %w", err)
	}
	if openErr != nil {
		return false, nil //nolint:nilerr // with a lost master key there is nothing to give back
	}
	cut, ok := l.adapter.(adapters.Cutter)
	if !ok {
		return false, nil
	}
	call, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	if err := cut.CutPairing(call); err != nil {
		if !errors.Is(err, adapters.ErrNotFound) {
			c.cfg.Log.WarnContext(ctx, "a backpack was not told that it is disconnected", "connection", id, "error", err)
		}
		return false, nil
	}
	return true, nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
