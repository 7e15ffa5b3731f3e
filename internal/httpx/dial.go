package httpx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// newTransport makes a transport whose every connection comes from dial.
func newTransport(c Config, dial dialFunc) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // the check at dial time would see the proxy only
		DialContext:            dial,
		TLSHandshakeTimeout:    c.TLSTimeout,
		ResponseHeaderTimeout:  c.HeaderTimeout,
		ExpectContinueTimeout:  c.HeaderTimeout,
		IdleConnTimeout:        c.Timeout,
		MaxIdleConns:           32,
		MaxIdleConnsPerHost:    4,
		MaxConnsPerHost:        16,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
}

// guardedDial reaches public addresses, and of the loopback only what c lists.
func guardedDial(c Config) dialFunc {
	guard := ssrf.New(ssrf.WithPorts(c.Ports...))
	public := &net.Dialer{Timeout: c.ConnectTimeout, Resolver: c.Resolver, Control: guard.Safe}
	loopback := &net.Dialer{Timeout: c.ConnectTimeout, Resolver: c.Resolver, Control: onlyLoopback}
	allowed := newHostSet(c.AllowLoopback)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		d := public
		if allowed.hasAddr(addr) {
			d = loopback
		}
		conn, err := d.DialContext(ctx, network, addr)
		return conn, dialError(addr, err)
	}
}

// namedDial reaches the hosts that the operator named, wherever they are. The
// transport above it sends it nothing else; it checks all the same.
func namedDial(c Config, named hostSet) dialFunc {
	d := &net.Dialer{Timeout: c.ConnectTimeout, Resolver: c.Resolver, Control: notLinkLocal}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !named.hasAddr(addr) {
			return nil, fmt.Errorf("%w: %s is not one of the configured hosts", ErrBlocked, addr)
		}
		conn, err := d.DialContext(ctx, network, addr)
		return conn, dialError(addr, err)
	}
}

func onlyLoopback(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !ap.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%w: it resolves to an address that is not loopback", ErrBlocked)
	}
	return nil
}

func notLinkLocal(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	a := ap.Addr().Unmap()
	if a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return fmt.Errorf("%w: it resolves to a link-local or multicast address", ErrBlocked)
	}
	return nil
}

// dialError turns the guard's refusal into ErrBlocked. The address that the name
// resolved to stays out of the text: it would map a private network for whoever
// sent the URL.
func dialError(addr string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ssrf.ErrProhibitedPort):
		return fmt.Errorf("%w: %s: the port is not one of the usual ones for web pages", ErrBlocked, addr)
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrInvalidHostPort):
		return fmt.Errorf("%w: %s does not lead to a public address", ErrBlocked, addr)
	case errors.Is(err, ErrBlocked):
		return fmt.Errorf("%s: %w", addr, err)
	}
	return err
}

// hostSet is a set of "host:port" pairs, lower case.
type hostSet map[string]bool

func newHostSet(hosts []string) hostSet {
	set := make(hostSet, len(hosts))
	for _, h := range hosts {
		h = strings.ToLower(strings.TrimSpace(h))
		if h == "" {
			continue
		}
		if host, port, err := net.SplitHostPort(h); err == nil {
			set[net.JoinHostPort(strings.TrimSuffix(host, "."), port)] = true
			continue
		}
		h = strings.TrimSuffix(strings.Trim(h, "[]"), ".")
		set[net.JoinHostPort(h, "80")] = true
		set[net.JoinHostPort(h, "443")] = true
	}
	return set
}

// hasAddr takes the "host:port" that a transport dials.
func (s hostSet) hasAddr(addr string) bool {
	host, port, err := net.SplitHostPort(strings.ToLower(addr))
	return err == nil && s[net.JoinHostPort(strings.TrimSuffix(host, "."), port)]
}
