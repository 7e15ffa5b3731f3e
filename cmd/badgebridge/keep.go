package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/archive"
)

func (c *cli) export() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "export PERSON|EMAIL -o FILE", Short: "Write everything that a person has here into a ZIP file", Args: cobra.ExactArgs(1),
		Long: "The file is the one that the person gets from the page \"Your data\". Exit status: 0 written, 1 there is no such person, 2 it could not be written.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withApp(cmd.Context(), func(a *app) error { return c.exportPerson(cmd.Context(), a, args[0], to) })
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "", "the file to write; - for stdout")
	if err := cmd.MarkFlagRequired("output"); err != nil {
		panic(err) // the flag is defined above
	}
	return c.withConfig(cmd)
}

// findPerson takes a person's id, or one of their proven addresses.
func findPerson(ctx context.Context, a *app, who string) (string, error) {
	if strings.Contains(who, "@") {
		id, err := a.db.Identifier(ctx, openbadges.IdentityEmail, openbadges.NormalizeEmail(who))
		return id.PersonID, err
	}
	p, err := a.db.Person(ctx, who)
	return p.ID, err
}

func (c *cli) exportPerson(ctx context.Context, a *app, who, to string) error {
	id, err := findPerson(ctx, a, who)
	if errors.Is(err, store.ErrNotFound) {
		return no("nobody here has proven that address, or has that id")
	}
	if err != nil {
		return err
	}
	ar := archive.New(archive.Config{Store: a.db, BaseURL: a.setup.BaseURL, Now: time.Now, Log: a.log})
	if to == "-" {
		return ar.Write(ctx, c.out, id)
	}
	return writeWhole(to, func(f *os.File) error { return ar.Write(ctx, f, id) })
}

// writeWhole makes a file that only its owner reads, or none: never half of one.
func writeWhole(path string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".badges-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w; name a file in a folder that you may write", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func (c *cli) backup() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "backup -o FILE", Short: "Copy the SQLite database, also while the gateway runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.backupTo(cmd.Context(), to) },
	}
	cmd.Flags().StringVarP(&to, "output", "o", "", "the file to write; it must not exist")
	if err := cmd.MarkFlagRequired("output"); err != nil {
		panic(err) // the flag is defined above
	}
	return c.withConfig(cmd)
}

func (c *cli) backupTo(ctx context.Context, to string) error {
	cfg, err := c.load(false)
	if err != nil {
		return err
	}
	url := databaseURL(cfg)
	if strings.HasPrefix(url, "postgres") {
		return errors.New("the database is PostgreSQL: back it up with pg_dump, which does it of one moment while the gateway runs; and keep a copy of the master key apart")
	}
	if path := strings.TrimPrefix(strings.TrimPrefix(url, "sqlite:"), "file:"); path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no database at %s; is data_dir or database_url the gateway's?", path)
		}
	}
	db, err := sqlstore.Open(ctx, url, sqlstore.Options{KeepSchema: true})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Backup(ctx, to); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s exists already; name a new file", to)
		}
		return err
	}
	_, err = fmt.Fprintf(c.err, "The master key (%s) is not in it: keep a copy of that apart.\n", cfg.MasterKeyFile)
	return err
}
