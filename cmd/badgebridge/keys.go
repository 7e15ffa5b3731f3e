package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"badgebridge/store"
	"badgebridge/sync/signing"
)

func (c *cli) keys() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Look at the keys that sign badges, or replace them", Args: cobra.NoArgs}
	cmd.AddCommand(
		c.withJSON(c.withConfig(&cobra.Command{
			Use: "list", Short: "List the signing keys, the newest first", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return c.keysList(cmd) },
		})),
		c.withJSON(c.withConfig(&cobra.Command{
			Use: "rotate", Short: "Sign with new keys from now on", Args: cobra.NoArgs,
			Long: "Makes new signing keys. The ones until now stay published: what they signed stays verifiable.",
			RunE: func(cmd *cobra.Command, _ []string) error { return c.keysRotate(cmd) },
		})),
	)
	return cmd
}

// keyLine is a key as the commands print it.
type keyLine struct {
	ID        string     `json:"id"`
	Algorithm string     `json:"algorithm"`
	State     string     `json:"state"` // active, retired
	CreatedAt time.Time  `json:"created_at"`
	RetiredAt *time.Time `json:"retired_at,omitempty"`
}

func keyLines(keys []signing.Key) []keyLine {
	out := make([]keyLine, 0, len(keys))
	for _, k := range keys {
		line := keyLine{ID: k.ID, Algorithm: string(k.Algorithm), State: "active", CreatedAt: k.CreatedAt}
		if !k.RetiredAt.IsZero() {
			line.State, line.RetiredAt = "retired", &k.RetiredAt
		}
		out = append(out, line)
	}
	return out
}

func (c *cli) openKeys(cmd *cobra.Command) (*app, error) {
	cfg, err := c.load(false)
	if err != nil {
		return nil, err
	}
	return open(cmd.Context(), cfg, os.Stderr)
}

func (c *cli) keysList(cmd *cobra.Command) error {
	a, err := c.openKeys(cmd)
	if err != nil {
		return err
	}
	defer a.close()
	keys, err := a.engine.Keys().List(cmd.Context())
	if err != nil {
		return err
	}
	if len(keys) == 0 && !c.json {
		_, err := fmt.Fprintln(c.out, "No key yet: the first is made when the first badge is claimed.")
		return err
	}
	return c.printKeys(keys)
}

func (c *cli) keysRotate(cmd *cobra.Command) error {
	a, err := c.openKeys(cmd)
	if err != nil {
		return err
	}
	defer a.close()
	keys, err := a.engine.Keys().Rotate(cmd.Context())
	if errors.Is(err, store.ErrStale) {
		return no("somebody else replaced the keys at this moment; `badgebridge keys list` shows them")
	}
	if err != nil {
		return err
	}
	if !c.json {
		if _, err := fmt.Fprintln(c.out, "New badges are signed with:"); err != nil {
			return err
		}
	}
	return c.printKeys(keys)
}

func (c *cli) printKeys(keys []signing.Key) error {
	lines := keyLines(keys)
	if c.json {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"keys": lines})
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		since := "since " + l.CreatedAt.Format(time.DateOnly)
		if l.RetiredAt != nil {
			since = l.CreatedAt.Format(time.DateOnly) + " to " + l.RetiredAt.Format(time.DateOnly)
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.ID, l.Algorithm, l.State, since); err != nil {
			return err
		}
	}
	return w.Flush()
}
