// Package builtin lists the adapters that this program is built with. To add
// one: its folder, and one line here.
package builtin

import (
	"badgebridge/adapters"
	"badgebridge/adapters/backpack"
	"badgebridge/adapters/credly"
	"badgebridge/adapters/oldcredly"
	"badgebridge/adapters/wordpress"
)

// Drivers lists the built-in drivers. Their kinds are unique.
func Drivers() []adapters.Driver {
	return []adapters.Driver{
		backpack.Driver(),
		credly.Driver(),
		oldcredly.Driver(),
		wordpress.Driver(),
	}
}
