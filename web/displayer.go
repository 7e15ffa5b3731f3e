package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/openbadges"
	v2 "badgebridge/openbadges/v2"
	"badgebridge/store"
)

// displayerRoutes are Mozilla's Displayer API: the public collections of a
// person, found by e-mail address.
func (s *Server) displayerRoutes(g *gin.Engine) {
	get(g, "/displayer/convert/email", s.convertHint)
	g.POST("/displayer/convert/email", s.convertEmail)
	get(g, "/displayer/:user/:what", s.displayerGroups)
	get(g, "/displayer/:user/group/:group", s.displayerGroup)
	for _, path := range []string{"/displayer/convert/email", "/displayer/:user/:what", "/displayer/:user/group/:group"} {
		g.OPTIONS(path, func(c *gin.Context) { openTo(c, "Accept, Content-Type"); c.Status(http.StatusOK) })
	}
}

func (s *Server) convertHint(c *gin.Context) {
	writeJSON(c, http.StatusBadRequest, gin.H{"status": "invalid", "error": "send a POST with an `email` parameter"})
}

// convertEmail answers the number of the person who has proven an address. It
// knows only people who show something: for all others there is nothing behind
// the number, and that somebody has an account here is nobody's business.
func (s *Server) convertEmail(c *gin.Context) {
	openTo(c, "Accept, Content-Type")
	if !s.allow(c, "displayer-convert", 60, time.Minute) {
		writeJSON(c, http.StatusTooManyRequests, gin.H{"status": "error", "error": "too many requests"})
		return
	}
	ctx := c.Request.Context()
	fields, err := formOrJSON(c)
	email := strings.TrimSpace(fields["email"])
	if err != nil || email == "" {
		writeJSON(c, http.StatusBadRequest, gin.H{"status": "invalid", "error": "missing `email` parameter"})
		return
	}
	missing := func() {
		writeJSON(c, http.StatusNotFound, gin.H{"status": "missing", "error": fmt.Sprintf("Could not find a user by the email address `%s`", email)})
	}
	broken := func(err error) {
		s.cfg.Log.ErrorContext(ctx, "displayer", "error", err)
		writeJSON(c, http.StatusBadRequest, gin.H{"status": "error", "error": fmt.Sprintf("error trying to pull user `%s` from database", email)})
	}
	id, err := s.cfg.Store.Identifier(ctx, openbadges.IdentityEmail, openbadges.NormalizeEmail(email))
	if errors.Is(err, store.ErrNotFound) {
		missing()
		return
	}
	if err != nil {
		broken(err)
		return
	}
	public, err := s.publicCollections(ctx, id.PersonID)
	if err != nil {
		broken(err)
		return
	}
	if len(public) == 0 {
		missing()
		return
	}
	p, err := s.cfg.Store.Profile(ctx, id.PersonID)
	if err != nil {
		broken(err)
		return
	}
	writeJSON(c, http.StatusOK, gin.H{"status": "okay", "email": email, "userId": p.Number})
}

func (s *Server) publicCollections(ctx context.Context, personID string) ([]store.Collection, error) {
	all, err := s.cfg.Store.CollectionsOf(ctx, personID)
	if err != nil {
		return nil, err
	}
	var out []store.Collection
	for _, c := range all {
		if c.Visibility == store.Public {
			out = append(out, c)
		}
	}
	return out, nil
}

// collectionBadges are the badges of a collection that others may see listed.
func (s *Server) collectionBadges(ctx context.Context, col store.Collection) ([]badge, error) {
	return s.shelf(ctx, store.ShelfFilter{
		PersonID: col.PersonID, CollectionID: col.ID, Claim: store.Claimed, Visibilities: publicOnly(), Order: store.AsCollection, Limit: maxInCollection,
	}, store.Person{})
}

// displayerJSON holds clients to the protocol: the suffix, or an Accept that
// takes JSON. Programs that say nothing, or that they take anything, take JSON.
func displayerJSON(c *gin.Context, last string) (string, bool) {
	if name, ok := strings.CutSuffix(last, ".json"); ok {
		return name, true
	}
	accept := c.GetHeader("Accept")
	return last, accept == "" || strings.HasPrefix(accept, "*/*") || strings.Contains(accept, "application/json") || c.Query("callback") != ""
}

func (s *Server) displayerMissing(c *gin.Context) {
	s.answerJSONP(c, http.StatusNotFound, gin.H{"httpStatus": 404, "status": "missing"})
}

func (s *Server) displayerGroups(c *gin.Context) {
	openTo(c, "Accept")
	what, isJSON := displayerJSON(c, c.Param("what"))
	if what != "groups" {
		s.displayerMissing(c)
		return
	}
	if !isJSON {
		c.String(http.StatusBadRequest, "error: could not find formatter")
		return
	}
	ctx := c.Request.Context()
	number, err := strconv.Atoi(c.Param("user"))
	if err != nil {
		s.displayerMissing(c)
		return
	}
	p, err := s.cfg.Store.ProfileByNumber(ctx, number)
	if err != nil {
		s.displayerFailed(c, err)
		return
	}
	public, err := s.publicCollections(ctx, p.PersonID)
	if err == nil && len(public) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		s.displayerFailed(c, err)
		return
	}
	listed, err := s.listedCollections(ctx, p.PersonID, public, publicOnly())
	if err != nil {
		s.displayerFailed(c, err)
		return
	}
	groups := []gin.H{}
	for _, col := range listed {
		groups = append(groups, gin.H{"groupId": col.Number, "name": col.Name, "badges": col.Badges})
	}
	s.answerJSONP(c, http.StatusOK, gin.H{"userId": number, "groups": groups})
}

func (s *Server) displayerFailed(c *gin.Context, err error) {
	if errors.Is(err, store.ErrNotFound) {
		s.displayerMissing(c)
		return
	}
	s.cfg.Log.ErrorContext(c.Request.Context(), "displayer", "error", err)
	s.answerJSONP(c, http.StatusInternalServerError, gin.H{"httpStatus": 500, "status": "error"})
}

func (s *Server) displayerGroup(c *gin.Context) {
	openTo(c, "Accept")
	last, isJSON := displayerJSON(c, c.Param("group"))
	if !isJSON {
		c.String(http.StatusBadRequest, "error: could not find formatter")
		return
	}
	ctx := c.Request.Context()
	user, err1 := strconv.Atoi(c.Param("user"))
	group, err2 := strconv.Atoi(last)
	if err1 != nil || err2 != nil {
		s.displayerMissing(c)
		return
	}
	col, err := s.cfg.Store.CollectionByNumber(ctx, group)
	var p store.PublicProfile
	if err == nil {
		p, err = s.cfg.Store.ProfileByNumber(ctx, user)
	}
	if err == nil && (col.PersonID != p.PersonID || col.Visibility != store.Public) {
		err = store.ErrNotFound
	}
	var badges []badge
	if err == nil {
		badges, err = s.collectionBadges(ctx, col)
	}
	if err != nil {
		s.displayerFailed(c, err)
		return
	}
	list, err := s.displayed(ctx, badges)
	if err != nil {
		s.displayerFailed(c, err)
		return
	}
	s.answerJSONP(c, http.StatusOK, gin.H{"userId": user, "groupId": group, "badges": list})
}

// displayed is badges as the displayer protocol has them.
func (s *Server) displayed(ctx context.Context, badges []badge) ([]gin.H, error) {
	ids := make([]string, len(badges))
	for i, b := range badges {
		ids[i] = b.ID
	}
	assertions, err := s.cfg.Store.AssertionsOf(ctx, openbadges.V20, ids...)
	if err != nil {
		return nil, err
	}
	docs, err := s.cfg.Store.CollectedOf(ctx, ids...)
	if err != nil {
		return nil, err
	}
	ours, attested := map[string]string{}, map[string][]store.Collected{}
	for _, a := range assertions {
		ours[a.AwardID] = a.ID
	}
	for _, d := range docs {
		attested[d.AwardID] = append(attested[d.AwardID], d)
	}
	out := make([]gin.H, len(badges))
	for i, b := range badges {
		out[i] = displayedBadge(b, ours[b.ID], attested[b.ID])
	}
	return out, nil
}

// displayedBadge takes the id of our assertion, "" none, and what others attest.
func displayedBadge(b badge, assertionID string, docs []store.Collected) gin.H {
	kind, url, checked := "hosted", b.AssertionURL, b.ClaimedAt
	if assertionID != "" {
		url = b.BaseURL + "/ob/v1/assertions/" + assertionID
	}
	for _, d := range docs {
		if d.CheckedAt.After(checked) {
			checked = d.CheckedAt
		}
		if d.Verification != "hosted" && url == "" {
			kind = "signed"
		}
	}
	image := "/baked.png"
	if r := b.Recipient; b.Brought() && !r.Hashed && r.Identity != "" {
		image = "/image" // the one with the badge in it names its person
	}
	// The salt is the person's own and lasts, so that a displayer sees one badge
	// and not a new one at each visit.
	r := v2.HashRecipient(b.Recipient, b.ID)
	if b.Recipient.Hashed {
		r = b.Recipient
	}
	entry := gin.H{
		"lastValidated": checked.UTC().Format(time.RFC3339), "assertionType": kind, "imageUrl": b.PublicURL() + image,
		"assertion": mozillaBadge(b.ID, modelOf(b), b.Issuer.Profile, url, kind, r),
	}
	if url != "" {
		entry["hostedUrl"] = url
	}
	return entry
}
