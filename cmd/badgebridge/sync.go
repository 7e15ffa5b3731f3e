package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/engine"
)

// withApp loads the configuration, opens the store and runs f.
func (c *cli) withApp(ctx context.Context, f func(*app) error) error {
	cfg, err := c.load(false)
	if err != nil {
		return err
	}
	a, err := open(ctx, cfg, os.Stderr)
	if err != nil {
		return err
	}
	defer a.close()
	return f(a)
}

func (c *cli) print(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (c *cli) remotes() *cobra.Command {
	cmd := &cobra.Command{Use: "remotes", Short: "Look at the connections"}
	check := &cobra.Command{
		Use: "check [NAME]", Short: "Ask a remote, or all, whether it is there and takes our credentials", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withApp(cmd.Context(), func(a *app) error { return c.checkRemotes(cmd.Context(), a, args) })
		},
	}
	cmd.AddCommand(c.withConfig(c.withJSON(check)))
	return cmd
}

// names is the remote that was named, or all.
func names(ctx context.Context, a *app, args []string) ([]store.Remote, error) {
	if len(args) == 1 {
		r, err := a.db.Remote(ctx, adapters.Remote(args[0]))
		if errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("there is no remote %q; `badgebridge remotes check` names those there are", args[0])
		}
		return []store.Remote{r}, err
	}
	all, err := a.db.Remotes(ctx)
	if err == nil && len(all) == 0 {
		return nil, errors.New("no remote is connected yet; connect one on the admin pages, or name it in the configuration file")
	}
	return all, err
}

func (c *cli) checkRemotes(ctx context.Context, a *app, args []string) error {
	remotes, err := names(ctx, a, args)
	if err != nil {
		return err
	}
	type line struct {
		Remote   adapters.Remote   `json:"remote"`
		OK       bool              `json:"ok"`
		Message  string            `json:"message,omitempty"`
		Name     string            `json:"name,omitempty"`
		Version  string            `json:"version,omitempty"`
		Details  map[string]string `json:"details,omitempty"`
		Warnings []string          `json:"warnings,omitempty"`
	}
	var out []line
	bad := false
	for _, r := range remotes {
		h, err := a.engine.CheckRemote(ctx, r.Name)
		l := line{Remote: r.Name, OK: err == nil, Name: h.Name, Version: h.Version, Details: h.Details, Warnings: h.Warnings}
		if err != nil {
			l.Message, bad = adapters.Words(err), true
		}
		out = append(out, l)
	}
	if c.json {
		if err := c.print(out); err != nil {
			return err
		}
	} else {
		for _, l := range out {
			word := "ok"
			if !l.OK {
				word = "FAILED"
			}
			fmt.Fprintf(c.out, "%-20s %-6s %s %s%s\n", l.Remote, word, l.Name, l.Version, l.Message)
			for _, w := range l.Warnings {
				fmt.Fprintf(c.out, "%-20s note   %s\n", "", w)
			}
		}
	}
	if bad {
		return no("")
	}
	return nil
}

func (c *cli) sync() *cobra.Command {
	var dry, full bool
	cmd := &cobra.Command{
		Use: "sync [NAME]", Short: "Pull from a remote, or all, and send what is due", Args: cobra.MaximumNArgs(1),
		Long: "Exit status: 0 all went well, 1 a run failed or was held, 2 it could not be done.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withApp(cmd.Context(), func(a *app) error {
				remotes, err := names(cmd.Context(), a, args)
				if err != nil {
					return err
				}
				if dry {
					return c.drySync(cmd.Context(), a, remotes)
				}
				return c.realSync(cmd.Context(), a, remotes, full)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "read and plan, keep and send nothing")
	cmd.Flags().BoolVar(&full, "full", false, "list everything, not only what changed")
	return c.withConfig(c.withJSON(cmd))
}

func (c *cli) drySync(ctx context.Context, a *app, remotes []store.Remote) error {
	out := map[adapters.Remote]engine.Preview{}
	for _, r := range remotes {
		p, err := a.engine.DrySync(ctx, r.Name)
		if err != nil {
			return err
		}
		out[r.Name] = p
		if c.json {
			continue
		}
		fmt.Fprintf(c.out, "%s: %d records read, %d new, %d changed\n", r.Name, p.Total, p.Counts["new"], p.Counts["changed"])
		for _, act := range p.Actions {
			fmt.Fprintf(c.out, "  %-7s at %-12s %-9s %-12s %s for %s\n", act.Op, act.Remote, act.State, act.Reason, act.Badge, act.Who)
		}
	}
	if c.json {
		return c.print(out)
	}
	fmt.Fprintln(c.out, "Nothing was kept and nothing was sent.")
	return nil
}

func (c *cli) realSync(ctx context.Context, a *app, remotes []store.Remote, full bool) error {
	var runs []store.Run
	bad := false
	for _, r := range remotes {
		run, err := a.engine.Sync(ctx, r.Name, engine.SyncOptions{Cause: "command", Full: full})
		if errors.Is(err, store.ErrStale) {
			return no(err.Error())
		}
		if err != nil && run.ID == "" {
			return err
		}
		runs = append(runs, run)
		bad = bad || run.State != store.RunDone
		if !c.json {
			fmt.Fprintf(c.out, "%s: %s, %d read, %d new, %d changed, %d pushes %s\n", r.Name, run.State, run.Seen, run.New, run.Changed, run.Pushes, run.Message)
		}
	}
	sent, err := a.engine.SendDue(ctx)
	if err != nil {
		return err
	}
	if c.json {
		if err := c.print(map[string]any{"runs": runs, "sent": sent}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.out, "%d attempts to send\n", sent)
	}
	if bad {
		return no("")
	}
	return nil
}
