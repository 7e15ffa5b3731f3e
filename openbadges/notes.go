package openbadges

import "fmt"

// Note is one remark on a conversion: a departure from the specification that
// reading tolerated, or something that could not be carried over.
type Note struct {
	Path    string // the member on the wire, for example "badge.issuer.email"
	Message string
}

// String gives "path: message".
func (n Note) String() string { return n.Path + ": " + n.Message }

// Notes collects the remarks of one conversion: its warnings and its losses.
type Notes []Note

// Add appends a remark on the member at path.
func (n *Notes) Add(path, format string, args ...any) {
	*n = append(*n, Note{Path: path, Message: fmt.Sprintf(format, args...)})
}

// AddUnder appends the remarks of a part, which lies at prefix.
func (n *Notes) AddUnder(prefix string, part Notes) {
	for _, p := range part {
		*n = append(*n, Note{Path: prefix + "." + p.Path, Message: p.Message})
	}
}
