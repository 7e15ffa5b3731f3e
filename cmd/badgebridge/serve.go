package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"badgebridge/config"
	"badgebridge/sandbox/demo"
)

// shutdownGrace is how long requests and calls under way may take to end.
const shutdownGrace = 15 * time.Second

func (c *cli) serve() *cobra.Command {
	var demoMode bool
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the gateway", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(demoMode)
			if err != nil {
				return err
			}
			if demoMode {
				if cfg, err = demoConfig(cfg); err != nil {
					return err
				}
			}
			return c.serveWith(cmd.Context(), cfg)
		},
	}
	cmd.Flags().BoolVar(&demoMode, "demo", false, "with a simulated site, a simulated Credly and demo people, on loopback only")
	return c.withConfig(cmd)
}

func (c *cli) serveWith(ctx context.Context, cfg config.Config) error {
	if _, set := os.LookupEnv("GOGC"); !set {
		// The heap is small and requests are many: collecting half as often costs
		// some ten MiB and makes hosted documents a tenth faster.
		debug.SetGCPercent(200)
	}
	// The port first: who finds it taken has changed nothing.
	l, err := listenOn(cfg.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	var boxes *sandboxes
	if cfg.Demo {
		if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
		if boxes, err = startSandboxes(cfg); err != nil {
			return err
		}
		defer boxes.close()
		cfg.Providers = append(cfg.Providers, demoProvider(boxes))
	}
	a, err := open(ctx, cfg, os.Stderr)
	if err != nil {
		return err
	}
	defer a.close()
	if boxes != nil {
		a.demoHosts = boxes.hosts()
	}
	if err := a.wire(ctx); err != nil {
		return err
	}
	return c.answer(ctx, a, boxes, l)
}

// answer serves until ctx ends, then lets what is under way come to its end.
func (c *cli) answer(ctx context.Context, a *app, boxes *sandboxes, l net.Listener) error {
	srv := &http.Server{
		Handler: a.web, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()

	work, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	if err := a.jobs.Start(work); err != nil {
		return fmt.Errorf("background jobs: %w", err)
	}
	if boxes != nil {
		if err := prepareDemo(ctx, a, boxes); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	wg.Go(func() { _ = a.engine.Run(work) })
	wg.Go(func() { _ = a.connections.Run(work) })
	wg.Go(func() { a.housekeep(work) })
	wg.Go(func() { a.keepOfferingSites(work) })
	wg.Go(func() { a.recheck(work) })
	wg.Go(func() { a.tell(work) })
	if err := c.greet(ctx, a, boxes, l.Addr()); err != nil {
		return err
	}

	var err error
	select {
	case <-ctx.Done():
		a.log.Info("stopping")
	case err = <-failed:
	}
	stop()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	err = errors.Join(err, srv.Shutdown(end), a.jobs.Stop(end))
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-end.Done():
		a.log.Warn("stopped with calls under way; they are settled at the next start")
	}
	if errors.Is(err, http.ErrServerClosed) || err == nil {
		return nil
	}
	return err
}

// greet tells whoever started the program where to look.
func (c *cli) greet(ctx context.Context, a *app, boxes *sandboxes, addr net.Addr) error {
	if boxes != nil {
		fmt.Fprintf(c.out, `
Badgebridge demo: everything runs on this machine, and everybody in it is made up.

  Gateway           %s
  Simulated site    %s
  Simulated Credly  %s
  Another issuer    %s
  Mailbox           %s/demo/mailbox
  A public profile  %s/p/%s

Sign in: choose "Continue with %s", then one of
`, a.cfg.BaseURL, boxes.siteURL, boxes.credlyURL, boxes.collegeURL, a.cfg.BaseURL, a.cfg.BaseURL, demo.Handle, demo.Association)
		for _, p := range demo.People() {
			fmt.Fprintf(c.out, "  %-20s %s\n", p.Email, p.Story)
		}
		fmt.Fprint(c.out, "\nStop with Ctrl-C. Delete the folder ", a.cfg.DataDir, " to begin anew.\n")
		return nil
	}
	a.log.Info("answering", "address", addr.String(), "base_url", a.setup.BaseURL(ctx), "version", version())
	st, err := a.setup.Status(ctx)
	if err != nil {
		return err
	}
	if st.Done {
		return nil
	}
	return c.printLink(ctx, a, addr.String())
}

// printLink prints a new one-time set-up link.
func (c *cli) printLink(ctx context.Context, a *app, addr string) error {
	token, err := a.setup.NewLink(ctx)
	if err != nil {
		return fmt.Errorf("make a set-up link: %w", err)
	}
	base := a.setup.BaseURL(ctx)
	if base == "" {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return err
		}
		if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
			host = "localhost"
		}
		base = "http://" + net.JoinHostPort(host, port)
	}
	fmt.Fprintf(c.out, "\nSet Badgebridge up at\n\n  %s/setup/%s\n\nThe link is good once, for a day. `badgebridge setup` prints a new one.\n", base, token)
	return nil
}

func (c *cli) setup() *cobra.Command {
	return c.withConfig(&cobra.Command{
		Use: "setup", Short: "Print a new one-time set-up link", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withApp(cmd.Context(), func(a *app) error { return c.printLink(cmd.Context(), a, a.cfg.Listen) })
		},
	})
}

// housekeep deletes what has had its time, now and then.
func (a *app) housekeep(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		now := time.Now()
		if _, err := a.db.PruneSessions(ctx, now); err != nil && ctx.Err() == nil {
			a.log.Warn("old sessions not deleted", "error", err)
		}
		if _, err := a.db.PruneRuns(ctx, now.Add(-7*24*time.Hour)); err != nil && ctx.Err() == nil {
			a.log.Warn("old runs not deleted", "error", err)
		}
		// A webhook is sent for 25 days until it is taken.
		if _, err := a.db.PruneHints(ctx, now.Add(-30*24*time.Hour)); err != nil && ctx.Err() == nil {
			a.log.Warn("old webhooks not deleted", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reason is the short cause of a network error.
func reason(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "the port is in use"
	case errors.Is(err, syscall.EACCES):
		return "the port needs more rights"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return strings.TrimSpace(err.Error())
}
