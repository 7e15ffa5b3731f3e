// Package testdouble holds a stand-in for BadgeOS 3.7, for tests on machines that
// don't have the real one: the same tables, functions and hooks, with the faults
// that the companion plugin has to live with.
package testdouble

import (
	"embed"
	"io/fs"
)

//go:embed badgeos
var badgeos embed.FS

// BadgeOS is the plugin folder's content.
func BadgeOS() fs.FS {
	sub, err := fs.Sub(badgeos, "badgeos")
	if err != nil {
		panic(err) // the folder is embedded above, so it can't be missing
	}
	return sub
}
