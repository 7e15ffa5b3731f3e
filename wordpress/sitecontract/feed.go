package sitecontract

import (
	"net/url"
	"strconv"
	"testing"
	"time"
)

type site struct {
	Contract string `json:"contract"`
	UUID     string `json:"uuid"`
	HomeURL  string `json:"home_url"`
	Provider struct {
		ID string `json:"id"`
	} `json:"provider"`
	FeedEpoch string `json:"feed_epoch"`
}

type badge struct {
	ID      int64  `json:"id"`
	Version string `json:"version"`
	Title   string `json:"title"`
	State   string `json:"state"`

	Description string `json:"description"`
	Criteria    string `json:"criteria"`
	CriteriaURL string `json:"criteria_url"`
	ImageURL    string `json:"image_url"`
	LinkURL     string `json:"link_url"`
	Key         string `json:"key"`
}

type member struct {
	ID          int64  `json:"id"`
	Email       string `json:"email"`
	EmailProven bool   `json:"email_proven"`
	GivenName   string `json:"given_name"`
	FamilyName  string `json:"family_name"`
}

type award struct {
	EntryID     int64     `json:"entry_id"`
	Fingerprint string    `json:"fingerprint"`
	Version     string    `json:"version"`
	Badge       badge     `json:"badge"`
	Member      *member   `json:"member"`
	IssuedOn    time.Time `json:"issued_on"`
	Key         string    `json:"key"`
	Erased      bool      `json:"erased"`
}

type change struct {
	Seq         int64     `json:"seq"`
	At          time.Time `json:"at"`
	Kind        string    `json:"kind"`
	EntryID     int64     `json:"entry_id"`
	Fingerprint string    `json:"fingerprint"`
	Reason      string    `json:"reason"`
	Cause       string    `json:"cause"`
	Award       *award    `json:"award"`
}

type grant struct {
	Key      string `json:"key"`
	BadgeID  int64  `json:"badge_id"`
	Email    string `json:"email"`
	IssuedOn string `json:"issued_on"`
	PageURL  string `json:"page_url,omitempty"`
}

func page(after string, limit int) url.Values {
	q := url.Values{}
	if after != "" {
		q.Set("after", after)
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	return q
}

// changes reads the feed from the cursor to its end.
func (s *suite) changes(t *testing.T, after string, limit int) (all []change, end string) {
	t.Helper()
	for {
		var p struct {
			Changes []change `json:"changes"`
			Next    string   `json:"next"`
			More    bool     `json:"more"`
		}
		s.get(t, "/awards/changes", page(after, limit), &p)
		all = append(all, p.Changes...)
		if limit > 0 && len(p.Changes) > limit {
			t.Fatalf("a page of %d changes, where %d were asked for", len(p.Changes), limit)
		}
		if p.More && p.Next == after {
			t.Fatal("the feed says there is more and stays where it is")
		}
		after = p.Next
		if !p.More {
			return all, after
		}
	}
}

// now gives the cursor at the feed's end.
func (s *suite) now(t *testing.T) string {
	t.Helper()
	_, end := s.changes(t, "", 500)
	return end
}

// list reads all awards, and the cursor that belongs to them.
func (s *suite) list(t *testing.T, limit int) (all map[int64]award, from string) {
	t.Helper()
	all = map[int64]award{}
	after, last := "", int64(0)
	for {
		var p struct {
			Awards      []award `json:"awards"`
			Next        string  `json:"next"`
			More        bool    `json:"more"`
			ChangesFrom string  `json:"changes_from"`
		}
		s.get(t, "/awards", page(after, limit), &p)
		if from == "" {
			from = p.ChangesFrom
		}
		if limit > 0 && len(p.Awards) > limit {
			t.Fatalf("a page of %d awards, where %d were asked for", len(p.Awards), limit)
		}
		for _, a := range p.Awards {
			if a.EntryID <= last {
				t.Fatalf("entry %d is listed after entry %d", a.EntryID, last)
			}
			last = a.EntryID
			all[a.EntryID] = a
		}
		if p.More && p.Next == after {
			t.Fatal("the list says there is more and stays where it is")
		}
		after = p.Next
		if !p.More {
			return all, from
		}
	}
}

// fresh makes a badge and a member.
func (s *suite) fresh(t *testing.T) (badgeID, memberID int64, email string) {
	t.Helper()
	email = "member-" + random(8) + "@example.org"
	return s.Control.AddBadge(t, "Demo badge "+random(4)), s.Control.AddMember(t, email, "Demo", "Member"), email
}

// entry gives the award with this id.
func (s *suite) entry(t *testing.T, id int64) award {
	t.Helper()
	var a award
	s.get(t, "/awards/"+strconv.FormatInt(id, 10), nil, &a)
	return a
}

func revoke(entry int64, fingerprint string) call {
	return call{method: "POST", path: "/awards/" + strconv.FormatInt(entry, 10) + "/revoke",
		body: map[string]string{"fingerprint": fingerprint, "reason": "awarded in error"}}
}

// about gives the changes that name the entry.
func about(all []change, entry int64) (of []change) {
	for _, c := range all {
		if c.EntryID == entry {
			of = append(of, c)
		}
	}
	return of
}
