package engine

type remotes struct{ cfg Config }

func newRemotes(cfg Config) *remotes { return &remotes{cfg: cfg} }
