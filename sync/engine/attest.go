package engine

import (
	"context"

	"badgebridge/store"
)

func (e *Engine) attest(ctx context.Context, tx store.Tx, a store.Award) error { return nil }
