package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

const linkColumns = `remote, ref, award_id, role, state, acceptance, page_url, version, push_key, generation,
	document_sha, normalizer, listed_run, seen_at, created_at`

func scanLink(row scanner) (l store.Link, err error) {
	err = row.Scan(&l.Remote, &l.Ref, &l.AwardID, &l.Role, &l.State, &l.Acceptance, &l.PageURL, &l.Version, &l.PushKey, &l.Generation,
		&l.DocumentSHA, &l.Normalizer, &l.ListedRun, when(&l.SeenAt), when(&l.CreatedAt))
	return l, err
}

const insertLink = `INSERT INTO links (` + linkColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`

func (c *calls) linkValues(l store.Link) []any {
	if l.State == "" {
		l.State = store.LinkPresent
	}
	if l.CreatedAt.IsZero() {
		l.CreatedAt = c.now()
	}
	return []any{l.Remote, l.Ref, l.AwardID, l.Role, l.State, l.Acceptance, l.PageURL, l.Version, l.PushKey, l.Generation,
		l.DocumentSHA, l.Normalizer, l.ListedRun, moment(l.SeenAt), moment(l.CreatedAt)}
}

func (c *calls) CreateLink(ctx context.Context, l store.Link) error {
	return c.must(ctx, fmt.Sprintf("create link %s of %s", l.Ref, l.Remote), store.ErrExists, insertLink+` ON CONFLICT DO NOTHING`, c.linkValues(l)...)
}

// PutLink keeps ListedRun when it is given none.
func (c *calls) PutLink(ctx context.Context, l store.Link) (bool, error) {
	n, err := c.exec(ctx, fmt.Sprintf("put link %s of %s", l.Ref, l.Remote), insertLink+`
		ON CONFLICT (remote, ref) DO UPDATE SET award_id = excluded.award_id, role = excluded.role, state = excluded.state,
			acceptance = excluded.acceptance, page_url = excluded.page_url, version = excluded.version,
			push_key = excluded.push_key, generation = excluded.generation, document_sha = excluded.document_sha,
			normalizer = excluded.normalizer, seen_at = excluded.seen_at,
			listed_run = CASE WHEN excluded.listed_run = '' THEN links.listed_run ELSE excluded.listed_run END
		WHERE (links.award_id, links.role, links.state, links.acceptance, links.page_url, links.version,
				links.push_key, links.generation, links.document_sha, links.normalizer)
			IS DISTINCT FROM (excluded.award_id, excluded.role, excluded.state, excluded.acceptance, excluded.page_url, excluded.version,
				excluded.push_key, excluded.generation, excluded.document_sha, excluded.normalizer)`,
		c.linkValues(l)...)
	return n == 1, err
}

func (c *calls) Link(ctx context.Context, remote adapters.Remote, ref adapters.Ref) (store.Link, error) {
	return one(ctx, c, fmt.Sprintf("link %s of %s", ref, remote), scanLink,
		`SELECT `+linkColumns+` FROM links WHERE remote = $1 AND ref = $2`, remote, ref)
}

func (c *calls) LinksOf(ctx context.Context, awardID string) ([]store.Link, error) {
	return many(ctx, c, "links of award "+awardID, scanLink, `
		SELECT `+linkColumns+` FROM links WHERE award_id = $1
		ORDER BY CASE WHEN role = 'origin' THEN 0 ELSE 1 END, created_at, seq`, awardID)
}

// chunk is how many refs one statement names. The last chunk is filled up with
// a repeated ref, so that there is one text to prepare.
const chunk = 100

func (c *calls) MarkListed(ctx context.Context, remote adapters.Remote, refs []adapters.Ref, run string) error {
	if len(refs) == 0 {
		return nil
	}
	marks := make([]string, chunk)
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(i+4)
	}
	query := `UPDATE links SET listed_run = $2, seen_at = $3
		WHERE remote = $1 AND listed_run <> $2 AND ref IN (` + strings.Join(marks, ", ") + `)`
	mark := func(c *calls) error {
		for rest := refs; len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
			args := []any{remote, run, moment(c.now())}
			for i := range chunk {
				args = append(args, rest[min(i, len(rest)-1)])
			}
			if _, err := c.exec(ctx, "mark listed at "+string(remote), query, args...); err != nil {
				return err
			}
		}
		return nil
	}
	if len(refs) <= chunk {
		return mark(c)
	}
	return c.together(ctx, mark)
}

func (c *calls) CountLinks(ctx context.Context, remote adapters.Remote) (int, error) {
	return count(ctx, c, "count links of "+string(remote),
		`SELECT COUNT(*) FROM links WHERE remote = $1 AND state = 'present'`, remote)
}

func (c *calls) Unlisted(ctx context.Context, remote adapters.Remote, run string, before time.Time, limit int) ([]store.Link, int, error) {
	op := "unlisted at " + string(remote)
	const unlisted = ` FROM links WHERE remote = $1 AND state = 'present' AND listed_run <> $2 AND created_at < $3`
	total, err := count(ctx, c, op, `SELECT COUNT(*)`+unlisted, remote, run, moment(before))
	if err != nil || total == 0 {
		return nil, 0, err
	}
	links, err := many(ctx, c, op, scanLink,
		`SELECT `+linkColumns+unlisted+` ORDER BY created_at, seq LIMIT $4`, remote, run, moment(before), limited(limit))
	return links, total, err
}

func (c *calls) AddProvenance(ctx context.Context, p store.Provenance) error {
	if p.At.IsZero() {
		p.At = c.now()
	}
	_, err := c.exec(ctx, fmt.Sprintf("add provenance of %s at %s", p.Ref, p.Remote), `
		INSERT INTO provenance (remote, ref, award_id, document_sha, run_id, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.Remote, p.Ref, optional(p.AwardID), p.DocumentSHA, p.RunID, moment(p.At))
	return err
}

func (c *calls) ProvenanceOf(ctx context.Context, awardID string) ([]store.Provenance, error) {
	return many(ctx, c, "provenance of award "+awardID, func(row scanner) (p store.Provenance, err error) {
		err = row.Scan(&p.Remote, &p.Ref, orEmpty(&p.AwardID), &p.DocumentSHA, &p.RunID, when(&p.At))
		return p, err
	}, `SELECT remote, ref, award_id, document_sha, run_id, at FROM provenance WHERE award_id = $1 ORDER BY at, seq`+fmt.Sprintf(` LIMIT %d`, maxRows), awardID)
}
