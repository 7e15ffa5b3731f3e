package jsonld

import (
	"context"
	"slices"

	"badgebridge/openbadges/rdfc"
)

// Fast is the way by the tables alone.
func (p *Processor) Fast(doc map[string]any, plain bool) ([]rdfc.Quad, bool) {
	w := p.fast(doc, plain)
	if w == nil {
		return nil, false
	}
	defer w.release()
	return slices.Clone(w.quads), true
}

// General is the way without them.
func (p *Processor) General(ctx context.Context, doc map[string]any, plain bool) ([]rdfc.Quad, error) {
	return p.general(ctx, doc, plain)
}

// Scopes counts what the tables hold.
func (p *Processor) Scopes() int { return p.tables().made }

// MaxScopes is their bound.
const MaxScopes = maxScopes
