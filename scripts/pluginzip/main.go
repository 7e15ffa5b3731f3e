// Command pluginzip packs a WordPress plugin into an archive that WordPress can
// install. The same files give the same bytes: names are sorted, dates fixed,
// rights plain.
//
//	pluginzip FOLDER OUT.zip
package main

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pluginzip FOLDER OUT.zip")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pluginzip:", err)
		os.Exit(1)
	}
	fmt.Println(os.Args[2])
}

// pack writes the folder's files into out, below the folder's own name.
func pack(folder, out string) error {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	w := zip.NewWriter(f)
	name := filepath.Base(filepath.Clean(folder))
	// WalkDir goes in the order of names.
	err = fs.WalkDir(os.DirFS(folder), ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(at), ".") {
			return err
		}
		data, err := fs.ReadFile(os.DirFS(folder), at)
		if err != nil {
			return err
		}
		// A date that every system can hold; a real one would change the bytes.
		h := &zip.FileHeader{Name: path.Join(name, at), Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o644)
		to, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = to.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}
