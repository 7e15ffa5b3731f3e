package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"badgebridge/store/jobs"
	"badgebridge/store/sqlstore"
)

func (c *cli) migrate() *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Show or update the database's schema"}
	run := func(use, short string, up bool) *cobra.Command {
		return c.withConfig(&cobra.Command{
			Use: use, Short: short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				cfg, err := c.load(false)
				if err != nil {
					return err
				}
				db, err := sqlstore.Open(cmd.Context(), databaseURL(cfg), sqlstore.Options{KeepSchema: true, Components: []sqlstore.Component{jobs.Schema()}})
				if err != nil {
					return fmt.Errorf("database: %w", err)
				}
				defer db.Close()
				if up {
					if err := db.MigrateUp(cmd.Context()); err != nil {
						return fmt.Errorf("database: %w", err)
					}
				}
				parts, err := db.MigrationStatus(cmd.Context())
				if err != nil {
					return fmt.Errorf("database: %w", err)
				}
				current := true
				for _, p := range parts {
					fmt.Fprintf(c.out, "%-12s has %d, wants %d\n", p.Part, p.Have, p.Want)
					current = current && !p.Pending()
				}
				if !current {
					return no("the schema is not up to date; run `badgebridge migrate up`")
				}
				return nil
			},
		})
	}
	cmd.AddCommand(run("up", "Bring the schema up to date", true), run("status", "Tell whether the schema is up to date", false))
	return cmd
}
