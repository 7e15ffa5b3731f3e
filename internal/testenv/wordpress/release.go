//go:build unix

package wordpress

import (
	"archive/zip"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"badgebridge/internal/testenv/packages"
)

// The versions of WordPress that a site can have.
const (
	V61 = "6.1" // Debian's package
	V65 = "6.5" // out of npm's @wp-playground/wordpress-builds
)

// Themes that every site has, whatever its version: one made of blocks and one of
// PHP templates. Both are Debian's.
const (
	BlockTheme   = "twentytwentythree"
	ClassicTheme = "twentytwentyone"
)

const (
	wordpressDir = "/usr/share/wordpress"
	themesDir    = wordpressDir + "/wp-content/themes"
)

//go:embed builds/package.json builds/package-lock.json
var builds embed.FS

func buildsFiles() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := builds.ReadFile("builds/" + name)
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return files, nil
}

// copyRelease puts the files of a version into the new folder to.
func copyRelease(version, to string) error {
	if version == V61 {
		// Debian's tree is full of links to other packages.
		return cp(wordpressDir, to)
	}
	files, err := buildsFiles()
	if err != nil {
		return err
	}
	dir, err := packages.NPM("wordpress", files)
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "node_modules/@wp-playground/wordpress-builds")
	// The archive has what PHP reads; what browsers read lies beside it, in the
	// same folders.
	if err := unzip(filepath.Join(dir, "src/wordpress/wp-"+version+".zip"), to); err != nil {
		return err
	}
	for _, part := range []string{"wp-admin", "wp-includes", "wp-content/themes/twentytwentyfour"} {
		if err := cp(filepath.Join(dir, "public/wp-"+version, part)+"/.", filepath.Join(to, part)); err != nil {
			return err
		}
	}
	for _, theme := range []string{BlockTheme, ClassicTheme} {
		if err := cp(filepath.Join(themesDir, theme), filepath.Join(to, "wp-content/themes", theme)); err != nil {
			return err
		}
	}
	return nil
}

func cp(from, to string) error {
	if out, err := exec.Command("cp", "-rL", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w: %s", from, err, out)
	}
	return nil
}

func unzip(archive, to string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("%s holds %q", filepath.Base(archive), f.Name)
		}
		path := filepath.Join(to, f.Name)
		if strings.HasSuffix(f.Name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := extract(f, path); err != nil {
			return err
		}
	}
	return nil
}

func extract(f *zip.File, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		return err
	}
	return to.Close()
}
