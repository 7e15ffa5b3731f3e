package site

import (
	"net/http"
	"strconv"
	"strings"
)

// A cursor of the feed is "epoch.number.mark" of the change that was read last.
// The mark is random: a site that was restored from a backup counts on from an
// earlier number, and a cursor from before must not fit by chance.

// cursor points behind the newest change.
func (st *state) cursor() string {
	if n := len(st.Feed); n > 0 {
		return st.cursorAt(st.Feed[n-1])
	}
	return st.Epoch + ".0.start"
}

func (st *state) cursorAt(c change) string {
	return st.Epoch + "." + strconv.FormatInt(c.Seq, 10) + "." + c.Mark
}

// position is the index of the first change behind the cursor; ok is false when
// the cursor is none of this feed.
func (st *state) position(cursor string) (index int, ok bool) {
	if cursor == "" || cursor == st.Epoch+".0.start" {
		return 0, true
	}
	parts := strings.Split(cursor, ".")
	if len(parts) != 3 || parts[0] != st.Epoch {
		return 0, false
	}
	for i, c := range st.Feed {
		if strconv.FormatInt(c.Seq, 10) == parts[1] {
			return i + 1, c.Mark == parts[2]
		}
	}
	return 0, false
}

func (s *Site) listChanges(c *call) (int, any, *refusal) {
	q := c.r.URL.Query()
	limit, no := pageSize(q)
	if no == nil {
		no = s.provided()
	}
	if no != nil {
		return 0, nil, no
	}
	from, ok := s.st.position(q.Get("after"))
	if !ok {
		return 0, nil, refused(http.StatusGone, "cursor_gone", "The feed does not reach back to this cursor: the site was restored, or it is too old.")
	}
	rows := s.st.Feed[from:]
	more := len(rows) > limit
	if more {
		rows = rows[:limit]
	}
	next := q.Get("after")
	changes := make([]wireChange, 0, len(rows))
	for _, row := range rows {
		w := wireChange{Seq: row.Seq, At: row.At, Kind: row.Kind, EntryID: row.Entry, Fingerprint: row.Fingerprint, Reason: row.Reason}
		if e := s.st.entry(row.Entry); e != nil && e.fingerprint() == row.Fingerprint && (row.Kind == "granted" || row.Kind == "updated") {
			w.Award = s.wireAward(*e)
		}
		changes = append(changes, w)
		next = s.st.cursorAt(row)
	}
	if next == "" {
		next = s.st.cursor()
	}
	return http.StatusOK, map[string]any{"changes": changes, "next": next, "more": more}, nil
}
