package wordpress

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"
)

// Release is the companion plugin as a site installs it, and what WordPress asks
// about it first.
type Release struct {
	// Version is the plugin's; Requires, RequiresPHP and Tested are the oldest
	// WordPress and PHP that it works on, and the newest WordPress it was tested with.
	Version, Requires, RequiresPHP, Tested string
	// Changelog is plain text, the newest version first.
	Changelog string
	// Archive is a zip file with the folder badgebridge in it, the same bytes for
	// the same plugin. SHA256 is its digest in hexadecimal.
	Archive []byte
	SHA256  string
}

// NewRelease packs the plugin that this program carries.
func NewRelease() (Release, error) { return release(Plugin()) }

func release(plugin fs.FS) (Release, error) {
	header, err := fs.ReadFile(plugin, "badgebridge/badgebridge.php")
	if err != nil {
		return Release{}, fmt.Errorf("pack the plugin: %w", err)
	}
	readme, err := fs.ReadFile(plugin, "badgebridge/readme.txt")
	if err != nil {
		return Release{}, fmt.Errorf("pack the plugin: %w", err)
	}
	var r Release
	for _, f := range []struct {
		to   *string
		from []byte
		name string
	}{
		{&r.Version, header, "Version"}, {&r.Requires, header, "Requires at least"}, {&r.RequiresPHP, header, "Requires PHP"},
		{&r.Tested, readme, "Tested up to"},
	} {
		m := regexp.MustCompile(`(?m)^(?: \* )?` + f.name + `:\s*([0-9.]+)$`).FindSubmatch(f.from)
		if m == nil {
			return Release{}, fmt.Errorf("pack the plugin: it does not say %q", f.name)
		}
		*f.to = string(m[1])
	}
	_, changelog, _ := strings.Cut(string(readme), "== Changelog ==")
	r.Changelog = strings.TrimSpace(changelog)
	if r.Archive, err = pack(plugin); err != nil {
		return Release{}, fmt.Errorf("pack the plugin: %w", err)
	}
	sum := sha256.Sum256(r.Archive)
	r.SHA256 = hex.EncodeToString(sum[:])
	return r, nil
}

// pack makes a zip file: names are sorted, dates fixed, rights plain.
func pack(plugin fs.FS) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	// WalkDir goes in the order of names.
	err := fs.WalkDir(plugin, ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(at), ".") {
			return err
		}
		data, err := fs.ReadFile(plugin, at)
		if err != nil {
			return err
		}
		// A date that every system can hold; a real one would change the bytes.
		h := &zip.FileHeader{Name: at, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o644)
		to, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = to.Write(data)
		return err
	})
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}
