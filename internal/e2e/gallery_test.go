package e2e

import (
	"fmt"
	"os"

	"badgebridge/sandbox/demo"
)

// shown is a page of the demo: at path or, where one of its links is meant,
// behind the first one there whose address begins with through.
type shown struct{ name, path, through string }

// gallery takes the pages of the demo that the story does not pass, when
// BADGEBRIDGE_SCREENSHOTS asks for it.
func (v visit) gallery() {
	if os.Getenv("BADGEBRIDGE_SCREENSHOTS") == "" {
		return
	}
	v.t.Helper()
	profile := "/p/" + demo.Handle
	v.take("demo-public", []shown{
		{"login", "/login", ""}, {"verify", "/verify", ""}, {"catalog", "/catalog", ""}, {"catalog-badge", "/catalog", "/catalog/"},
		{"profile", profile, ""}, {"collection", profile, "/c/"}, {"mailbox", "/demo/mailbox", ""}, {"nothing", "/nothing", ""}, {"badge", profile, "/b/"},
	})
	v.take("demo-public", []shown{{"issuer", v.eval(`location.pathname`), "/issuers/"}})
	v.signIn("Ada Example")
	v.take("demo-member", []shown{
		{"badges", "/", ""}, {"found", "/?q=statistics", ""}, {"none-found", "/?q=nothing", ""}, {"add", "/badges/add", ""},
		{"collections", "/collections", ""}, {"collection", "/collections", "/collections/"}, {"profile", "/profile", ""}, {"account", "/me", ""},
		{"yours", "/me/yours", ""}, {"leave", "/me/delete", ""}, {"backpacks", "/me/backpacks", ""},
	})
	for name, state := range map[string]string{"revoked": "Revoked by issuer", "expired": "Expired", "gone": "Source gone", "ends-soon": "Expires in"} {
		v.open("/")
		path := v.eval(fmt.Sprintf(`[...document.querySelectorAll(".wall li")].find(e => e.innerText.includes(%q)).querySelector("a").getAttribute("href")`, state))
		v.take("demo-member", []shown{{"badge-" + name, path, ""}, {"public-badge-" + name, "/b/" + path[len("/badges/"):], ""}})
	}
	v.signOut()
	v.signIn("Grace Admin Example")
	v.take("demo-admin", []shown{
		{"overview", "/admin", ""}, {"remotes", "/admin/remotes", ""}, {"remote", "/admin/remotes/credly", ""}, {"badges", "/admin/badges", ""},
		{"mappings", "/admin/mappings", ""}, {"mapping", "/admin/mappings", "/admin/mappings/"}, {"new-mapping", "/admin/mappings/new", ""}, {"drift", "/admin/drift", ""},
		{"import", "/admin/import", ""}, {"pushes", "/admin/pushes", ""}, {"runs", "/admin/runs", ""}, {"run", "/admin/runs", "/admin/runs/"},
		{"people", "/admin/people", ""}, {"connect-site", "/admin/connect/wordpress", ""}, {"connect-credly", "/admin/connect/credly", ""},
	})
	v.signOut()
}

func (v visit) take(kind string, pages []shown) {
	v.t.Helper()
	for _, p := range pages {
		v.open(p.path)
		if p.through != "" {
			v.open(v.eval(fmt.Sprintf(`[...document.querySelectorAll('main a[href^=%q]')].map(a => a.getAttribute("href")).find(h => !h.endsWith("/new"))`, p.through)))
		}
		v.shot(kind + "-" + p.name)
	}
}
