package sqlstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"badgebridge/store"
)

// placeTries is how many taken places in a row make a list count as full: at
// half of it taken, one in 256 awards opens the next list early, which harms
// nothing.
const placeTries = 8

// TakeStatus draws places until a free one is found, which needs no count that
// all replicas would have to wait for.
func (c *calls) TakeStatus(ctx context.Context, awardID string, size int) (entry store.StatusEntry, err error) {
	op := "status entry of award " + awardID
	if size < 1 {
		return entry, fmt.Errorf("%s: a list of %d places", op, size)
	}
	err = c.together(ctx, func(c *calls) error {
		for {
			if entry, err = c.StatusOf(ctx, awardID); !errors.Is(err, store.ErrNotFound) {
				return err
			}
			list, err := c.newestList(ctx, op, size)
			if err != nil {
				return err
			}
			for range placeTries {
				drawn, err := rand.Int(rand.Reader, big.NewInt(int64(list.Size)))
				if err != nil {
					return fmt.Errorf("%s: %w", op, err)
				}
				// Nothing is inserted either where the place is taken or where the
				// award got one at the same moment.
				n, err := c.exec(ctx, op, `
					INSERT INTO status_entries (list_id, position, award_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
					list.ID, int(drawn.Int64()), awardID)
				if err != nil {
					return err
				}
				if n == 1 {
					entry = store.StatusEntry{List: list.ID, Position: int(drawn.Int64())}
					return nil
				}
			}
			if _, err = c.StatusOf(ctx, awardID); errors.Is(err, store.ErrNotFound) {
				err = c.addList(ctx, op, size)
			}
			if err != nil {
				return err
			}
		}
	})
	return entry, err
}

func (c *calls) newestList(ctx context.Context, op string, size int) (store.StatusList, error) {
	for {
		l, err := one(ctx, c, op, scanStatusList, `SELECT `+statusListColumns+` FROM status_lists ORDER BY seq DESC LIMIT 1`)
		if !errors.Is(err, store.ErrNotFound) {
			return l, err
		}
		if err := c.addList(ctx, op, size); err != nil {
			return l, err
		}
	}
}

// addList makes the next list, unless another is making it at the same moment.
func (c *calls) addList(ctx context.Context, op string, size int) error {
	_, err := c.exec(ctx, op, `
		INSERT INTO status_lists (id, seq, size, document, created_at)
		VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM status_lists), $2, $3, $4)
		ON CONFLICT DO NOTHING`,
		store.NewID(), size, []byte{}, moment(c.now()))
	return err
}

func (c *calls) StatusOf(ctx context.Context, awardID string) (store.StatusEntry, error) {
	return one(ctx, c, "status entry of award "+awardID, func(row scanner) (e store.StatusEntry, err error) {
		err = row.Scan(&e.List, &e.Position)
		return e, err
	}, `SELECT list_id, position FROM status_entries WHERE award_id = $1`, awardID)
}

const statusListColumns = `id, size, rev, content, document, signed_at`

func scanStatusList(row scanner) (l store.StatusList, err error) {
	err = row.Scan(&l.ID, &l.Size, &l.Rev, &l.Content, &l.Document, when(&l.SignedAt))
	return l, err
}

func (c *calls) StatusList(ctx context.Context, id string) (store.StatusList, error) {
	return one(ctx, c, "status list "+id, scanStatusList, `SELECT `+statusListColumns+` FROM status_lists WHERE id = $1`, id)
}

func (c *calls) RevokedIn(ctx context.Context, listID string) ([]int, error) {
	return many(ctx, c, "revoked in status list "+listID, value[int], `
		SELECT e.position FROM awards a JOIN status_entries e ON e.award_id = a.id
		WHERE a.revoked AND e.list_id = $1 ORDER BY e.position`, listID)
}

func (c *calls) PutStatusList(ctx context.Context, l store.StatusList) error {
	op := "put status list " + l.ID
	n, err := c.exec(ctx, op, `
		UPDATE status_lists SET rev = rev + 1, content = $3, document = $4, signed_at = $5 WHERE id = $1 AND rev = $2`,
		l.ID, l.Rev, l.Content, notNil(l.Document), moment(l.SignedAt))
	if err == nil && n == 0 {
		err = c.missingOrStale(ctx, op, `SELECT COUNT(*) FROM status_lists WHERE id = $1`, l.ID)
	}
	return err
}
