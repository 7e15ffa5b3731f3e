package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"badgebridge/internal/secret"
)

// The ways in which the connection to a mail server is protected.
const (
	// StartTLS begins in clear and refuses to go on without TLS.
	StartTLS = "starttls"
	// TLS is encrypted from the first byte.
	TLS = "tls"
	// NoTLS is for a server on this machine; it is refused for every other.
	NoTLS = "none"
)

const defaultTimeout = 20 * time.Second

// SMTP says how mail is sent. It is a Sender.
type SMTP struct {
	Host     string
	Port     int // 0: 587 for starttls, 465 for tls, 25 for none
	User     string
	Password secret.String
	From     string // "Campus Association <badges@example.org>"
	TLS      string // "" means starttls
	// Timeout bounds the whole sending; 20 s.
	Timeout time.Duration
	// RootCAs are whose certificates are accepted; nil means the system's.
	RootCAs *x509.CertPool
}

// The ways in which settings are wrong, by field.
var (
	ErrHost = errors.New("the mail server's name is missing or not a name")
	ErrPort = errors.New("the port is not between 1 and 65535")
	ErrTLS  = errors.New("without TLS only a mail server on this machine can be used")
	ErrFrom = errors.New("the sender is not an address")
	ErrUser = errors.New("a user and a password belong together")
)

// Check says what is wrong with the settings, nil nothing.
func (s SMTP) Check() error {
	if s.Host == "" || strings.ContainsAny(s.Host, " \r\n\t/@") || len(s.Host) > 253 {
		return ErrHost
	}
	if s.Port < 0 || s.Port > 65535 {
		return ErrPort
	}
	switch s.TLS {
	case "", StartTLS, TLS:
	case NoTLS:
		if !loopback(s.Host) {
			return ErrTLS
		}
	default:
		return ErrTLS
	}
	if _, err := netmail.ParseAddress(s.From); err != nil {
		return ErrFrom
	}
	if s.User == "" != s.Password.IsZero() {
		return ErrUser
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// ParseURL reads "smtp://user:password@host:port" (STARTTLS; without TLS on
// loopback), or "smtps://…" (TLS from the first byte).
func ParseURL(raw, from string) (SMTP, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return SMTP{}, ErrHost // not the parser's error: it repeats the password
	}
	s := SMTP{Host: u.Hostname(), From: from}
	switch u.Scheme {
	case "smtp":
		s.TLS = StartTLS
		if loopback(s.Host) {
			s.TLS = NoTLS
		}
	case "smtps":
		s.TLS = TLS
	default:
		return SMTP{}, ErrHost
	}
	if u.Port() != "" {
		if s.Port, err = strconv.Atoi(u.Port()); err != nil {
			return SMTP{}, ErrPort
		}
	}
	if u.User != nil {
		s.User = u.User.Username()
		password, _ := u.User.Password()
		s.Password = secret.New(password)
	}
	return s, s.Check()
}

// Send sends one letter over a connection of its own.
func (s SMTP) Send(ctx context.Context, m Message) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrTemporary, err) // the settings can be put right
	}
	if err := m.check(); err != nil {
		return err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.From(s.From); err != nil {
		return fmt.Errorf("%w: %w", ErrTemporary, ErrFrom)
	}
	if err := msg.To(m.To); err != nil {
		return fmt.Errorf("%w: not an address", ErrPermanent)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageID()
	for k, v := range m.Headers {
		msg.SetGenHeader(gomail.Header(k), v)
	}
	switch {
	case m.Text == "":
		msg.SetBodyString(gomail.TypeTextHTML, m.HTML)
	default:
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
		if m.HTML != "" {
			msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
		}
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	line := &line{tls: s.TLS == TLS, conf: s.tlsConfig()}
	defer line.close()
	defer context.AfterFunc(ctx, line.close)()
	client, err := s.client(timeout, line)
	if err != nil {
		return s.told(err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err != nil && !msg.IsDelivered() {
		return s.told(err)
	}
	// Taken, and then a goodbye that went wrong: sending again would be one
	// letter too many.
	return nil
}

// line is the one connection of a sending. The library leaves a connection open
// when the greeting or the sign-in fails; here it is closed in any case, and as
// soon as the context ends.
type line struct {
	tls  bool
	conf *tls.Config

	mu   sync.Mutex
	conn net.Conn
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.conn = conn
	l.mu.Unlock()
	if l.tls {
		secured := tls.Client(conn, l.conf)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return secured, nil
	}
	return conn, nil
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

func (s SMTP) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, RootCAs: s.RootCAs}
}

func (s SMTP) client(timeout time.Duration, l *line) (*gomail.Client, error) {
	port := s.Port
	opts := []gomail.Option{
		gomail.WithTimeout(timeout), gomail.WithTLSConfig(s.tlsConfig()), gomail.WithDialContextFunc(l.dial),
	}
	switch s.TLS {
	case TLS:
		opts = append(opts, gomail.WithSSL())
		port = orElse(port, 465)
	case NoTLS:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
		port = orElse(port, 25)
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
		port = orElse(port, 587)
	}
	opts = append(opts, gomail.WithPort(port))
	if s.User != "" {
		mechanisms := []gomail.SMTPAuthType{gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthCramMD5}
		if s.TLS == NoTLS { // on loopback only, see Check
			mechanisms = []gomail.SMTPAuthType{gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc}
		}
		opts = append(opts, gomail.WithOpportunisticSMTPAuth(mechanisms...), gomail.WithUsername(s.User), gomail.WithPassword(s.Password.Reveal()))
	}
	return gomail.NewClient(s.Host, opts...)
}

func orElse(port, otherwise int) int {
	if port == 0 {
		return otherwise
	}
	return port
}

// told makes an error that can be shown and logged: which kind, and the
// server's own words without our account and without addresses.
func (s SMTP) told(err error) error {
	kind := ErrTemporary
	var se *gomail.SendError
	if errors.As(err, &se) && !se.IsTemp() && (se.Reason == gomail.ErrSMTPRcptTo || se.Reason == gomail.ErrSMTPData || se.Reason == gomail.ErrSMTPDataClose) && se.ErrorCode() >= 500 {
		kind = ErrPermanent
	}
	if se != nil && se.ErrorCode() != 0 {
		return fmt.Errorf("%w: %s answered %d (%s)", kind, s.Host, se.ErrorCode(), phase(se.Reason))
	}
	return fmt.Errorf("%w: %s", kind, s.scrub(err.Error()))
}

func phase(r gomail.SendErrReason) string {
	switch r {
	case gomail.ErrSMTPMailFrom:
		return "to the sender"
	case gomail.ErrSMTPRcptTo:
		return "to the recipient"
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return "to the letter"
	}
	return "to the connection"
}

// scrub takes out what a server may have repeated.
func (s SMTP) scrub(text string) string {
	p := s.Password.Reveal()
	for _, word := range []string{
		p, base64.StdEncoding.EncodeToString([]byte(p)), base64.StdEncoding.EncodeToString([]byte("\x00" + s.User + "\x00" + p)), s.User,
	} {
		if len(word) > 2 {
			text = strings.ReplaceAll(text, word, "[redacted]")
		}
	}
	words := strings.Fields(text)
	for i, w := range words {
		if strings.Contains(w, "@") {
			words[i] = "[address]"
		}
	}
	if text = strings.Join(words, " "); len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "")
	}
	return text
}
