package wordpress_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"badgebridge/internal/testenv/packages"
)

// need ends the test where a program is missing: with a failure where CI=true.
func need(t *testing.T, program, from string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; install with: apt-get install -y --no-install-recommends %s", program, from)
		}
		t.Skipf("%s is missing", program)
	}
	return path
}

// ownTests runs the plugin's tests that need no WordPress, with one PHP.
func ownTests(t *testing.T, version string, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	// PHP in WebAssembly ends with 0 whatever happened.
	if err != nil || !strings.HasPrefix(string(out), "PHP "+version) || !strings.HasSuffix(strings.TrimSpace(string(out)), " passed") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestThePluginsOwnTestsPass(t *testing.T) {
	ownTests(t, "", exec.Command(need(t, "php", "php8.2-cli"), "tests/run.php"))
}

// The oldest PHP that the plugin works on, the first of the next series, and the newest one that was tested.
func TestThePluginsOwnTestsPassOnOtherVersionsOfPHP(t *testing.T) {
	if testing.Short() {
		t.Skip("these are downloaded")
	}
	node := need(t, "node", "nodejs")
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join("tests/php-wasm", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	dir, err := packages.NPM("php", files)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"7.4", "8.0", "8.3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(node, filepath.Join(dir, "node_modules/@php-wasm/cli/main.js"), "tests/run.php")
			cmd.Env = append(os.Environ(), "PHP="+version)
			ownTests(t, version+".", cmd)
		})
	}
}
