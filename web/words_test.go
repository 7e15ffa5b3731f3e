package web

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"

	"badgebridge/web/locale"
)

// literal finds keys in templates: t "key", tn "key".
var (
	literal = regexp.MustCompile(`\b(?:t|tn) "([a-z][a-z0-9._-]*)"`)
	// In Go: T("key"), N("key").
	inGo = regexp.MustCompile(`\.(?:T|N)\("([a-z][a-z0-9._ -]*)"`)
)

// composed are the keys that are put together at run time, by their parts.
func composed() []string {
	var out []string
	add := func(prefix string, parts ...string) {
		for _, p := range parts {
			out = append(out, prefix+p)
		}
	}
	states := []string{"waiting", "queued", "sent", "done", "rejected", "held", "cancelled"}
	add("push.state.", states...)
	add("story.push-", states...)
	add("next.", states...)
	add("next-means.", states...)
	add("story.", "awarded", "offered", "claimed", "declined", "revoked")
	reasons := []string{"claim", "name", "address", "paused", "not-issuable", "replaced", "not-wanted", "person", "retry", "unauthorized", "moved", "settling", "doubt", "refused", "gave-up", "exists", "hidden", "elsewhere", "config"}
	add("reason.", reasons...)
	add("reason-long.", reasons...)
	add("flash.visibility-", "private", "link", "public")
	add("incoming.offer.", "exists", "invalid", "inaccessible")
	add("push.op.", "issue", "update", "revoke", "remove")
	places := []string{"origin", "there", "accept-there", "declined-there", "revoked", "gone", "on-its-way", "waits", "waits-claim", "waits-name", "looked-into"}
	add("copy.", places...)
	add("place.", places...)
	add("run.state.", "running", "done", "failed", "held")
	add("run.kind.", "changes", "list", "plan")
	add("run.title-", "changes", "list", "plan")
	add("run.cause.", "schedule", "webhook", "person", "command")
	add("remote.state.", "ok", "failing", "unauthorized", "paused", "identity", "unchecked")
	add("import.state.", "running", "done", "failed")
	add("import.item.", "waiting", "done", "failed")
	add("missing.", "criteria", "issuer", "image", "draft")
	add("drift.field.", "name", "description", "criteria", "image")
	add("paused.", "badge-gone")
	add("class.state.", "gone")
	add("flash.", "credly-read-only")
	add("error.", "restore-none", "restore-large", "restore-newer", "restore-damaged", "restore-broke", "restore-nothing", "leave-stale", "leave-only-admin", "leave-sure", "address-last", "import-nothing", "import-no-site")
	add("add.refused.", "unreadable", "unreachable", "invalid", "revoked", "not-a-badge", "full", "recipient", "too-large")
	add("add.do.", "unreadable", "unreachable", "invalid", "revoked", "not-a-badge", "full", "recipient", "too-large")
	for _, fate := range []string{"kept", "joined", "updated", "known"} {
		add("batch.", fate, "count-"+fate)
	}
	add("batch.count-", "awaiting", "refused")
	add("flash.added-", "kept", "joined", "updated", "known")
	add("standing.", "genuine", "undecided", "gone", "expired", "revoked", "invalid", "waiting")
	for _, kind := range []string{"offered", "expiring", "revoked"} {
		add("letters.", kind)
		add("stop.", kind)
		add("mail.why.", kind)
	}
	add("shelf.", "holds", "ending", "expired", "revoked", "unclear")
	add("source.", "file", "url", "mail", "push", "restore", "sync")
	add("endorses.", "badge", "award", "issuer")
	add("standing-short.", "gone", "undecided", "invalid")
	for _, prefix := range []string{"collections.means.", "profile.means.", "flash.collection-", "flash.profile-"} {
		add(prefix, "private", "link", "public")
	}
	add("policy.", "never", "on-claim", "at-once")
	add("preview.", "issue", "revoke", "update", "remove", "wait-claim", "wait-name", "wait-address", "wait-not-issuable", "wait-paused", "cancel", "none", "other")
	for _, v := range []string{"genuine", "undecided", "ended", "revoked", "expired", "false", "elses", "gone"} {
		add("verdict."+v, "", "-means")
	}
	add("check.", "input", "format", "context", "type", "schema", "subject", "issuer", "proof", "key", "status", "validity", "scope", "recipient", "image", "evidence", "alignment", "endorsement", "extension", "hosting")
	add("verify.how.", "hosted", "signed", "proof", "none")
	add("check-status.", "pass", "warn", "fail", "skip")
	for _, g := range []string{"hosting", "issuer", "recipient", "holds", "image", "form"} {
		add("group."+g, "", "-pass")
	}
	for _, f := range []string{"base_url", "issuer_name", "issuer_url", "issuer_email", "admin_email", "smtp_host", "smtp_port", "smtp_user", "smtp_password", "smtp_from"} {
		add("setup."+f, "", "-hint")
	}
	add("setup-error.", "required", "not_a_url", "base_url_bare", "base_url_https", "base_url_loopback", "base_url_public", "base_url_fixed", "not_an_address",
		"image_too_large", "image_type", "image_side", "not_a_host", "not_a_port", "smtp_tls", "smtp_user")
	return out
}

// keysInSources finds what Go code hands to fail, say and the problem parts.
func keysInSources(t *testing.T) []string {
	t.Helper()
	var out []string
	flashes := regexp.MustCompile(`s\.say\(c, "[a-z]+", "([a-z-]+)"|said(?:, err)?(?:, to)? = "([a-z-]+)"|, said = .*, "([a-z-]+)"\n`)
	problems := regexp.MustCompile(`fieldError\{Field: "[a-z_]+", Key: "([a-z-]+)"|[pP]roblem = "([a-z-]+)"|return "((?:credly|code|name|too|address)[a-z-]*)"\n|return given, family, "([a-z-]+)"`)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		b, err := os.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inGo.FindAllStringSubmatch(string(b), -1) {
			if !strings.HasSuffix(m[1], ".") && !strings.HasSuffix(m[1], "-") {
				out = append(out, m[1])
			}
		}
		for _, m := range flashes.FindAllStringSubmatch(string(b), -1) {
			for _, key := range m[1:] {
				if key != "" && !strings.HasSuffix(key, "-") {
					out = append(out, "flash."+key)
				}
			}
		}
		for _, m := range problems.FindAllStringSubmatch(string(b), -1) {
			for _, key := range m[1:] {
				if key != "" {
					out = append(out, "error."+key)
				}
			}
		}
		for _, m := range regexp.MustCompile(`outcome\{http\.\w+, "([a-z-]+)"\}`).FindAllStringSubmatch(string(b), -1) {
			out = append(out, "fail."+m[1]+".title", "fail."+m[1]+".text")
		}
	}
	return out
}

func TestEveryWordThatIsUsedIsInTheLocale(t *testing.T) {
	bundle, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, k := range append(composed(), keysInSources(t)...) {
		used[k] = true
	}
	err = fs.WalkDir(files, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
		page := strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".html")
		if page != "layout" && !strings.HasPrefix(page, "parts") {
			used["title."+strings.ReplaceAll(page, "/", ".")] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < 400 {
		t.Fatalf("only %d keys were found: the test no longer looks where they are", len(used))
	}
	for _, lang := range bundle.Languages() {
		w := bundle.For(lang, "")
		var missing []string
		for k := range used {
			if _, ok := w.Try(k); !ok {
				if got := w.N(k, 2); got == k {
					missing = append(missing, k)
				}
			}
		}
		sort.Strings(missing)
		for _, k := range missing {
			t.Errorf("%s lacks %q", lang, k)
		}
	}
}

func TestNoPageHasInlineScriptOrStyle(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<script(?: [^>]*)?>\s*[^<\s]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	_ = fs.WalkDir(files, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, _ := files.ReadFile(name)
		if m := inline.FindString(string(b)); m != "" {
			t.Errorf("%s: %q", name, m)
		}
		return nil
	})
}

func TestNoLocaleHasAnEmptyText(t *testing.T) {
	b, err := os.ReadFile("locale/en.json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range m {
		if s, ok := v.(string); ok && strings.TrimSpace(s) == "" {
			t.Errorf("%q is empty", k)
		}
	}
}
