package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"badgebridge/internal/httpx"
	"badgebridge/openbadges"
	"badgebridge/openbadges/convert"
	"badgebridge/openbadges/verify"
)

// acceptJSON asks for a badge's document, not for the page about it.
const acceptJSON = "application/ld+json, application/json"

// maxLinked bounds a document that is fetched.
const maxLinked = 2 << 20

func (c *cli) convert() *cobra.Command {
	var to, id, resources string
	cmd := &cobra.Command{
		Use:   "convert INPUT --to 1.1|2.0|3.0",
		Short: "Write a badge of any version as one of another, and say what gets lost",
		Long: "INPUT is a URL, a file with the JSON of an assertion or credential of Open Badges 0.5, 1.0, 1.1, 2.0 or 3.0,\n" +
			"or - for standard input. A badge and an issuer that it only links are fetched.\n\n" +
			"The new document goes to standard output, and what could not be carried over to standard error.\n" +
			"It is a new document, which nobody has signed and nothing hosts yet.\n\n" +
			"Exit status: 0 converted, 1 it cannot be converted, 2 it could not be read or the call was wrong.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			version := openbadges.Version(to)
			switch version {
			case openbadges.V11, openbadges.V20, openbadges.V30:
			default:
				return fmt.Errorf("--to: %q is none of 1.1, 2.0 and 3.0", to)
			}
			in, err := c.readInput(args[0])
			if err != nil {
				return err
			}
			fetcher, err := c.fetcher(in.URL, resources)
			if err != nil {
				return err
			}
			fetch := func(ctx context.Context, url string) ([]byte, error) { return fetchJSON(ctx, fetcher, url) }
			if in.URL != "" {
				if in.Data, err = fetch(cmd.Context(), in.URL); err != nil {
					return fmt.Errorf("%s: %w", in.URL, err)
				}
			}
			return c.convertDocument(cmd.Context(), in.Data, version, id, fetch)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the version to write: 1.1, 2.0 or 3.0")
	cmd.Flags().StringVar(&id, "id", "", "the new document's id: for 1.1 and 2.0 the address where it will be hosted")
	cmd.Flags().StringVar(&resources, "resources", "", "offline: a JSON file of URL to answer; any other URL is unreachable")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

func (c *cli) convertDocument(ctx context.Context, doc []byte, to openbadges.Version, id string, fetch convert.Fetch) error {
	a, notes, err := convert.Read(doc)
	switch {
	case errors.Is(err, convert.ErrNotABadge):
		return no(err.Error())
	case err != nil:
		return fmt.Errorf("the input is not the JSON of a badge (take a baked one out of its picture with unbake): %w", err)
	}
	linked, err := convert.Complete(ctx, &a, fetch)
	if err != nil {
		return err
	}
	out, lost, err := convert.Write(a, to, id)
	if errors.Is(err, convert.ErrIncomplete) {
		return no(err.Error())
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.out, "%s\n", out); err != nil {
		return err
	}
	c.remarks(fmt.Sprintf("Read as Open Badges %s, with remarks:", a.Version), append(notes, linked...))
	c.remarks(fmt.Sprintf("Not as it was in Open Badges %s:", to), lost)
	fmt.Fprintln(c.err, "The result is a new document that nobody has signed: it proves nothing until its issuer "+hostOrSign(to)+" it.")
	return nil
}

func hostOrSign(v openbadges.Version) string {
	if v == openbadges.V30 {
		return "signs"
	}
	return "hosts"
}

// remarks prints a list on standard error; an empty one prints nothing.
func (c *cli) remarks(title string, notes openbadges.Notes) {
	if len(notes) == 0 {
		return
	}
	fmt.Fprintln(c.err, title)
	for _, n := range notes {
		// What a stranger's document says must not move the cursor.
		fmt.Fprintln(c.err, "  "+strings.Map(printable, n.String()))
	}
}

func printable(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return '?'
	}
	return r
}

// fetcher is the guarded client, or what the file of resources holds.
func (c *cli) fetcher(input, resources string) (verify.Fetcher, error) {
	if resources == "" {
		return verify.HTTP{Client: httpx.Guarded(httpx.Config{Version: version(), AllowLoopback: loopbackOf(input)})}, nil
	}
	f, err := os.Open(resources)
	if err != nil {
		return nil, fmt.Errorf("--resources: %w", err)
	}
	defer f.Close()
	offline, err := verify.ReadResources(f)
	if err != nil {
		return nil, fmt.Errorf("--resources %s: %w", resources, err)
	}
	return offline, nil
}

func fetchJSON(ctx context.Context, f verify.Fetcher, url string) ([]byte, error) {
	res, err := f.Fetch(ctx, url, acceptJSON, maxLinked)
	if err != nil {
		return nil, err
	}
	if res.Status != 200 && res.Status != 410 { // a revoked badge says so with 410
		return nil, fmt.Errorf("the answer has status %d", res.Status)
	}
	return res.Body, nil
}
