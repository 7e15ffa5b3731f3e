// Package wordpress holds what belongs to the association's site: the companion
// plugin (PHP), and the contract between the plugin and the gateway.
package wordpress

import (
	"embed"
	"io/fs"
)

//go:embed site-api.yaml
var siteAPI string

//go:embed plugin/badgebridge
var plugin embed.FS

// SiteAPI is the contract between the plugin and the gateway: an OpenAPI 3.0
// document in YAML.
func SiteAPI() []byte { return []byte(siteAPI) }

// Plugin is the companion plugin as it goes into a site's wp-content/plugins: the
// folder badgebridge.
func Plugin() fs.FS {
	sub, err := fs.Sub(plugin, "plugin")
	if err != nil {
		panic(err) // the folder is embedded above, so it can't be missing
	}
	return sub
}
