package engine

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/store"
)

// maxImages bounds how many images are fetched between two signs of life of a
// pull, and maxImageRounds how often; the next pull goes on.
const (
	maxImages      = 20
	maxImageRounds = 25
)

// images fetches what images are missing, and keeps the remote leased meanwhile.
func (p *pull) images(ctx context.Context) error {
	for range maxImageRounds {
		fetched, err := p.e.fetchImages(ctx, p.remote)
		if err != nil || fetched == 0 {
			return err
		}
		now := p.e.cfg.Now()
		ok, asked, err := p.e.cfg.Store.LeaseRemote(ctx, p.remote.Name, p.e.cfg.Owner, now, now.Add(p.e.leaseFor()))
		if err != nil || !ok {
			return errors.Join(err, fmt.Errorf("remote %s: the lease was lost: %w", p.remote.Name, store.ErrStale))
		}
		p.again = p.again || asked
	}
	return nil
}

// fetchImages fetches the images that badge versions name and that are not
// here yet. An image that can't be had is tried again at the next pull and
// stops nothing. It returns how many were fetched.
func (e *Engine) fetchImages(ctx context.Context, r store.Remote) (fetched int, err error) {
	versions, err := e.cfg.Store.VersionsWithoutImage(ctx, r.Name, maxImages)
	if err != nil || len(versions) == 0 {
		return 0, err
	}
	for _, v := range versions {
		if v.Content.Image == nil || v.Content.Image.ID == "" {
			continue
		}
		_, err := e.fetchVersionImage(ctx, r, v)
		if errors.Is(err, errNoImage) {
			e.cfg.Log.Warn("badge image not fetched", "remote", r.Name, "badge", v.Content.Name, "error", err)
			continue
		}
		if err != nil {
			return fetched, err
		}
		fetched++
	}
	return fetched, nil
}

// errNoImage: the image could not be had.
var errNoImage = errors.New("the image could not be fetched")

// fetchVersionImage fetches the image that a version names and keeps it.
func (e *Engine) fetchVersionImage(ctx context.Context, r store.Remote, v store.ClassVersion) (sha string, err error) {
	_, hosts, err := e.remote.get(r)
	if err != nil {
		return "", err
	}
	body, mediaType, err := e.cfg.Fetch(ctx, r.Name, hosts, v.Content.Image.ID)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoImage, err)
	}
	if sha, err = e.cfg.Store.PutDocument(ctx, mediaType, body); err == nil {
		err = e.cfg.Store.SetVersionImage(ctx, v.ID, sha)
	}
	if err != nil {
		return "", fmt.Errorf("keep an image: %w", err)
	}
	return sha, nil
}
