package web_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/notices"
)

// impersonal are the tables in which nothing of a person is ever written, each
// for a reason that holds. Every other table is filled by the test below, so a
// new one fails it until it is in one of both.
var impersonal = map[string]string{
	"settings":        "of the association",
	"remotes":         "of the association",
	"issuers":         "of the association",
	"classes":         "what can be earned, whoever did",
	"class_versions":  "what can be earned, whoever did",
	"class_documents": "what can be earned, whoever did",
	"runs":            "what was read of a remote, in numbers",
	"hints":           "a remote's record ids, until they are read",
	"import_items":    "badges, not who has them",
	"status_lists":    "bits",
	"status_entries":  "which bit is which award's",
	"signing_keys":    "of the association",
	"used_once":       "numbers that a site has signed",
	"login_states":    "sealed, for minutes, of a sign-in that is not over",
	"links":           "which record is which award's; the records are in documents",
	"provenance":      "when a record came; the records are in documents",
	"assertions":      "an award's documents and their salt; the documents are in documents",

	"goose_db_version": "of the migrations",
}

// personal are names of columns that say whose a row is, or what somebody is
// called.
var personal = regexp.MustCompile(`^(person_id|owner|created_by|email|mail|made_to|handle|given_name|family_name|recipient)$`)

// columnsThatSay lists "table.column" of the rows that hold one of the words,
// whichever way it is written.
func columnsThatSay(dump string, words []string) map[string]string {
	out := map[string]string{}
	for _, line := range strings.Split(dump, "\n") {
		column, value, found := strings.Cut(line, "=")
		if !found {
			continue
		}
		for _, word := range words {
			if strings.Contains(strings.ToLower(value), strings.ToLower(word)) {
				out[column] = word
			}
		}
	}
	return out
}

// schema lists the columns of every table.
func (w *world) schema() map[string][]string {
	w.t.Helper()
	rows, err := w.db.SQL().QueryContext(w.t.Context(),
		`SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2`)
	must(w.t, err)
	defer rows.Close()
	out := map[string][]string{}
	for rows.Next() {
		var table, column string
		must(w.t, rows.Scan(&table, &column))
		out[table] = append(out[table], column)
	}
	must(w.t, rows.Err())
	return out
}

// lives gives ada a row in every table that can hold something of a person, and
// returns her browser and the words that are hers alone.
func (o *outside) lives() (*browser, []string) {
	t, ctx := o.t, o.t.Context()
	t.Helper()
	b, own := o.full()
	was := o.person(ada)
	// She is an account that another one became part of.
	other := o.signIn("ada.third@example.org")
	other.post("/profile", "handle", "ada-before", "visibility", "public", "about", "quillfeather-about")
	former := o.person("ada.third@example.org")
	b.post("/profile", "handle", "ada-demo", "visibility", "public", "about", "quillfeather-about", "link", "https://quillfeather.example/me")
	must(t, o.db.MergePersons(ctx, was, former))
	b.adds("ada.second@example.org")
	b.post("/me/address/mail", "email", "ada.second@example.org")
	must(t, o.db.PutDestination(ctx, store.Destination{AwardID: own.ID, Email: "ada.second@example.org", PersonID: was, ChosenAt: o.now.Now()}))
	must(t, o.db.PutSignIn(ctx, store.SignIn{Issuer: "https://id.example", Subject: "quillfeather-subject", PersonID: was, Provider: "site", LastAt: o.now.Now()}))
	_, err := o.db.CreateGrant(ctx, store.Grant{PersonID: was, Origin: "https://quillfeather.example", Scopes: []string{"issue"}, AccessHash: "a", RefreshHash: "r", UsedAt: o.now.Now()})
	must(t, err)
	o.elsewhere(ada, store.ConnectionBroken, store.Deposit{AwardID: own.ID, State: store.PushRejected, Reason: "refused", Words: "is for " + ada})
	b.bring("/badges/add", map[string][]byte{"quillfeather-file.json": o.web[o.awards(3, ada)].Body, "other.json": o.plainly(4, "ada@work.example")})
	b.post("/me/name", "given", "Quillfeather-Ada", "family", "Quillfeather")
	own, err = o.db.Award(ctx, own.ID)
	must(t, err)
	own.Expires = o.now.Now().Add(5 * 24 * time.Hour)
	_, err = o.db.PutAward(ctx, own)
	must(t, err)
	_, err = notices.Ending(ctx, o.db, o.now.Now())
	must(t, err)
	must(t, o.db.Refuse(ctx, was, store.NoticeOffered, true))
	m, err := o.engine.PutMapping(ctx, store.Mapping{ClassA: o.class(o.siteName(), "Mentor").ID, ClassB: o.class("credly", "Mentor").ID, CreatedBy: was})
	must(t, err)
	_, err = o.db.CreateImport(ctx, store.Import{From: "credly", CreatedBy: was}, []store.ImportItem{{ClassID: m.ClassB}})
	must(t, err)
	_, err = o.db.CreatePush(ctx, store.Push{Key: adapters.Key("k"), Op: store.OpIssue, Remote: "credly", AwardID: own.ID, MappingID: m.ID, State: store.PushRejected, Words: "no such earner: " + ada})
	must(t, err)
	b.post("/me/address", "email", "ada.fourth@example.org") // a code that nobody enters
	b.get("/")

	words := []string{was, former, ada, "ada.second@example.org", "ada.third@example.org", "ada.fourth@example.org", "ada@elsewhere.example", "ada@work.example",
		"Ada Example", "quillfeather", "ada-demo", "ada-before", "https://broken.backpack.example", store.Digest("ada.second@example.org")}
	brought, err := o.db.AwardsOf(ctx, was, 100)
	must(t, err)
	for _, a := range brought {
		if a.Origin == store.BackpackOrigin {
			words = append(words, a.ID, a.AssertionURL)
		}
	}
	list, err := o.db.CollectionsOf(ctx, was)
	must(t, err)
	for _, c := range list {
		words = append(words, c.ID, c.Name)
	}
	return b, words
}

// plainly is a hosted assertion that names its earner's address in clear.
func (o *outside) plainly(n int, email string) []byte {
	o.t.Helper()
	path := fmt.Sprintf("/a/%d", n)
	o.put(path, map[string]any{"type": "Assertion", "badge": college + "/badge", "issuedOn": fmt.Sprintf("2026-01-02T03:04:%02dZ", n),
		"verification": map[string]any{"type": "HostedBadge"}, "recipient": map[string]any{"type": "email", "hashed": false, "identity": email}})
	return o.web[college+path].Body
}

func TestNothingOfADeletedAccountRemainsInAnyTable(t *testing.T) {
	o := keepingWith(t, withBackpacks(t))
	b, words := o.lives()
	before, tables := columnsThatSay(o.dump(), words), o.schema()
	said := map[string]bool{}
	for column := range before {
		table, _, _ := strings.Cut(column, ".")
		said[table] = true
	}
	for table, columns := range tables {
		_, free := impersonal[table]
		switch {
		case free && said[table]:
			t.Errorf("%s is said to hold nothing of people, and does", table)
		case !free && !said[table]:
			t.Errorf("nothing of her was written into %s: have her do what fills it, or say in impersonal why nothing ever does", table)
		}
		for _, column := range columns {
			if at := table + "." + column; personal.MatchString(column) && before[at] == "" && at != "profiles.link" {
				t.Errorf("%s was never hers: have her do what fills it", at)
			}
		}
	}
	for table := range impersonal {
		if tables[table] == nil {
			t.Errorf("there is no table %s", table)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	b.post("/me/delete", "sure", "yes", "records", "remove").has(t, "Your account is deleted")
	after := columnsThatSay(o.dump(), words)
	for _, column := range slices.Sorted(maps.Keys(after)) {
		t.Errorf("%s still says %s", column, after[column])
	}
	// What is kept to know her by, should she come back, is a digest of the address
	// that the association itself awarded to.
	for column := range columnsThatSay(o.dump(), []string{store.Digest(ada)}) {
		if column != "awards.recipient" && column != "awards.email" {
			t.Errorf("the digest of her address is in %s", column)
		}
	}
	if _, err := o.db.Identifier(t.Context(), openbadges.IdentityEmail, ada); err == nil {
		t.Error("her address is known")
	}
}
