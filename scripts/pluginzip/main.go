// Command pluginzip writes the companion plugin as an archive that WordPress can
// install; it is the one that the gateway serves.
//
//	pluginzip OUT.zip
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"badgebridge/wordpress"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pluginzip OUT.zip")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "pluginzip:", err)
		os.Exit(1)
	}
	fmt.Println(os.Args[1])
}

func write(out string) error {
	r, err := wordpress.NewRelease()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, r.Archive, 0o644)
}
