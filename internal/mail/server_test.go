package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a mail server of our own: just enough of SMTP to take a letter, and
// to misbehave where it is told to.
type server struct {
	l        net.Listener
	tls      *tls.Config
	implicit bool // TLS from the first byte
	startTLS bool
	auth     bool
	password string
	refuse   map[string]string // verb: the whole answer
	silent   bool              // takes the connection and says nothing

	mu      sync.Mutex
	letters []letter
	inClear []string // commands that came without TLS
}

type letter struct {
	from, to, data string
	encrypted      bool
}

func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func (s *server) start(t testing.TB) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.l = l
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).Port
}

func (s *server) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	encrypted := false
	if s.implicit {
		c, encrypted = tls.Server(c, s.tls), true
	}
	r := bufio.NewReader(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	if s.silent {
		_, _ = r.ReadString('\n') // until the other side gives up
		return
	}
	say("220 localhost ready")
	var at letter
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if !encrypted {
			s.mu.Lock()
			s.inClear = append(s.inClear, verb)
			s.mu.Unlock()
		}
		if answer, ok := s.refuse[verb]; ok {
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			say("250-localhost")
			if s.startTLS && !encrypted {
				say("250-STARTTLS")
			}
			if s.auth {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go ahead")
			c, encrypted = tls.Server(c, s.tls), true
			r = bufio.NewReader(c)
		case "AUTH":
			_, token, _ := strings.Cut(rest, " ")
			plain, _ := base64.StdEncoding.DecodeString(token)
			if string(plain) != "\x00user\x00"+s.password {
				say("535 5.7.8 no: " + token) // repeats what it got, as no server should
				continue
			}
			say("235 yes")
		case "MAIL":
			at = letter{from: rest, encrypted: encrypted}
			say("250 ok")
		case "RCPT":
			at.to = rest
			say("250 ok")
		case "DATA":
			say("354 go ahead")
			var b strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(l, "."))
			}
			at.data = b.String()
			s.mu.Lock()
			s.letters = append(s.letters, at)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *server) got() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.letters...)
}
