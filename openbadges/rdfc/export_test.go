package rdfc

import (
	"context"
	"crypto"
)

// General is Canonicalize by the algorithm for every dataset alone.
func General(ctx context.Context, quads []Quad, opt Options) (Result, error) {
	opt, err := opt.check(ctx, quads)
	if err != nil {
		return Result{}, err
	}
	return general(ctx, quads, opt, nil)
}

// GoesShort tells whether the short way takes the dataset.
func GoesShort(ctx context.Context, quads []Quad) bool {
	s, _ := short(ctx, quads, Options{Hash: crypto.SHA256, Budget: DefaultBudget}) //nolint:errcheck // then it is nil
	if s != nil {
		s.release()
	}
	return s != nil
}
