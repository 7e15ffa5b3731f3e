package main

import (
	"context"
	"time"

	"badgebridge/auth/login"
)

// signInEvery is how often another replica's pairings are looked for.
const signInEvery = 30 * time.Second

// offerSites makes the paired sites that prove who their users are sign-in
// providers, beside those of the configuration, which win.
func (a *app) offerSites(ctx context.Context) {
	list := providers(a.cfg.Providers)
	names, issuers := map[string]bool{}, map[string]bool{}
	for _, p := range list {
		names[p.Name], issuers[p.Issuer] = true, true
	}
	sites, err := a.engine.Sites(ctx)
	if err != nil {
		if ctx.Err() == nil {
			a.log.Warn("paired sites not read", "error", err)
		}
		return
	}
	for _, s := range sites {
		if !s.Provider || names[string(s.Remote.Name)] || issuers[s.Issuer] {
			continue
		}
		p := login.Provider{
			Name: string(s.Remote.Name), Title: s.Remote.Title, Issuer: s.Issuer, ClientID: s.ClientID, ClientSecret: s.ClientSecret,
			// The plugin says that an address is verified only where the site mailed
			// a link that was used. Its roles make nobody an admin here.
			RolesClaim: "roles", EmailAuthoritative: true,
		}
		// One that can't work (an http address elsewhere) must not keep the others out.
		if err := login.CheckProvider(p); err != nil {
			a.log.Debug("a paired site is no sign-in provider", "remote", s.Remote.Name, "error", err)
			continue
		}
		list = append(list, p)
	}
	if err := a.login.SetProviders(list); err != nil {
		a.log.Warn("sign-in providers not set", "error", err)
	}
}

func (a *app) keepOfferingSites(ctx context.Context) {
	tick := time.NewTicker(signInEvery)
	defer tick.Stop()
	for {
		a.offerSites(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
