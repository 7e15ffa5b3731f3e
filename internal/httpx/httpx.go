// Package httpx makes the HTTP clients for every call that the gateway sends out.
//
// There are two kinds. Guarded is for addresses that came from a member, a
// document or a remote's answer: it reaches public addresses only, checked when
// the connection is dialled (so a name that resolves to a private address, also
// only the second time, gets nowhere), and it never carries credentials.
// ForRemote is for a system that the operator named: it may be on a private
// network, but only under the named hosts; every other host is reached through
// the guard, without credentials.
//
// Both bound redirects, body size and time. Neither uses a proxy from the
// environment: behind a proxy the address check would say nothing.
package httpx

import (
	"errors"
	"net"
	"net/http"
	"time"
)

// The ways in which a call is refused before or while it runs, for errors.Is.
var (
	// ErrBlocked: the address is not public, or the port or scheme is not one
	// that strangers may name.
	ErrBlocked = errors.New("the address is not allowed")
	// ErrTooLarge: the body is longer than the limit. What was read so far is
	// no whole document.
	ErrTooLarge = errors.New("the answer is too large")
	// ErrRedirect: a redirect that is not followed: too many, from https to http,
	// or away from a request that writes.
	ErrRedirect = errors.New("the redirect is not followed")
	// ErrCircuitOpen: the remote failed several times in a row and is left alone
	// for a while. Nothing was sent.
	ErrCircuitOpen = errors.New("the remote failed repeatedly and is left alone for a while")
	// ErrRateWait: our own rate limit, or a pause that the remote asked for, would
	// hold the call too long. Nothing was sent; WaitOf says how long it is.
	ErrRateWait = errors.New("our own rate limit for this remote leaves no time for the call")
)

// Config says how long and how much a call may take. The zero value is usable;
// every zero field takes the default that is named with it.
type Config struct {
	Version string // of this program, for User-Agent "Badgebridge/<version>"; "dev"

	ConnectTimeout time.Duration // TCP, per address family; 5 s
	TLSTimeout     time.Duration // 5 s
	HeaderTimeout  time.Duration // from the request's end to the answer's header; 15 s
	Timeout        time.Duration // the whole call, redirects and body included; 30 s

	MaxBody      int64 // bytes after decompression; 8 MiB
	MaxRedirects int   // 5; negative: none

	// AllowLoopback lists "host:port" pairs that may be reached although they
	// are on this machine's loopback. For the demo and for tests only. A listed
	// name that resolves to anything but loopback is refused.
	AllowLoopback []string
	// Ports that strangers may name; 80 and 443.
	Ports []uint16

	// Resolver resolves names; nil means the system's.
	Resolver *net.Resolver

	// Wrap decorates the transport from outside, for example with tracing.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// RemoteConfig adds what protects one remote from us, and us from it.
type RemoteConfig struct {
	Config
	// Strange says that a member named the hosts, not the operator: they get
	// credentials like any remote, but only at public addresses.
	Strange   bool
	PerSecond float64 // requests a second to the named hosts; 5; negative: no limit
	Burst     int     // 10

	TripAfter int           // failures in a row that open the circuit; 5; negative: never
	OpenFor   time.Duration // how long it stays open before one call is tried; 30 s
}

func (c Config) withDefaults() Config {
	if c.Version == "" {
		c.Version = "dev"
	}
	setDuration(&c.ConnectTimeout, 5*time.Second)
	setDuration(&c.TLSTimeout, 5*time.Second)
	setDuration(&c.HeaderTimeout, 15*time.Second)
	setDuration(&c.Timeout, 30*time.Second)
	if c.MaxBody <= 0 {
		c.MaxBody = 8 << 20
	}
	if c.MaxRedirects == 0 {
		c.MaxRedirects = 5
	}
	if len(c.Ports) == 0 {
		c.Ports = []uint16{80, 443}
	}
	return c
}

func (c RemoteConfig) withDefaults() RemoteConfig {
	c.Config = c.Config.withDefaults()
	if c.PerSecond == 0 {
		c.PerSecond = 5
	}
	if c.Burst <= 0 {
		c.Burst = 10
	}
	if c.TripAfter == 0 {
		c.TripAfter = 5
	}
	setDuration(&c.OpenFor, 30*time.Second)
	return c
}

func setDuration(d *time.Duration, otherwise time.Duration) {
	if *d <= 0 {
		*d = otherwise
	}
}

// Guarded returns a client for addresses that came from strangers. A request
// header that could carry a credential is dropped, on the first request too; a
// URL with a user name or password is refused. Errors: ErrBlocked, ErrTooLarge,
// ErrRedirect, or what net/http says.
func Guarded(c Config) *http.Client {
	c = c.withDefaults()
	rt := &finish{
		next:      &bare{next: newTransport(c, guardedDial(c))},
		userAgent: "Badgebridge/" + c.Version,
		maxBody:   c.MaxBody,
	}
	return newClient(c, rt)
}

// ForRemote returns a client for one remote. hosts are the "host" or "host:port"
// pairs that the operator named (a host without a port means 80 and 443); they
// may be private addresses, though never link-local ones, where clouds keep
// their credentials. Calls to other hosts go through the guard and carry no
// credentials.
//
// To the named hosts it keeps the rate limit: an answer of 429 halves it and, as
// long as its Retry-After says, stops all calls; good answers bring it back step
// by step. It opens a circuit after failures in a row. A failure is an answer of 5xx, a timeout or no answer at
// all; never a 4xx, and never a call that the caller gave up.
//
// A redirect is followed only for GET and HEAD; one that leads to another host,
// port or scheme loses Authorization, cookies and every other header that is not
// plain content negotiation.
func ForRemote(hosts []string, c RemoteConfig) *http.Client {
	c = c.withDefaults()
	named := newHostSet(hosts)
	dial := namedDial(c.Config, named)
	if c.Strange {
		dial = guardedDial(c.Config)
	}
	rt := &finish{
		next: &fork{
			named: named,
			own: &limited{
				pace: newPace(c),
				next: &broken{next: newTransport(c.Config, dial), circuit: newCircuit(c)},
			},
			other: &bare{next: newTransport(c.Config, guardedDial(c.Config))},
		},
		userAgent: "Badgebridge/" + c.Version,
		maxBody:   c.MaxBody,
	}
	return newClient(c.Config, rt)
}

func newClient(c Config, rt http.RoundTripper) *http.Client {
	if c.Wrap != nil {
		rt = c.Wrap(rt)
	}
	return &http.Client{Transport: rt, CheckRedirect: redirectPolicy(c.MaxRedirects), Timeout: c.Timeout}
}
