package wordpress_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"badgebridge/wordpress"
)

func TestTheArchiveIsThePluginAndTheSameEveryTime(t *testing.T) {
	r, err := wordpress.NewRelease()
	if err != nil {
		t.Fatal(err)
	}
	again, err := wordpress.NewRelease()
	if err != nil || !bytes.Equal(r.Archive, again.Archive) {
		t.Errorf("the second time it is another: %v", err)
	}
	if sum := sha256.Sum256(r.Archive); hex.EncodeToString(sum[:]) != r.SHA256 {
		t.Error("its digest is another")
	}
	z, err := zip.NewReader(bytes.NewReader(r.Archive), int64(len(r.Archive)))
	if err != nil {
		t.Fatal(err)
	}
	packed := map[string]bool{}
	for _, f := range z.File {
		packed[f.Name] = true
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		// What the program carries is what the folder holds: nothing was left out.
		want, err := os.ReadFile(path.Join("plugin", f.Name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the file of the plugin: %v", f.Name, err)
		}
	}
	err = fs.WalkDir(os.DirFS("plugin"), "badgebridge", func(at string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !packed[at] {
			t.Errorf("%s is not in the archive", at)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestThePluginSaysOneVersionEverywhere(t *testing.T) {
	r, err := wordpress.NewRelease()
	if err != nil {
		t.Fatal(err)
	}
	for file, words := range map[string][]string{
		"plugin/badgebridge/badgebridge.php": {"define( 'BADGEBRIDGE_VERSION', '" + r.Version + "' );", "Update URI:", "License:           GPL-3.0-or-later", "Domain Path:       /languages"},
		"plugin/badgebridge/readme.txt":      {"Stable tag: " + r.Version, "Requires at least: " + r.Requires, "Requires PHP: " + r.RequiresPHP, "= " + r.Version + " =", "License: GPL-3.0-or-later"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s does not say %q", file, w)
			}
		}
	}
	if !strings.Contains(r.Changelog, r.Version) {
		t.Errorf("the changelog has no %s:\n%s", r.Version, r.Changelog)
	}
}
