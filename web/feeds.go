package web

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/store"
)

// atomFeed is an Atom feed (RFC 4287) of the badges of a page.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  atomAuthor  `xml:"author"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Summary string   `xml:"summary"`
	Link    atomLink `xml:"link"`
}

const maxFeed = 50 // entries

func (s *Server) collectionFeed(c *gin.Context) {
	v, err := s.seenCollection(c)
	if err == nil && v.Visibility == store.Private {
		err = fmt.Errorf("feed of a private collection: %w", store.ErrNotFound) // also its owner's: a feed reader is somebody else
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	badges := make([]badge, 0, len(v.Badges))
	for _, p := range v.Badges {
		badges = append(badges, p.badge)
	}
	s.feed(c, v.Collection.Visibility, v.URL(), v.Collection.Name, v.By.Name, v.Collection.UpdatedAt, badges)
}

func (s *Server) profileFeed(c *gin.Context) {
	v, err := s.seenProfile(c)
	if err == nil && v.Visibility == store.Private {
		err = fmt.Errorf("feed of a private profile: %w", store.ErrNotFound)
	}
	if err == nil {
		err = s.fillProfile(c, &v)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.feed(c, v.Visibility, v.URL(), v.Title(), v.Title(), v.UpdatedAt, v.Badges)
}

func (s *Server) feed(c *gin.Context, seen store.Visibility, page, title, author string, updated time.Time, badges []badge) {
	if author == "" {
		author = title
	}
	f := atomFeed{ID: page, Title: title, Author: atomAuthor{author}, Links: []atomLink{
		{Rel: "self", Type: "application/atom+xml", Href: page + "/feed.atom"}, {Rel: "alternate", Type: "text/html", Href: page},
	}}
	for i, b := range badges {
		if i == maxFeed {
			break
		}
		if b.UpdatedAt.After(updated) {
			updated = b.UpdatedAt
		}
		f.Entries = append(f.Entries, atomEntry{
			ID: b.PublicURL(), Title: b.Content.Name, Updated: b.UpdatedAt.UTC().Format(time.RFC3339),
			Summary: b.Content.Description, Link: atomLink{Rel: "alternate", Type: "text/html", Href: b.PublicURL()},
		})
	}
	f.Updated = updated.UTC().Format(time.RFC3339)
	body, err := xml.Marshal(f)
	if err != nil {
		s.fail(c, fmt.Errorf("feed: %w", err))
		return
	}
	shownAs(c, seen)
	c.Header("Cache-Control", cacheFor(seen))
	c.Data(http.StatusOK, "application/atom+xml; charset=utf-8", append([]byte(xml.Header), body...))
}
