package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/store"
)

// Enqueue hands the job to the Enqueuer, as part of the transaction. Without
// one it is an error: a job that nobody takes would be lost in silence.
func (c *calls) Enqueue(ctx context.Context, j store.Job) error {
	e := c.db.enqueuer.Load()
	if e == nil {
		return fmt.Errorf("enqueue %s: %w", j.Kind, errors.New("this program was started without a job queue"))
	}
	return c.together(ctx, func(c *calls) error {
		if err := (*e).Enqueue(ctx, c.tx, j); err != nil {
			return fmt.Errorf("enqueue %s: %w", j.Kind, err)
		}
		return nil
	})
}
