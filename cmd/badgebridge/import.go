package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/engine"
)

// importFlags are what an import is asked for.
type importFlags struct {
	to     string
	all    bool
	badges []string
}

func (c *cli) imports() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use: "import REMOTE", Short: "Import badges that were designed elsewhere into a site", Args: cobra.ExactArgs(1),
		Long: "Makes badges of REMOTE (Credly) at a site, or finds those that it made before, and maps them; nothing is awarded or sent.\n" +
			"Stopped at any moment, it is finished by a serving gateway, or by the same command again.\n" +
			"Exit status: 0 all were imported, 1 some failed, 2 it could not be done.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withApp(cmd.Context(), func(a *app) error { return c.importBadges(cmd.Context(), a, adapters.Remote(args[0]), f) })
		},
	}
	cmd.Flags().StringVar(&f.to, "to", "", "the site, by its name; may be left out when there is one")
	cmd.Flags().BoolVar(&f.all, "all", false, "every badge that can be issued")
	cmd.Flags().StringSliceVar(&f.badges, "badge", nil, "a badge by its id at REMOTE; may be given several times")
	return c.withConfig(c.withJSON(cmd))
}

func (c *cli) importBadges(ctx context.Context, a *app, from adapters.Remote, f importFlags) error {
	to, err := c.site(ctx, a, f.to)
	if err != nil {
		return err
	}
	wishes, err := wished(ctx, a, from, f)
	if err != nil {
		return err
	}
	imp, err := a.engine.StartImport(ctx, from, to, "", wishes)
	if err != nil {
		return err
	}
	for imp.State == store.ImportGoing {
		if imp, err = a.engine.RunImport(ctx, imp.ID); err != nil && !errors.Is(err, store.ErrStale) {
			return err
		}
		if imp, err = a.db.Import(ctx, imp.ID); err != nil {
			return err
		}
		if imp.State != store.ImportGoing {
			break
		}
		// The site is away, or a serving gateway does it: look again in a moment.
		if !c.json {
			fmt.Fprintf(c.out, "%d of %d imported; waiting\n", imp.Done, imp.Total)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
	return c.imported(ctx, a, imp)
}

// site is the named site, or the only one.
func (c *cli) site(ctx context.Context, a *app, name string) (adapters.Remote, error) {
	if name != "" {
		return adapters.Remote(name), nil
	}
	all, err := a.db.Remotes(ctx)
	if err != nil {
		return "", err
	}
	all = slices.DeleteFunc(all, func(r store.Remote) bool { return r.Kind != "wordpress" })
	if len(all) != 1 {
		return "", fmt.Errorf("--to is needed: there are %d sites; `badgebridge remotes check` names them", len(all))
	}
	return all[0].Name, nil
}

func wished(ctx context.Context, a *app, from adapters.Remote, f importFlags) ([]engine.ImportWish, error) {
	if f.all == (len(f.badges) > 0) {
		return nil, errors.New("say either --all or --badge ID")
	}
	var out []engine.ImportWish
	if f.all {
		all, err := a.db.Classes(ctx, from)
		if err == nil && len(all) == 0 {
			err = fmt.Errorf("no badge of %s is known; `badgebridge sync %s` reads its catalog", from, from)
		}
		for _, cl := range all {
			if cl.Issuable {
				out = append(out, engine.ImportWish{ClassID: cl.ID})
			}
		}
		return out, err
	}
	for _, id := range f.badges {
		cl, err := a.db.ClassByRef(ctx, from, adapters.Ref(id))
		if errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("%s has no badge %q that is known here; `badgebridge sync %s` reads its catalog", from, id, from)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, engine.ImportWish{ClassID: cl.ID})
	}
	return out, nil
}

// imported says what became of an import.
func (c *cli) imported(ctx context.Context, a *app, imp store.Import) error {
	type line struct {
		Badge    string   `json:"badge"`
		State    string   `json:"state"`
		Message  string   `json:"message,omitempty"`
		Warnings []string `json:"warnings,omitempty"`
		Mapping  string   `json:"mapping,omitempty"`
	}
	out := struct {
		ID      string `json:"id"`
		State   string `json:"state"`
		Message string `json:"message,omitempty"`
		Done    int    `json:"done"`
		Failed  int    `json:"failed"`
		Badges  []line `json:"badges"`
	}{imp.ID, string(imp.State), imp.Message, imp.Done, imp.Failed, []line{}}
	for after := 0; ; {
		items, err := a.db.ImportItems(ctx, imp.ID, after, 200)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			break
		}
		for _, n := range items {
			cl, err := a.db.Class(ctx, n.ClassID)
			if err != nil {
				return err
			}
			out.Badges = append(out.Badges, line{cl.Content.Name, string(n.State), n.Message, n.Warnings, n.MappingID})
			after = n.Position
		}
	}
	if c.json {
		if err := c.print(out); err != nil {
			return err
		}
	} else {
		for _, l := range out.Badges {
			fmt.Fprintf(c.out, "%-8s %s %s\n", l.State, l.Badge, l.Message)
			if len(l.Warnings) > 0 {
				fmt.Fprintf(c.out, "         missing: %v\n", l.Warnings)
			}
		}
		fmt.Fprintf(c.out, "%d imported, %d failed. Nothing flows by their mappings yet.\n", imp.Done, imp.Failed)
		if imp.Message != "" {
			fmt.Fprintln(c.out, imp.Message)
		}
	}
	if imp.Failed > 0 || imp.State == store.ImportFailed {
		return no("")
	}
	return nil
}
