package obs_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"badgebridge/internal/obs"
	"badgebridge/internal/secret"
)

func TestNeitherAddressesNorSecretsReachTheLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log, err := obs.NewLogger(&out, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("mail to ada@example.org", "to", "ada@example.org", "token", secret.New("geheim"),
			"error", errors.New("dial postgres://bb:pass@db.example.org/x: refused for bo@example.org"))
		for _, leak := range []string{"to=ada@", `"ada@`, "geheim", ":pass@", "bo@example"} {
			if strings.Contains(out.String(), leak) {
				t.Errorf("%s: %q leaks %q", format, out.String(), leak)
			}
		}
	}
}
