// Package testdouble holds stand-ins for BadgeOS 3.7 and GamiPress 5.7, for tests
// on machines that don't have the real ones: the same tables, functions and hooks,
// with the faults that the companion plugin has to live with.
package testdouble

import (
	"embed"
	"io/fs"
)

//go:embed badgeos gamipress
var doubles embed.FS

// BadgeOS is the plugin folder's content.
func BadgeOS() fs.FS { return sub("badgeos") }

// GamiPress is the plugin folder's content.
func GamiPress() fs.FS { return sub("gamipress") }

func sub(name string) fs.FS {
	files, err := fs.Sub(doubles, name)
	if err != nil {
		panic(err) // the folder is embedded above, so it can't be missing
	}
	return files
}
