package engine

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/store"
)

// maxImages bounds how many images one pull fetches; the next one goes on.
const maxImages = 50

// fetchImages fetches the images that badge versions name and that are not
// here yet. An image that can't be had is tried again at the next pull and
// stops nothing.
func (e *Engine) fetchImages(ctx context.Context, r store.Remote) error {
	versions, err := e.cfg.Store.VersionsWithoutImage(ctx, r.Name, maxImages)
	if err != nil || len(versions) == 0 {
		return err
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
			return err
		}
	}
	return nil
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
