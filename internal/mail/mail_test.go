package mail_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/mail"
	"badgebridge/internal/secret"
)

const password = "hunter2-very-secret"

func message() mail.Message {
	return mail.Message{
		To: "ada@example.org", Subject: "Dein Code für Badges", Text: "Your code: K3MT-9XVA\n.\nend", HTML: "<p>K3MT-9XVA é</p>",
		Headers: map[string]string{"Auto-Submitted": "auto-generated"},
	}
}

func TestALetterArrivesByEachKindOfConnection(t *testing.T) {
	cert, pool := certificate(t)
	conf := &tls.Config{Certificates: []tls.Certificate{cert}}
	for name, c := range map[string]struct {
		srv *server
		tls string
	}{
		"starttls": {&server{startTLS: true, auth: true, password: password, tls: conf}, mail.StartTLS},
		"tls":      {&server{implicit: true, auth: true, password: password, tls: conf}, mail.TLS},
		"none":     {&server{auth: true, password: password}, mail.NoTLS},
	} {
		t.Run(name, func(t *testing.T) {
			s := mail.SMTP{
				Host: "localhost", Port: c.srv.start(t), User: "user", Password: secret.New(password), From: "Campus <badges@example.org>",
				TLS: c.tls, RootCAs: pool,
			}
			if err := s.Send(t.Context(), message()); err != nil {
				t.Fatal(err)
			}
			got := c.srv.got()
			if len(got) != 1 || got[0].encrypted != (c.tls != mail.NoTLS) || !strings.Contains(got[0].to, "<ada@example.org>") || !strings.Contains(got[0].from, "<badges@example.org>") {
				t.Fatalf("%+v", got)
			}
			read(t, got[0].data)
		})
	}
}

// read checks the letter as a mail program reads it.
func read(t *testing.T, data string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Dein Code für Badges" {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	for _, h := range []string{"Message-Id", "Date", "Auto-Submitted"} {
		if m.Header.Get(h) == "" {
			t.Errorf("no %s", h)
		}
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("it is a %q, %v", kind, err)
	}
	parts := map[string]string{}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		switch p.Header.Get("Content-Transfer-Encoding") {
		case "quoted-printable":
			body = quotedprintable.NewReader(p)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		parts[kind] = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	if parts["text/plain"] != "Your code: K3MT-9XVA\n.\nend" || parts["text/html"] != "<p>K3MT-9XVA é</p>" {
		t.Errorf("%q", parts)
	}
}

func TestNothingGoesInClearToAServerThatOffersNoTLS(t *testing.T) {
	srv := &server{auth: true, password: password}
	s := mail.SMTP{Host: "localhost", Port: srv.start(t), User: "user", Password: secret.New(password), From: "a@example.org"}
	if err := s.Send(t.Context(), message()); !errors.Is(err, mail.ErrTemporary) {
		t.Errorf("%v", err)
	}
	for _, verb := range srv.inClear {
		if verb == "AUTH" || verb == "MAIL" {
			t.Errorf("%s was said in clear", verb)
		}
	}
}

func TestAServerWithAnotherCertificateGetsNothing(t *testing.T) {
	cert, _ := certificate(t)
	_, other := certificate(t)
	srv := &server{startTLS: true, auth: true, password: password, tls: &tls.Config{Certificates: []tls.Certificate{cert}}}
	s := mail.SMTP{Host: "localhost", Port: srv.start(t), User: "user", Password: secret.New(password), From: "a@example.org", RootCAs: other}
	if err := s.Send(t.Context(), message()); !errors.Is(err, mail.ErrTemporary) || len(srv.got()) != 0 {
		t.Errorf("%v", err)
	}
}

func TestErrorsSayWhatHelpsAndNothingSecret(t *testing.T) {
	for name, c := range map[string]struct {
		srv  *server
		want error
	}{
		"the account is refused":        {&server{auth: true, password: "another"}, mail.ErrTemporary},
		"the recipient is unknown":      {&server{auth: true, password: password, refuse: map[string]string{"RCPT": "550 5.1.1 <ada@example.org> unknown"}}, mail.ErrPermanent},
		"the recipient's box is full":   {&server{auth: true, password: password, refuse: map[string]string{"RCPT": "452 4.2.2 <ada@example.org> full"}}, mail.ErrTemporary},
		"the sender is not allowed":     {&server{auth: true, password: password, refuse: map[string]string{"MAIL": "550 5.7.1 user may not send"}}, mail.ErrTemporary},
		"the letter is refused":         {&server{auth: true, password: password, refuse: map[string]string{"DATA": "554 5.7.1 spam"}}, mail.ErrPermanent},
		"the server is being restarted": {&server{refuse: map[string]string{"EHLO": "421 later", "HELO": "421 later"}}, mail.ErrTemporary},
	} {
		t.Run(name, func(t *testing.T) {
			s := mail.SMTP{Host: "localhost", Port: c.srv.start(t), User: "user", Password: secret.New(password), From: "a@example.org", TLS: mail.NoTLS}
			err := s.Send(t.Context(), message())
			if !errors.Is(err, c.want) || errors.Is(err, mail.ErrPermanent) && errors.Is(err, mail.ErrTemporary) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			said := fmt.Sprintf("%v %+v %#v", err, err, err)
			for _, bad := range []string{password, base64.StdEncoding.EncodeToString([]byte("\x00user\x00" + password)), "ada@example.org"} {
				if strings.Contains(said, bad) {
					t.Errorf("the error shows %q: %s", bad, said)
				}
			}
		})
	}
}

func TestASilentServerDoesNotHoldTheSender(t *testing.T) {
	srv := &server{silent: true}
	s := mail.SMTP{Host: "localhost", Port: srv.start(t), From: "a@example.org", TLS: mail.NoTLS, Timeout: 100 * time.Millisecond}
	if err := s.Send(t.Context(), message()); !errors.Is(err, mail.ErrTemporary) {
		t.Errorf("%v", err)
	}
}

func TestALetterCannotSmuggleHeaders(t *testing.T) {
	box := mail.NewMailbox(time.Now)
	for name, f := range map[string]func(m *mail.Message){
		"two recipients":        func(m *mail.Message) { m.To = "a@example.org, b@example.org" },
		"a line in the address": func(m *mail.Message) { m.To = "a@example.org\r\nBcc: b@example.org" },
		"a line in the subject": func(m *mail.Message) { m.Subject = "x\nBcc: b@example.org" },
		"a line in a header":    func(m *mail.Message) { m.Headers = map[string]string{"X-A": "x\r\nBcc: b@example.org"} },
		"a header's name":       func(m *mail.Message) { m.Headers = map[string]string{"X-A: x\r\nBcc": "b@example.org"} },
		"a header of ours":      func(m *mail.Message) { m.Headers = map[string]string{"BCC": "b@example.org"} },
		"nothing":               func(m *mail.Message) { m.Text, m.HTML = "", "" },
		"too much":              func(m *mail.Message) { m.Text = strings.Repeat("x", 2<<20) },
	} {
		m := message()
		f(&m)
		srv := &server{}
		s := mail.SMTP{Host: "localhost", Port: srv.start(t), From: "a@example.org", TLS: mail.NoTLS}
		for _, sender := range []mail.Sender{s, box} {
			if err := sender.Send(t.Context(), m); !errors.Is(err, mail.ErrPermanent) {
				t.Errorf("%s, %T: %v", name, sender, err)
			}
		}
		if len(srv.got())+len(box.Letters()) != 0 {
			t.Errorf("%s: sent", name)
		}
	}
}

func TestTheMailboxKeepsTheLastLetters(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	box := mail.NewMailbox(func() time.Time { return at })
	for i := range mail.MailboxSize + 5 {
		m := message()
		m.Subject = fmt.Sprint(i)
		if err := box.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	list := box.Letters()
	if len(list) != mail.MailboxSize || list[0].Subject != "204" || list[len(list)-1].Subject != "5" || !list[0].At.Equal(at) {
		t.Errorf("%d letters, the newest is %q", len(list), list[0].Subject)
	}
	if l, ok := box.Letter(list[3].ID); !ok || l.Subject != list[3].Subject {
		t.Error("a letter can't be found")
	}
	if _, ok := box.Letter("1"); ok {
		t.Error("the oldest is still there")
	}
}

func TestTheSettingsOfTheMomentCount(t *testing.T) {
	box := mail.NewMailbox(time.Now)
	srv := &server{}
	settings := mail.SMTP{Host: "localhost", Port: srv.start(t), From: "a@example.org", TLS: mail.NoTLS}
	var set bool
	var broken error
	sw := mail.Switch{Settings: func(context.Context) (mail.SMTP, bool, error) { return settings, set, broken }}
	if err := sw.Send(t.Context(), message()); !errors.Is(err, mail.ErrNotSet) {
		t.Errorf("%v", err)
	}
	sw.Otherwise = box
	if err := sw.Send(t.Context(), message()); err != nil || len(box.Letters()) != 1 {
		t.Errorf("%v", err)
	}
	set = true
	if err := sw.Send(t.Context(), message()); err != nil || len(srv.got()) != 1 || len(box.Letters()) != 1 {
		t.Errorf("%v", err)
	}
	broken = errors.New("down")
	if err := sw.Send(t.Context(), message()); !errors.Is(err, mail.ErrTemporary) {
		t.Errorf("%v", err)
	}
}

func TestSettingsAsAURL(t *testing.T) {
	for raw, want := range map[string]mail.SMTP{
		"smtp://u:p%40w@mail.example.org:2525": {Host: "mail.example.org", Port: 2525, User: "u", TLS: mail.StartTLS},
		"smtps://mail.example.org":             {Host: "mail.example.org", TLS: mail.TLS},
		"smtp://127.0.0.1:1025":                {Host: "127.0.0.1", Port: 1025, TLS: mail.NoTLS},
	} {
		got, err := mail.ParseURL(raw, "a@example.org")
		if err != nil || got.Host != want.Host || got.Port != want.Port || got.User != want.User || got.TLS != want.TLS {
			t.Errorf("%s is %+v, %v", raw, got, err)
		}
		if got.User != "" && got.Password.Reveal() != "p@w" {
			t.Errorf("%s: the password is another", raw)
		}
	}
	for _, raw := range []string{"", "mail.example.org", "http://mail.example.org", "smtp://u:" + password + "@:x", "smtp://u@mail.example.org"} {
		if _, err := mail.ParseURL(raw, "a@example.org"); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestALetterThatWasTakenIsSentWhateverTheGoodbye(t *testing.T) {
	srv := &server{refuse: map[string]string{"QUIT": "500 what?"}}
	s := mail.SMTP{Host: "localhost", Port: srv.start(t), From: "a@example.org", TLS: mail.NoTLS}
	if err := s.Send(t.Context(), message()); err != nil || len(srv.got()) != 1 {
		t.Errorf("%v", err)
	}
}
