// Command badgebridge is the gateway: it keeps every member's badges in step
// between an association's WordPress site, Credly and a backpack of its own.
//
// Exit status: 0 yes, 1 no, 2 it could not be told or the call was wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"badgebridge/config"
)

// The exit statuses.
const (
	exitYes = 0
	exitNo  = 1
	exitBad = 2
)

// exitError ends the program with a status; text "" prints nothing more.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// no is the answer "no" of a command that asks a question.
func no(text string) error { return &exitError{exitNo, text} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
	stop()
	os.Exit(code)
}

// cli is what the commands share.
type cli struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
	config   string // path of the configuration file, "" none
	json     bool
}

// load reads and checks the configuration.
func (c *cli) load(demo bool) (config.Config, error) {
	cfg, err := config.Load(c.config, c.environ)
	if err != nil {
		return cfg, err
	}
	cfg.Demo = demo
	return cfg, cfg.Validate()
}

// run is main with everything handed in; it returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer, environ []string) int {
	c := &cli{in: in, out: out, err: errw, environ: environ}
	root := &cobra.Command{
		Use: "badgebridge", Short: "Keeps badges in step between a WordPress site, Credly and a backpack of its own",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	root.SetArgs(args)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(c.serve(), c.setup(), c.migrate(), c.version(), c.remotes(), c.sync(), c.imports(), c.keys(), c.explain(), c.export(), c.backup(), c.verify(), c.bake(), c.unbake(), c.convert(), c.sandbox())
	cmd, err := root.ExecuteContextC(ctx)
	var exit *exitError
	switch {
	case err == nil:
		return exitYes
	case errors.As(err, &exit):
		if exit.text != "" {
			fmt.Fprintln(errw, "badgebridge: "+exit.text)
		}
		return exit.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitYes // asked to stop
	}
	text := err.Error()
	for _, usage := range []string{"accepts ", "unknown flag", "unknown shorthand", "unknown command", "required flag", "flag needs", "invalid argument"} {
		if strings.HasPrefix(text, usage) {
			text += fmt.Sprintf("; `%s --help` says how it is called", cmd.CommandPath())
		}
	}
	fmt.Fprintln(errw, "badgebridge: "+text)
	return exitBad
}

// withConfig adds the flag that names the configuration file.
func (c *cli) withConfig(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&c.config, "config", "", "configuration file (YAML)")
	return cmd
}

// withJSON adds the flag that asks for one JSON document on stdout.
func (c *cli) withJSON(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&c.json, "json", false, "print one JSON document")
	return cmd
}

func (c *cli) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(c.out, "badgebridge "+version())
			return err
		},
	}
}

// version is the module's version, or the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "devel"
}
