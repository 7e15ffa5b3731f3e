package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"badgebridge/store"
)

func (c *calls) PutDocument(ctx context.Context, mediaType string, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	_, err := c.exec(ctx, "put document", `
		INSERT INTO documents (sha256, media_type, body, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT DO NOTHING`,
		digest, mediaType, notNil(body), moment(c.now()))
	if err != nil {
		return "", err
	}
	return digest, nil
}

func (c *calls) Document(ctx context.Context, digest string) (store.Document, error) {
	return one(ctx, c, "document "+digest, func(row scanner) (d store.Document, err error) {
		err = row.Scan(&d.SHA256, &d.MediaType, &d.Body, when(&d.CreatedAt))
		return d, err
	}, `SELECT sha256, media_type, body, created_at FROM documents WHERE sha256 = $1`, digest)
}

func (c *calls) EraseDocument(ctx context.Context, digest string) error {
	_, err := c.exec(ctx, "erase document", `UPDATE documents SET media_type = $1, body = $2 WHERE sha256 = $3`,
		store.ErasedDocument, []byte{}, digest)
	return err
}
