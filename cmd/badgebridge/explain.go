package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/web/locale"
)

func (c *cli) explain() *cobra.Command {
	return c.withConfig(c.withJSON(&cobra.Command{
		Use: "explain ID|REF", Short: "Print what happened to an award, and why", Args: cobra.ExactArgs(1),
		Long: "ID is an award's, an assertion's or a push's id, or the address of a badge's page or document; REF is a record's id at its remote.\nExit status: 0 printed, 1 nothing is known of it, 2 it could not be told.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withApp(cmd.Context(), func(a *app) error { return c.explainAward(cmd.Context(), a, args[0]) })
		},
	}))
}

// findAward takes anything that names an award.
func findAward(ctx context.Context, a *app, what string) (store.Award, error) {
	names := []string{what}
	if u, err := url.Parse(what); err == nil && strings.Contains(what, "/") {
		last := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
		names = append(names, strings.TrimSuffix(strings.TrimSuffix(last, ".json"), ".jwt"))
	}
	for _, name := range names {
		for _, find := range []func(string) (string, error){
			func(id string) (string, error) { return id, nil },
			func(id string) (string, error) { p, err := a.db.Push(ctx, id); return p.AwardID, err },
			func(id string) (string, error) {
				d, err := a.db.Assertion(ctx, id, openbadges.V20)
				return d.AwardID, err
			},
			func(id string) (string, error) { d, err := a.db.Collected(ctx, id); return d.AwardID, err },
			func(ref string) (string, error) { return findRef(ctx, a, adapters.Ref(ref)) },
		} {
			id, err := find(name)
			if err == nil {
				award, err := a.db.Award(ctx, id)
				if !errors.Is(err, store.ErrNotFound) {
					return award, err
				}
				continue
			}
			if !errors.Is(err, store.ErrNotFound) {
				return store.Award{}, err
			}
		}
	}
	return store.Award{}, store.ErrNotFound
}

// findRef looks for a record at every remote.
func findRef(ctx context.Context, a *app, ref adapters.Ref) (string, error) {
	remotes, err := a.db.Remotes(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range remotes {
		l, err := a.db.Link(ctx, r.Name, ref)
		if !errors.Is(err, store.ErrNotFound) {
			return l.AwardID, err
		}
	}
	return "", store.ErrNotFound
}

// happening is one line of an award's story.
type happening struct {
	At   time.Time `json:"at,omitzero"`
	What string    `json:"what"`
	Why  string    `json:"why,omitempty"`
}

// explanation is what explain prints.
type explanation struct {
	Award    string           `json:"award"`
	Badge    string           `json:"badge"`
	To       string           `json:"to"`
	Person   string           `json:"person,omitempty"`
	Origin   adapters.Remote  `json:"origin"`
	Ref      adapters.Ref     `json:"ref"`
	Claim    store.ClaimState `json:"claim"`
	Seen     store.Visibility `json:"visibility"`
	Revoked  bool             `json:"revoked"`
	Flag     string           `json:"flag,omitempty"`
	Now      []string         `json:"now"`
	Happened []happening      `json:"happened"`
}

func (c *cli) explainAward(ctx context.Context, a *app, what string) error {
	award, err := findAward(ctx, a, what)
	if errors.Is(err, store.ErrNotFound) {
		return no("nothing here is known under that id or reference")
	}
	if err != nil {
		return err
	}
	words, err := locale.Load()
	if err != nil {
		return err
	}
	x, err := explained(ctx, a, award, words.For("", ""))
	if err != nil {
		return err
	}
	if c.json {
		return c.print(x)
	}
	fmt.Fprintf(c.out, "%s\n  award %s of %s (%s), to %s\n  %s, %s", x.Badge, x.Award, x.Origin, x.Ref, x.To, x.Claim, x.Seen)
	if x.Revoked {
		fmt.Fprint(c.out, ", revoked")
	}
	if x.Flag != "" {
		fmt.Fprintf(c.out, ", flagged: %s", x.Flag)
	}
	fmt.Fprint(c.out, "\n\nHow it stands\n")
	for _, line := range x.Now {
		fmt.Fprintln(c.out, "  "+line)
	}
	fmt.Fprint(c.out, "\nWhat happened\n")
	for _, h := range x.Happened {
		fmt.Fprintf(c.out, "  %s  %s", h.At.UTC().Format("2006-01-02 15:04:05"), h.What)
		if h.Why != "" {
			fmt.Fprintf(c.out, ": %s", h.Why)
		}
		fmt.Fprintln(c.out)
	}
	return nil
}

// explained gathers the rows of an award.
func explained(ctx context.Context, a *app, award store.Award, w *locale.Words) (explanation, error) {
	x := explanation{Award: award.ID, Person: award.PersonID, Origin: award.Origin, Ref: award.OriginRef, Claim: award.Claim,
		Seen: award.Visibility, Revoked: award.Revoked, Flag: award.Flag, To: award.Recipient.Identity, Now: []string{}}
	if x.To == "" {
		x.To = "nobody named"
	}
	class, err := a.db.Class(ctx, award.ClassID)
	if err != nil {
		return x, err
	}
	x.Badge = class.Content.Name
	x.add(award.CreatedAt, w.T("story.awarded", "Place", award.Origin), "")
	if award.Revoked {
		x.add(award.RevokedAt, w.T("story.revoked", "Place", award.Origin), award.RevocationReason)
	}
	for _, part := range []func(context.Context, *app, store.Award, *locale.Words) error{x.claims, x.records, x.pushes, x.documents} {
		if err := part(ctx, a, award, w); err != nil {
			return x, err
		}
	}
	slices.SortStableFunc(x.Happened, func(a, b happening) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return x, nil
}

func (x *explanation) add(at time.Time, what, why string) {
	x.Happened = append(x.Happened, happening{At: at, What: what, Why: why})
}

func (x *explanation) claims(ctx context.Context, a *app, award store.Award, w *locale.Words) error {
	claims, err := a.db.ClaimsOf(ctx, award.ID)
	for _, k := range claims {
		who := k.PersonID
		if who == "" {
			who = "a person who is gone"
		}
		x.add(k.At, w.T("story."+string(k.State), "Person", who), "")
	}
	return err
}

func (x *explanation) records(ctx context.Context, a *app, award store.Award, _ *locale.Words) error {
	links, err := a.db.LinksOf(ctx, award.ID)
	if err != nil {
		return err
	}
	for _, l := range links {
		line := fmt.Sprintf("%s: %s %s, %s", l.Remote, l.Role, l.Ref, l.State)
		if l.Acceptance != "" {
			line += ", " + l.Acceptance
		}
		x.Now = append(x.Now, line)
	}
	arrivals, err := a.db.ProvenanceOf(ctx, award.ID)
	for _, p := range arrivals {
		x.add(p.At, fmt.Sprintf("Read at %s: %s", p.Remote, p.Ref), "run "+p.RunID)
	}
	return err
}

func (x *explanation) pushes(ctx context.Context, a *app, award store.Award, w *locale.Words) error {
	pushes, err := a.db.PushesOf(ctx, award.ID)
	if err != nil {
		return err
	}
	for _, p := range pushes {
		x.Now = append(x.Now, fmt.Sprintf("%s: %s %s%s", p.Remote, p.Op, p.State, because(w, p.Reason, p.Words)))
		x.add(p.CreatedAt, fmt.Sprintf("Planned to %s at %s", p.Op, p.Remote), p.Cause)
		events, err := a.db.PushEvents(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, e := range events {
			x.add(e.At, fmt.Sprintf("%s: %s", p.Op, w.T("story.push-"+string(e.State), "Place", p.Remote)), strings.TrimPrefix(because(w, e.Reason, e.Words), ": "))
		}
	}
	return nil
}

// because says why in plain words, and what the remote said.
func because(w *locale.Words, reason, said string) string {
	out := ""
	if reason != "" {
		text, ok := w.Try("reason-long." + reason)
		if !ok {
			text = reason
		}
		out = ": " + text
	}
	if said != "" {
		out += fmt.Sprintf(" (it said: %q)", said)
	}
	return out
}

func (x *explanation) documents(ctx context.Context, a *app, award store.Award, w *locale.Words) error {
	for _, v := range []openbadges.Version{openbadges.V11, openbadges.V20, openbadges.V30} {
		d, err := a.db.AssertionOf(ctx, award.ID, v)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		x.add(d.CreatedAt, fmt.Sprintf("Attested in Open Badges %s", v), "document "+d.ID)
	}
	collected, err := a.db.CollectedOf(ctx, award.ID)
	for _, d := range collected {
		line := fmt.Sprintf("%s: %s", d.Locator, w.T("standing."+string(d.Standing)))
		if !d.GenuineAt.IsZero() {
			line += ", genuine on " + d.GenuineAt.Format(time.DateOnly)
		}
		if d.Standing == store.GoneSource && !d.GoneSince.IsZero() {
			line += ", gone since " + d.GoneSince.Format(time.DateOnly)
		}
		if d.Message != "" {
			line += ": " + d.Message
		}
		x.Now = append(x.Now, line)
		x.add(d.CreatedAt, "Brought by "+d.Source, d.Locator)
	}
	return err
}
