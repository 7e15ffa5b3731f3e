package wordpress_test

import (
	"os"
	"os/exec"
	"testing"
)

func TestThePluginsOwnTestsPass(t *testing.T) {
	php, err := exec.LookPath("php")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("php is missing; install with: apt-get install -y --no-install-recommends php8.2-cli")
		}
		t.Skip("php is missing")
	}
	out, err := exec.Command(php, "tests/run.php").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
