package adapters

import (
	"context"
	"net/http"
	"net/url"

	"badgebridge/internal/secret"
)

// Call is a call that came to the gateway and says that it is from a remote.
type Call struct {
	Header http.Header
	Method string
	Path   string // of the whole public address, the base URL's own path included; escaped
	Query  url.Values
	Body   []byte
	// Fresh reports whether the nonce was not used within the time that its
	// signature holds, on any replica, and remembers it. It is asked last.
	Fresh func(nonce string) (bool, error)
}

// Caller is a remote that calls the gateway itself: a site that acts in the name
// of a member who is signed in there.
type Caller interface {
	// Authenticate reports whether this very call is the remote's.
	// ErrUnauthorized when it is not, ErrIdentity when another system has its key.
	Authenticate(c Call) error
	// Entry is the Ref of a record by the two things that a site's call names it
	// with. ErrRejected when they are none.
	Entry(id int64, fingerprint string) (Ref, error)
}

// Rekeyer is a remote whose key can be replaced while it is in use.
type Rekeyer interface {
	// NextKey gives a configuration with a new key beside the present one: both are
	// taken from the remote until Rekey has done.
	NextKey() (config []byte, err error)
	// Rekey tells the remote the new key, and gives the configuration in which it
	// is the only one. It may be repeated.
	Rekey(ctx context.Context) (config []byte, err error)
}

// Cutter is a remote that can be told that the connection has ended.
type Cutter interface {
	// CutPairing makes the key dead at the remote. A key that is dead is no error.
	CutPairing(ctx context.Context) error
}

// SignIn is an OpenID provider that a remote brings along.
type SignIn struct {
	Issuer       string
	ClientID     string
	ClientSecret secret.String
}

// SignInProvider is a remote that proves who its users are.
type SignInProvider interface {
	// SignIn is where and how; ok false when the remote has no provider. Issuer is
	// set even then: it names the remote's users.
	SignIn() (in SignIn, ok bool)
}
