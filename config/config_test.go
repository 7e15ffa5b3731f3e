package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"badgebridge/config"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "badgebridge.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWithNothingSetTheDefaultsWork(t *testing.T) {
	c, err := config.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if c.Listen != "localhost:8080" || c.PullEvery != time.Minute || c.MasterKeyFile != filepath.Join("data", "master.key") {
		t.Fatalf("%+v", c)
	}
}

func TestAVariableWinsOverTheFileAndTheFileOverTheDefault(t *testing.T) {
	path := write(t, `
listen: ":9000"
log_level: debug
smtp: {host: mail.example.org, from: badges@example.org, password: geheim}
providers:
  - {name: sso, issuer: "https://id.example.org", client_id: bb, client_secret: s3cret, admin_roles: [staff]}
remotes:
  - name: wp
    kind: wordpress
    config: {rest_url: "https://example.org/wp-json", anything: [1, 2]}
`)
	c, err := config.Load(path, []string{"BADGEBRIDGE_LISTEN=:9001", "BADGEBRIDGE_ADMIN_EMAILS=a@example.org, b@example.org", "BADGEBRIDGE_PULL_EVERY=5s", "HOME=/x"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":9001" || c.LogLevel != "debug" || len(c.AdminEmails) != 2 || c.PullEvery != 5*time.Second {
		t.Fatalf("%+v", c)
	}
	if c.SMTP.Password.Reveal() != "geheim" || c.Providers[0].ClientSecret.Reveal() != "s3cret" || c.SMTP.Port != 587 {
		t.Fatalf("%+v", c)
	}
	if c.Remotes[0].Config["rest_url"] != "https://example.org/wp-json" {
		t.Fatalf("%+v", c.Remotes)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestAMistakeIsOneLineThatNamesItAndTheCure(t *testing.T) {
	for _, tc := range []struct {
		yaml string
		env  []string
		want []string
	}{
		{yaml: "base_ulr: x", want: []string{"base_ulr", "did you mean base_url?"}},
		{yaml: "smtp: {hots: x}", want: []string{"smtp.hots", "did you mean host?"}},
		{yaml: "providers: [{nmae: x}]", want: []string{"providers[0].nmae", "did you mean name?"}},
		{yaml: "pull_every: soon", want: []string{"pull_every", "invalid duration"}},
		{yaml: "a: [", want: []string{"YAML"}},
		{yaml: "log_level: loud", want: []string{"log_level", "loud", "debug"}},
		{yaml: "base_url: http://badges.example.org", want: []string{"base_url", "https://"}},
		{yaml: "base_url: http://localhost:8080", want: []string{"base_url", "allow_http"}},
		{yaml: "base_url: https://example.org/badges", want: []string{"base_url", "host alone"}},
		{env: []string{"BADGEBRIDGE_LISTNE=x"}, want: []string{"BADGEBRIDGE_LISTNE", "BADGEBRIDGE_LISTEN"}},
	} {
		path := ""
		if tc.yaml != "" {
			path = write(t, tc.yaml)
		}
		c, err := config.Load(path, tc.env)
		if err == nil {
			err = c.Validate()
		}
		if err == nil {
			t.Errorf("%s %v: no error", tc.yaml, tc.env)
			continue
		}
		for _, w := range tc.want {
			if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s %v: %q lacks %q", tc.yaml, tc.env, err, w)
			}
		}
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	if _, err := config.Load("/nowhere/badgebridge.yaml", nil); err == nil || !strings.Contains(err.Error(), "/nowhere/badgebridge.yaml does not exist") {
		t.Fatal(err)
	}
}
