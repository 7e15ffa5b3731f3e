package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"badgebridge/internal/httpx"
	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/verify"
)

// maxInput bounds what is read from a file or from standard input.
const maxInput = 20 << 20

func (c *cli) verify() *cobra.Command {
	var resources, at string
	var recipients []string
	cmd := &cobra.Command{
		Use:   "verify INPUT",
		Short: "Tell whether a badge is genuine, whose it is and whether it holds",
		Long: "INPUT is a URL (of a badge, a baked picture, or a public page that links its badge), a file (JSON,\n" +
			"JWS or JWT, a baked PNG or SVG), or - for standard input.\n\n" +
			"Exit status: 0 valid, 1 invalid, 2 it could not be decided.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := c.readInput(args[0])
			if err != nil {
				return err
			}
			o := verify.Options{Fetcher: verify.HTTP{Client: httpx.Guarded(httpx.Config{Version: version(), AllowLoopback: loopbackOf(in.URL)})}}
			for _, r := range recipients {
				id, err := identifier(r)
				if err != nil {
					return err
				}
				o.Recipient = append(o.Recipient, id)
			}
			if at != "" {
				t, err := time.Parse(time.RFC3339, at)
				if err != nil {
					return fmt.Errorf("--at: %q is not a time; write for example 2026-01-31T12:00:00Z", at)
				}
				o.Now = func() time.Time { return t }
			}
			if resources != "" {
				f, err := os.Open(resources)
				if err != nil {
					return fmt.Errorf("--resources: %w; give a JSON file of URL to answer", err)
				}
				defer f.Close()
				if o.Fetcher, err = verify.ReadResources(f); err != nil {
					return fmt.Errorf("--resources %s: %w", resources, err)
				}
			}
			return c.report(verify.Verify(cmd.Context(), in, o))
		},
	}
	cmd.Flags().StringArrayVar(&recipients, "recipient", nil, "whose it should be, type:identifier (email, url, telephone, id or a DID); several: one of them")
	cmd.Flags().StringVar(&resources, "resources", "", "offline: a JSON file of URL to answer; any other URL is unreachable")
	cmd.Flags().StringVar(&at, "at", "", "verify as of this time (RFC 3339)")
	return c.withJSON(cmd)
}

// identifier reads "type:identifier". A DID is its own type and identifier.
func identifier(s string) (verify.Identifier, error) {
	kind, value, ok := strings.Cut(s, ":")
	switch {
	case !ok || kind == "" || value == "":
		return verify.Identifier{}, fmt.Errorf("--recipient: %q is not type:identifier; write for example email:ada@example.org", s)
	case kind == "did" || kind == "urn":
		return verify.Identifier{Type: openbadges.IdentityID, Value: s}, nil
	case kind == "https" || kind == "http":
		return verify.Identifier{Type: openbadges.IdentityURL, Value: s}, nil
	case kind == "mailto":
		kind = string(openbadges.IdentityEmail)
	case kind == "tel":
		kind = string(openbadges.IdentityTelephone)
	}
	return verify.Identifier{Type: openbadges.IdentityType(kind), Value: value}, nil
}

// readInput reads a URL, a file or standard input.
func (c *cli) readInput(arg string) (verify.Input, error) {
	if strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://") {
		return verify.Input{URL: arg}, nil
	}
	data, err := c.read(arg)
	return verify.Input{Data: data}, err
}

// read reads a file, or standard input for "-", within bounds.
func (c *cli) read(name string) ([]byte, error) {
	r := c.in
	if name != "-" {
		f, err := os.Open(name)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: there is no such file, and it is not a URL", name)
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err // the rest repeats the name
		}
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxInput {
		return nil, fmt.Errorf("%s: is longer than %d MiB", name, maxInput>>20)
	}
	return data, nil
}

// loopbackOf allows a loopback host that the caller named on the command line.
func loopbackOf(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil || raw == "" {
		return nil
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback()) {
		return nil
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return []string{net.JoinHostPort(u.Hostname(), port)}
}

// report prints a verification and turns its outcome into the exit status.
func (c *cli) report(r verify.Report) error {
	if c.json {
		enc := json.NewEncoder(c.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.out, "%s", strings.ToUpper(string(r.Outcome)))
		if r.Badge != nil && r.Badge.Name != "" {
			fmt.Fprintf(c.out, "  %s, by %s", r.Badge.Name, r.Badge.Issuer.Name)
		}
		fmt.Fprintln(c.out)
		sign := map[verify.Status]string{"pass": "ok  ", "warn": "note", "fail": "FAIL", "skip": "-   "}
		for _, k := range r.Checks {
			where := ""
			if k.Node != "" && (k.Status == verify.Fail || k.Status == verify.Warn) && !strings.Contains(k.Message, k.Node) {
				where = " (" + k.Node + ")"
			}
			fmt.Fprintf(c.out, "  %s  %-12s %s%s\n", sign[k.Status], k.Name, k.Message, where)
		}
	}
	switch r.Outcome {
	case verify.Valid:
		return nil
	case verify.Invalid:
		return no("")
	}
	return &exitError{exitBad, ""}
}

func (c *cli) bake() *cobra.Command {
	var badge, out string
	cmd := &cobra.Command{
		Use: "bake IMAGE --badge FILE|URL|- -o OUT", Short: "Put a badge into a PNG or SVG", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			image, err := c.read(args[0])
			if err != nil {
				return err
			}
			in, err := c.readInput(badge)
			if err != nil {
				return fmt.Errorf("--badge: %w", err)
			}
			if in.URL != "" {
				client := httpx.Guarded(httpx.Config{Version: version(), AllowLoopback: loopbackOf(in.URL)})
				res, err := httpx.Fetch(cmd.Context(), client, in.URL, "application/ld+json, application/json", 0)
				if err != nil {
					return fmt.Errorf("--badge: %w", err)
				}
				if res.Status != 200 {
					return no(fmt.Sprintf("--badge: %s answered %d", in.URL, res.Status))
				}
				in.Data = res.Body
			}
			kind := bake.OpenBadges
			if strings.Contains(string(in.Data), "credentials/v") || strings.Contains(string(in.Data), "purl.imsglobal.org/spec/ob/v3p0") {
				kind = bake.Credential
			}
			baked, err := bake.Bake(image, kind, in.Data)
			if err != nil {
				return no(err.Error())
			}
			return c.write(out, baked)
		},
	}
	cmd.Flags().StringVar(&badge, "badge", "", "the badge: a file, a URL, or - for standard input")
	cmd.Flags().StringVarP(&out, "output", "o", "", "where the picture goes, - for standard output")
	_ = cmd.MarkFlagRequired("badge")
	_ = cmd.MarkFlagRequired("output")
	return cmd
}

func (c *cli) unbake() *cobra.Command {
	return &cobra.Command{
		Use: "unbake IMAGE", Short: "Print the badge that a PNG or SVG carries", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			image, err := c.read(args[0])
			if err != nil {
				return err
			}
			p, err := bake.Unbake(image)
			if err != nil {
				return no(err.Error())
			}
			_, err = c.out.Write(p.Text)
			return err
		},
	}
}

func (c *cli) write(name string, data []byte) error {
	if name == "-" {
		_, err := c.out.Write(data)
		return err
	}
	return os.WriteFile(name, data, 0o644) //nolint:gosec // a picture for everybody
}
