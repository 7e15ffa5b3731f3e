package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/archive"
	"badgebridge/sync/backpack"
)

func setUp(t *testing.T) (*archive.Archive, store.Store, store.Person) {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	base := func(context.Context) string { return "https://badges.example" }
	log := slog.New(slog.DiscardHandler)
	p, err := db.CreatePerson(t.Context(), store.Person{GivenName: "Ada", FamilyName: "Demo"})
	if err != nil {
		t.Fatal(err)
	}
	return archive.New(archive.Config{
		Store: db, BaseURL: base, Now: time.Now, Log: log, Claim: func(context.Context, string, string) error { return nil },
		Backpack: backpack.New(backpack.Config{Store: db, Fetcher: verify.Offline{}, BaseURL: base, Now: time.Now, Log: log}),
	}), db, p
}

// file is one file of a made archive.
type file struct {
	name string
	body []byte
}

// made is an archive as somebody with bad intentions makes it. The manifest names
// all files, unless change says otherwise.
func made(t *testing.T, files []file, change func(*archive.Manifest)) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	m := archive.Manifest{Format: archive.Format, Version: archive.Version}
	add := func(f file) {
		w, err := z.Create(f.name)
		if err == nil {
			_, err = w.Write(f.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		sum := sha256.Sum256(f.body)
		m.Files = append(m.Files, archive.File{Path: f.name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(f.body))})
		add(f)
	}
	if change != nil {
		change(&m)
	}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	add(file{"manifest.json", body})
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func usual(badges string) []file {
	return []file{{"account.json", []byte(`{}`)}, {"badges.json", []byte(badges)}, {"collections.json", []byte(`[]`)}}
}

func TestAHostileFileChangesNothingAndIsToldApart(t *testing.T) {
	a, st, p := setUp(t)
	bomb := bytes.Repeat([]byte{0}, 40<<20) // 40 kB as a ZIP
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"no ZIP":                    {[]byte("hello"), archive.ErrNoArchive},
		"a ZIP of something else":   {made(t, nil, func(m *archive.Manifest) { m.Format = "photos" }), archive.ErrNoArchive},
		"of a newer version":        {made(t, usual(`[]`), func(m *archive.Manifest) { m.Version = 99 }), archive.ErrNewer},
		"names that lead elsewhere": {made(t, append(usual(`[]`), file{"../../etc/passwd", []byte("x")}), nil), archive.ErrNoArchive},
		"an absolute name":          {made(t, append(usual(`[]`), file{"/etc/passwd", []byte("x")}), nil), archive.ErrNoArchive},
		"one name twice":            {made(t, append(usual(`[]`), file{"badges.json", []byte("[]")}), nil), archive.ErrNoArchive},
		"a bomb":                    {made(t, append(usual(`[]`), file{"badges/x/1.json", bomb}), nil), archive.ErrTooLarge},
		"a file that was changed": {made(t, usual(`[]`), func(m *archive.Manifest) {
			for i := range m.Files {
				m.Files[i].SHA256 = strings.Repeat("0", 64)
			}
		}), archive.ErrDamaged},
		"a file that is missing": {made(t, usual(`[]`)[:2], nil), archive.ErrDamaged},
		"no JSON":                {made(t, usual(`{"not a list`), nil), archive.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Read(t.Context(), p.ID, bytes.NewReader(c.body), int64(len(c.body)), nil)
			if !errors.Is(err, c.want) {
				t.Errorf("error is %v, want %v", err, c.want)
			}
		})
	}
	list, err := st.AwardsOf(t.Context(), p.ID, 10)
	if err != nil || len(list) != 0 {
		t.Errorf("%d badges, %v", len(list), err)
	}
}

func TestABadgeThatDoesNotVerifyDoesNotComeBackAndTheOthersDo(t *testing.T) {
	a, _, p := setUp(t)
	body := made(t, append(usual(`[{"id":"x","name":"Forged","documents":[{"kind":"original","path":"badges/x/1.json"}]},{"id":"y","name":"Lost","documents":[{"kind":"original","path":"nowhere"}]}]`),
		file{"badges/x/1.json", []byte(`{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"https://issuer.example/1"}`)}), nil)
	var told []archive.Progress
	got, err := a.Read(t.Context(), p.ID, bytes.NewReader(body), int64(len(body)), func(p archive.Progress) { told = append(told, p) })
	if err != nil || got.Done != 2 || len(got.Refused) != 2 || got.Refused[0].Name != "Forged" || got.Restored != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if len(told) != 3 || told[0].Done != 1 {
		t.Errorf("progress was told as %+v", told)
	}
}

func TestWhatIsWrittenIsReadBackAndAnEmptyAccountToo(t *testing.T) {
	a, st, p := setUp(t)
	var out bytes.Buffer
	if err := a.Write(t.Context(), &out, p.ID); err != nil {
		t.Fatal(err)
	}
	other, err := st.CreatePerson(t.Context(), store.Person{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Read(t.Context(), other.ID, bytes.NewReader(out.Bytes()), int64(out.Len()), nil); err != nil || got.Total != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if other, err = st.Person(t.Context(), other.ID); err != nil || other.Name() != "Ada Demo" {
		t.Errorf("%+v, %v", other, err)
	}
	if err := a.Write(t.Context(), &out, "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
