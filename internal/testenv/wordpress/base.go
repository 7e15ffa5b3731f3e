//go:build unix

package wordpress

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed php/*.php
var scripts embed.FS

// base gives the folder of an installed WordPress to copy: site, db and php. It
// is built once per machine, version and set of inputs, and kept below the
// system's folder for temporary files.
func base(version string) (string, error) {
	root := filepath.Join(os.TempDir(), fmt.Sprintf("badgebridge-wordpress-%d", os.Getuid()))
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	sweep(root)
	name, err := inputs(version)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, name)
	if built(dir) {
		return dir, nil
	}
	lock, err := os.OpenFile(filepath.Join(root, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if built(dir) {
		return dir, nil
	}
	building, err := os.MkdirTemp(root, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(building)
	if err := build(building, version); err != nil {
		return "", err
	}
	return dir, os.Rename(building, dir)
}

// sweep removes the sites of test programs that ended without cleaning up.
func sweep(root string) {
	sites, _ := filepath.Glob(filepath.Join(root, "site-*"))
	for _, site := range sites {
		var pid int
		if n, _ := fmt.Sscanf(filepath.Base(site), "site-%d-", &pid); n == 1 && syscall.Kill(pid, 0) == syscall.ESRCH {
			os.RemoveAll(site)
		}
	}
}

func built(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// inputs names everything that the built folder depends on.
func inputs(version string) (string, error) {
	sum := sha256.New()
	if version != V61 {
		files, err := buildsFiles()
		if err != nil {
			return "", err
		}
		sum.Write(files["package-lock.json"])
	}
	for _, theme := range []string{BlockTheme, ClassicTheme} {
		data, _ := os.ReadFile(filepath.Join(themesDir, theme, "style.css"))
		sum.Write(data)
	}
	for _, file := range []string{wordpressDir + "/wp-includes/version.php", "/var/lib/dpkg/info/mariadb-server.list"} {
		data, _ := os.ReadFile(file)
		sum.Write(data)
	}
	database, err := exec.Command("mariadbd", "--version").Output()
	if err != nil {
		return "", err
	}
	sum.Write(database)
	err = fs.WalkDir(scripts, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := scripts.ReadFile(path)
		sum.Write(data)
		return err
	})
	sum.Write([]byte(strings.Join(databaseArgs("DIR"), " ")))
	return "base-" + version + "-" + hex.EncodeToString(sum.Sum(nil))[:12], err
}

func build(dir, version string) error {
	if err := copyFS(dir, scripts); err != nil {
		return err
	}
	if err := copyRelease(version, filepath.Join(dir, "site")); err != nil {
		return err
	}
	mu := filepath.Join(dir, "site/wp-content/mu-plugins")
	if err := os.MkdirAll(mu, 0o755); err != nil {
		return err
	}
	mail, err := scripts.ReadFile("php/mail.php")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(mu, "mail.php"), mail, 0o644); err != nil {
		return err
	}
	args := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "db"), "--auth-root-authentication-method=normal",
		"--skip-test-db", "--innodb-log-file-size=4M"}
	if os.Getuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := exec.Command("mariadb-install-db", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	db, err := startDatabase(dir)
	if err != nil {
		return err
	}
	defer db.kill()
	if err := writeConfig(dir, false); err != nil {
		return err
	}
	if err := runSQLAt(dir, "", "CREATE DATABASE wordpress CHARACTER SET utf8mb4;"); err != nil {
		return err
	}
	cmd := exec.Command("php", filepath.Join(dir, "php/install.php"), filepath.Join(dir, "site"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install WordPress: %w: %s", err, out)
	}
	// Shut down in order, so that each copy starts without recovery.
	return db.end(30 * time.Second)
}

// writeConfig writes the wp-config.php of the site in dir.
func writeConfig(dir string, displayErrors bool) error {
	path := filepath.Join(dir, "site/wp-config.php")
	// It may be a hard link to the one that others copy.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	var salts strings.Builder
	for _, name := range []string{"AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY", "AUTH_SALT", "SECURE_AUTH_SALT", "LOGGED_IN_SALT", "NONCE_SALT"} {
		fmt.Fprintf(&salts, "define( '%s', '%s' );\n", name, randomHex(24))
	}
	return os.WriteFile(path, []byte(fmt.Sprintf(`<?php
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:%s' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
%s$table_prefix = 'wp_';
define( 'WP_ENVIRONMENT_TYPE', 'local' );
define( 'WP_DEBUG', true );
define( 'WP_DEBUG_LOG', '%s' );
define( 'WP_DEBUG_DISPLAY', ! defined( 'BADGEBRIDGE_TEST_SNIPPET' ) && 'cli' !== PHP_SAPI && %t );
define( 'DISABLE_WP_CRON', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'WP_ACCESSIBLE_HOSTS', '127.0.0.1,localhost' );
define( 'BADGEBRIDGE_TEST_MAIL', '%s' );
if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
`, socketOf(dir), salts.String(), filepath.Join(dir, "debug.log"), displayErrors, filepath.Join(dir, "mail.log"))), 0o600)
}

// copyTree copies a built folder. WordPress's own files are shared by hard links
// where the file system can; nothing writes into them.
func copyTree(from, to string) error {
	for _, part := range []struct{ name, how string }{{"site", "-al"}, {"db", "-a"}, {"php", "-a"}} {
		source := filepath.Join(from, part.name)
		out, err := exec.Command("cp", part.how, source, to).CombinedOutput()
		if err != nil && part.how == "-al" {
			out, err = exec.Command("cp", "-a", source, to).CombinedOutput()
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w: %s", part.name, err, out)
		}
	}
	return nil
}
