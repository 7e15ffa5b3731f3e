//go:build unix

// Package wordpress runs real association sites for tests: WordPress on PHP's own
// web server and MariaDB, with the companion plugin, and BadgeOS or GamiPress or a double of it.
// Everything listens on loopback or a Unix socket and is gone when the test ends.
//
// It needs the Debian packages that Packages names.
package wordpress

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	companion "badgebridge/wordpress"
)

// Packages gives the Debian packages that Start needs.
func Packages() []string {
	return []string{"wordpress", "wordpress-theme-" + BlockTheme, "wordpress-theme-" + ClassicTheme, "mariadb-server", "libfaketime", "php8.2-cli", "php8.2-mysql",
		"php8.2-gd", "php8.2-curl", "php8.2-xml", "php8.2-mbstring", "php8.2-zip", "php8.2-intl"}
}

// Options say what kind of site to start. The zero value is a site with the
// companion plugin and the double of BadgeOS, in New York's time zone.
type Options struct {
	// Version is the WordPress: V61 (also when "") or V65, for which npm is needed.
	Version string
	// Provider is the badge plugin: BadgeOS (also when "") or GamiPress.
	Provider string
	// ProviderDir is a folder with the real one; "" means the double.
	ProviderDir string
	// NoPlugin leaves the companion plugin out, until InstallPlugin.
	NoPlugin bool
	// NoProvider leaves the badge plugin out.
	NoProvider bool
	// Timezone is the site's, by its IANA name; "" means America/New_York.
	Timezone string
	// PlainPermalinks leaves the site without rewrite rules: RestURL ends in
	// "/?rest_route=".
	PlainPermalinks bool
	// DisplayErrors makes PHP print its notices into the pages, as badly kept
	// sites do.
	DisplayErrors bool
}

// Site is a running site.
type Site struct {
	// BaseURL is the home URL, without a slash at the end; RestURL is where
	// "/badgebridge/v1/..." is appended.
	BaseURL, RestURL string
	// AdminUser and AdminPassword sign in at BaseURL + "/wp-login.php".
	AdminUser, AdminPassword string

	dir  string // of everything that belongs to this site
	host string
	// token lets snippets in.
	token         string
	displayErrors bool
	badges        string // the badge plugin
	db            *process
	php           *process
}

// Start starts a site of its own for the test, and stops it when the test ends.
// Where a package is missing it skips the test, or fails it where CI=true.
func Start(t testing.TB, opts Options) *Site {
	t.Helper()
	if opts.Version == "" {
		opts.Version = V61
	}
	if missing := missingPrograms(opts.Version); missing != "" {
		say := t.Skipf
		if os.Getenv("CI") == "true" {
			say = t.Fatalf
		}
		say("%s is missing; install with: apt-get install -y --no-install-recommends %s", missing, strings.Join(Packages(), " "))
	}
	cached, err := base(opts.Version)
	if err != nil {
		t.Fatalf("prepare a WordPress to copy: %v", err)
	}
	s := &Site{AdminUser: "admin", AdminPassword: "admin-pass", badges: opts.Provider}
	if s.badges == "" {
		s.badges = BadgeOS
	}
	if err := s.start(cached, opts); err != nil {
		s.stop()
		t.Fatalf("start WordPress: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the site's log ends with:\n%s", s.logTail())
		}
		s.stop()
	})
	s.prepare(t, opts)
	return s
}

func missingPrograms(version string) string {
	programs := []string{"php", "mariadbd", "mariadb", "mariadb-dump", "mariadb-install-db"}
	if version != V61 {
		programs = append(programs, "npm")
	}
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
	}
	for _, file := range []string{filepath.Join(wordpressDir, "wp-load.php"), filepath.Join(themesDir, BlockTheme), filepath.Join(themesDir, ClassicTheme)} {
		if _, err := os.Stat(file); err != nil {
			return file
		}
	}
	return ""
}

func (s *Site) start(cached string, opts Options) error {
	// Not t.TempDir: a socket's path may have 107 characters, and a copy by hard
	// links has to be where the original is.
	var err error
	if s.dir, err = os.MkdirTemp(filepath.Dir(cached), fmt.Sprintf("site-%d-", os.Getpid())); err != nil {
		return err
	}
	if err := copyTree(cached, s.dir); err != nil {
		return err
	}
	s.db, err = startDatabase(s.dir)
	if err != nil {
		return err
	}
	return s.serve(opts)
}

// serve writes the configuration and starts PHP's web server on a free port.
func (s *Site) serve(opts Options) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.host = listener.Addr().String()
	listener.Close()
	s.BaseURL = "http://" + s.host
	s.RestURL = s.BaseURL + "/wp-json"
	if opts.PlainPermalinks {
		s.RestURL = s.BaseURL + "/?rest_route="
	}
	if err := writeConfig(s.dir, opts.DisplayErrors); err != nil {
		return err
	}
	sql := fmt.Sprintf("UPDATE wp_options SET option_value='%s' WHERE option_name IN ('siteurl','home');", s.BaseURL)
	if opts.Timezone != "" {
		sql += fmt.Sprintf("UPDATE wp_options SET option_value='%s' WHERE option_name='timezone_string';", opts.Timezone)
	}
	if opts.PlainPermalinks {
		sql += "UPDATE wp_options SET option_value='' WHERE option_name='permalink_structure';"
	}
	if err := runSQL(s.dir, sql); err != nil {
		return err
	}
	s.token = randomHex(16)
	s.displayErrors = opts.DisplayErrors
	return s.answer(0)
}

// answer starts PHP's web server, with a clock that is off by so much.
func (s *Site) answer(off time.Duration) error {
	display := "0"
	if s.displayErrors {
		display = "1"
	}
	cmd := exec.Command("php", "-d", "display_errors="+display, "-d", "default_socket_timeout=10", "-d", "memory_limit=256M",
		"-d", "opcache.enable=1", "-d", "opcache.revalidate_freq=0", "-d", "output_buffering=0",
		"-S", s.host, "-t", filepath.Join(s.dir, "site"), filepath.Join(s.dir, "php", "router.php"))
	// One worker alone would hang where the site calls itself.
	cmd.Env = append(os.Environ(), "PHP_CLI_SERVER_WORKERS=4", "TZ=UTC", "BADGEBRIDGE_TEST_TOKEN="+s.token)
	if off != 0 {
		library, err := faketime()
		if err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, "LD_PRELOAD="+library, fmt.Sprintf("FAKETIME=%+d", int(off.Seconds())), "FAKETIME_DONT_FAKE_MONOTONIC=1")
	}
	var err error
	s.php, err = startProcess(cmd, filepath.Join(s.dir, "php.log"))
	if err != nil {
		return err
	}
	return s.php.until(s.listens)
}

func (s *Site) listens() bool {
	conn, err := net.Dial("tcp", s.host)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// faketime finds the library that changes what a program takes for the time.
func faketime() (string, error) {
	const pattern = "/usr/lib/*/faketime/libfaketime.so.1"
	found, err := filepath.Glob(pattern)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("there is no %s", pattern)
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// prepare puts the plugins in and activates them.
func (s *Site) prepare(t testing.TB, opts Options) {
	t.Helper()
	if !opts.NoProvider {
		s.AddProvider(t, s.badges, opts.ProviderDir)
	}
	if !opts.NoPlugin {
		s.InstallPlugin(t)
	}
}

// InstallPlugin copies the companion plugin in and activates it.
func (s *Site) InstallPlugin(t testing.TB) {
	t.Helper()
	if err := copyFS(filepath.Join(s.dir, "site/wp-content/plugins"), companion.Plugin()); err != nil {
		t.Fatal(err)
	}
	s.PHP(t, `$done = activate_plugin( 'badgebridge/badgebridge.php' );
		if ( is_wp_error( $done ) ) { fwrite( STDERR, $done->get_error_message() ); exit( 1 ); }`)
}

func (s *Site) stop() {
	if s.php != nil {
		s.php.kill()
	}
	if s.db != nil {
		s.db.kill()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

func copyFS(to string, from fs.FS) error {
	return fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, path), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), data, 0o644)
	})
}

func (s *Site) logTail() string {
	var out strings.Builder
	for _, name := range []string{"debug.log", "php.log"} {
		data, _ := os.ReadFile(filepath.Join(s.dir, name))
		var kept []string
		for _, line := range strings.Split(string(data), "\n") {
			if strings.Contains(line, "Deprecated") || strings.Contains(line, "Accepted") || strings.Contains(line, "Closing") {
				continue
			}
			kept = append(kept, line)
		}
		if len(kept) > 25 {
			kept = kept[len(kept)-25:]
		}
		out.WriteString(strings.Join(kept, "\n"))
	}
	return out.String()
}

func randomHex(n int) string {
	raw := make([]byte, n)
	rand.Read(raw)
	return hex.EncodeToString(raw)
}
