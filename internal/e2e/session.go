package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"badgebridge/internal/testenv/smtpsink"
)

// PublicURL is the gateway's public address in these tests. No name server
// knows it; Reach leads it to the gateway, as a proxy with a certificate would.
const PublicURL = "https://badges.example.test"

// Reach is the way to a gateway for clients that know it by PublicURL alone.
type Reach struct{ Gateway *Gateway }

// RoundTrip implements http.RoundTripper. Every other address is called as it is.
func (r Reach) RoundTrip(req *http.Request) (*http.Response, error) {
	if rest, ok := strings.CutPrefix(req.URL.String(), PublicURL); ok {
		local, err := url.Parse(r.Gateway.URL + rest)
		if err != nil {
			return nil, err
		}
		asked := req
		req = req.Clone(req.Context())
		req.Host, req.URL = asked.URL.Host, local
		res, err := http.DefaultTransport.RoundTrip(req)
		if res != nil {
			res.Request = asked // cookies and relative redirects belong to the public address
		}
		return res, err
	}
	return http.DefaultTransport.RoundTrip(req)
}

// Browser is somebody at a browser: it has cookies, follows redirects and sends
// the forms that are on the page, and nothing that is not on it.
type Browser struct {
	client *http.Client
	page   *Page
	base   string // what addresses without a host belong to
}

// NewBrowser opens a browser without cookies.
func NewBrowser(t testing.TB, g *Gateway) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &Browser{client: &http.Client{Jar: jar, Transport: Reach{g}, Timeout: 30 * time.Second}, base: PublicURL}
}

// At is the same browser, with its cookies, in a window of its own at another
// gateway.
func (b *Browser) At(base string) *Browser { return &Browser{client: b.client, base: base} }

// Page is an answer.
type Page struct {
	URL    *url.URL // after redirects
	Status int
	Header http.Header
	Body   []byte
	root   *html.Node
}

// Form is a form as it stands on its page, with the values it would send as it is.
type Form struct {
	Action    *url.URL
	Method    string
	Multipart bool
	Values    url.Values
	// Fields are the names it has; for radio buttons, checkboxes and selects with
	// the values that can be chosen.
	Fields map[string][]string
}

// Open gets an address, "/admin" or a whole one. Every status is an answer.
func (b *Browser) Open(t testing.TB, address string) *Page {
	t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.base + address
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	return b.send(t, req)
}

// Must opens a page that has to be there.
func (b *Browser) Must(t testing.TB, address string) *Page {
	t.Helper()
	p := b.Open(t, address)
	p.want(t, http.StatusOK)
	return p
}

func (p *Page) want(t testing.TB, status int) {
	t.Helper()
	if p.Status != status {
		t.Fatalf("%s answered %d, want %d:\n%s", p.URL, p.Status, status, p.Text())
	}
}

// Submit fills in a form and sends it as a browser does. A field or a choice that
// the form does not have fails the test; "" leaves a checkbox unticked.
func (b *Browser) Submit(t testing.TB, f *Form, fill map[string]string) *Page {
	t.Helper()
	for name, value := range fill {
		choices, there := f.Fields[name]
		switch {
		case !there:
			t.Fatalf("the form to %s has no field %q, only %v", f.Action, name, f.Fields)
		case len(choices) > 0 && value == "":
			f.Values.Del(name)
		case len(choices) > 0 && !slices.Contains(choices, value):
			t.Fatalf("the form to %s offers %v for %q, not %q", f.Action, choices, name, value)
		default:
			f.Values.Set(name, value)
		}
	}
	address, kind := *f.Action, "application/x-www-form-urlencoded"
	var body bytes.Buffer
	switch {
	case f.Method == http.MethodGet:
		address.RawQuery = f.Values.Encode()
	case f.Multipart:
		w := multipart.NewWriter(&body)
		for name, values := range f.Values {
			for _, v := range values {
				must(t, w.WriteField(name, v))
			}
		}
		must(t, w.Close())
		kind = w.FormDataContentType()
	default:
		body.WriteString(f.Values.Encode())
	}
	req, err := http.NewRequestWithContext(t.Context(), f.Method, address.String(), &body)
	must(t, err)
	if f.Method != http.MethodGet {
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Origin", address.Scheme+"://"+address.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.send(t, req)
}

// Press sends a form of the last page by the end of its action, and the page
// that follows has to be there.
func (b *Browser) Press(t testing.TB, action string, fill map[string]string) *Page {
	t.Helper()
	p := b.Submit(t, b.page.Form(t, action), fill)
	p.want(t, http.StatusOK)
	return p
}

func (b *Browser) send(t testing.TB, req *http.Request) *Page {
	t.Helper()
	req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	res, err := b.client.Do(req)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	must(t, err)
	p := &Page{URL: res.Request.URL, Status: res.StatusCode, Header: res.Header, Body: body}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		p.root, err = html.Parse(bytes.NewReader(body))
		must(t, err)
	}
	b.page = p
	return p
}

// Form finds the form whose action ends so; there has to be one.
func (p *Page) Form(t testing.TB, action string) *Form {
	t.Helper()
	if f := p.find(t, action); f != nil {
		return f
	}
	t.Fatalf("%s (%d) has no form to …%s:\n%s", p.URL, p.Status, action, p.Text())
	return nil
}

func (p *Page) find(t testing.TB, action string) *Form {
	t.Helper()
	for n := range p.nodes("form") {
		if !strings.HasSuffix(attribute(n, "action"), action) {
			continue
		}
		to, err := p.URL.Parse(attribute(n, "action"))
		must(t, err)
		f := &Form{
			Action: to, Method: strings.ToUpper(attribute(n, "method")), Multipart: attribute(n, "enctype") == "multipart/form-data",
			Values: url.Values{}, Fields: map[string][]string{},
		}
		if f.Method == "" {
			f.Method = http.MethodGet
		}
		for c := range n.Descendants() {
			f.add(c)
		}
		return f
	}
	return nil
}

// add takes one control into the form, with the value that it begins with.
func (f *Form) add(n *html.Node) {
	name := attribute(n, "name")
	if n.Type != html.ElementNode || name == "" || has(n, "disabled") {
		return
	}
	value := attribute(n, "value")
	switch n.Data {
	case "input":
		switch attribute(n, "type") {
		case "radio", "checkbox":
			f.Fields[name] = append(f.Fields[name], value)
			if has(n, "checked") {
				f.Values.Add(name, value)
			}
		case "file", "submit", "button":
		default:
			f.Fields[name] = nil
			f.Values.Add(name, value)
		}
	case "textarea":
		f.Fields[name] = nil
		f.Values.Add(name, text(n))
	case "select":
		first := true
		for o := range n.Descendants() {
			if o.Type != html.ElementNode || o.Data != "option" {
				continue
			}
			f.Fields[name] = append(f.Fields[name], attribute(o, "value"))
			if first || has(o, "selected") {
				f.Values.Set(name, attribute(o, "value"))
			}
			first = false
		}
	}
}

// Links are the addresses that the page links to.
func (p *Page) Links() []string {
	var out []string
	for n := range p.nodes("a") {
		out = append(out, attribute(n, "href"))
	}
	return out
}

// Text is what there is to read on the page, in one line.
func (p *Page) Text() string {
	if p.root == nil {
		return string(p.Body)
	}
	return strings.Join(strings.Fields(text(p.root)), " ")
}

// Class is the text of the first element of a class, "" none.
func (p *Page) Class(name string) string {
	for n := range p.nodes("") {
		if slices.Contains(strings.Fields(attribute(n, "class")), name) {
			return strings.TrimSpace(text(n))
		}
	}
	return ""
}

func (p *Page) nodes(element string) func(func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		if p.root == nil {
			return
		}
		for n := range p.root.Descendants() {
			if n.Type == html.ElementNode && (element == "" || n.Data == element) && !yield(n) {
				return
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode && c.Parent.Data != "script" && c.Parent.Data != "style" {
			b.WriteString(c.Data + " ")
		}
	}
	return b.String()
}

var codeInMail = regexp.MustCompile(`\b[2-9A-HJKMNP-TV-Z]{4}[- ]?[2-9A-HJKMNP-TV-Z]{4}\b`)

// SignIn signs in with the code that the gateway mails to the address.
func (b *Browser) SignIn(t testing.TB, mail *smtpsink.Sink, email string) {
	t.Helper()
	before := len(mail.To(email))
	b.Must(t, "/login")
	b.Press(t, "/login/email", map[string]string{"email": email})
	code := ""
	Eventually(t, 30*time.Second, "a code for "+email+" arrives", func() error {
		for _, l := range mail.To(email)[before:] {
			if code = codeInMail.FindString(l.Text); code != "" {
				return nil
			}
		}
		return errors.New("no letter with a code")
	})
	p := b.Press(t, "/login/code", map[string]string{"code": code})
	if p.find(t, "/logout") == nil {
		t.Fatalf("not signed in after the code: %s\n%s", p.URL, p.Text())
	}
}

// SetUp fills in the pages of the first start, from the link that the program
// printed. The link names the machine; the operator opens it by the proxy that
// they have put before it.
func (b *Browser) SetUp(t testing.TB, g *Gateway, mail *smtpsink.Sink, admin string) {
	t.Helper()
	link, err := url.Parse(g.Link())
	must(t, err)
	b.Must(t, link.Path)
	p := b.Submit(t, b.page.Form(t, b.page.URL.Path), map[string]string{
		"base_url": PublicURL, "issuer_name": "Example Association", "issuer_url": "https://example.org", "issuer_email": "badges@example.org",
		"admin_email": admin, "given": "Alex", "family": "Admin",
		"smtp_host": mail.Host, "smtp_port": fmt.Sprint(mail.Port), "smtp_tls": "none", "smtp_from": "badges@example.org",
	})
	p.want(t, http.StatusOK)
	if p.URL.String() != PublicURL+"/admin" {
		t.Fatalf("after the set-up the page is %s:\n%s", p.URL, p.Text())
	}
	for _, c := range b.client.Jar.Cookies(p.URL) {
		if !strings.HasPrefix(c.Name, "__Host-") { // which browsers take with Secure alone
			t.Errorf("the cookie %s is not bound to https and the host", c.Name)
		}
	}
}

// PairingCode makes a code on the admin pages.
func (b *Browser) PairingCode(t testing.TB) string {
	t.Helper()
	b.Must(t, "/admin/connect/wordpress")
	p := b.Press(t, "/admin/connect/wordpress", nil)
	code := p.Class("secret")
	if code == "" {
		t.Fatalf("no code on the page:\n%s", p.Text())
	}
	return code
}

// Map joins two badges by their ids on the admin pages: chooses, sets the
// policy, reads the dry run and confirms. It returns the text of the dry run.
func (b *Browser) Map(t testing.TB, a, there string, policy map[string]string) string {
	t.Helper()
	b.Must(t, "/admin/mappings/new")
	b.Press(t, "/admin/mappings/new", map[string]string{"a": a, "b": there})
	p := b.Press(t, "/admin/mappings/preview", policy)
	dry := p.Text()
	p = b.Press(t, "/admin/mappings", nil)
	if !strings.HasPrefix(p.URL.Path, "/admin/mappings/") {
		t.Fatalf("after the mapping was saved the page is %s:\n%s", p.URL, p.Text())
	}
	return dry
}

// Remote presses a button on a remote's page: sync, list, check, accept…
func (b *Browser) Remote(t testing.TB, name, action string) *Page {
	t.Helper()
	b.Must(t, "/admin/remotes/"+name)
	return b.Press(t, "/"+action, nil)
}

// Claim claims an award on the member's page.
func (b *Browser) Claim(t testing.TB, award string) {
	t.Helper()
	b.Must(t, "/badges/"+award)
	b.Press(t, "/claim", nil)
}

// Show sets who may see an award: "private", "link" or "public".
func (b *Browser) Show(t testing.TB, award, visibility string) {
	t.Helper()
	b.Must(t, "/badges/"+award)
	b.Press(t, "/visibility", map[string]string{"visibility": visibility})
}

// Fetch gets an address as a program that no one is signed in at, and follows
// no redirect.
func Fetch(t testing.TB, g *Gateway, address, accept string) *Page {
	t.Helper()
	client := &http.Client{Transport: Reach{g}, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if strings.HasPrefix(address, "/") {
		address = PublicURL + address
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	req.Header.Set("Accept", accept)
	res, err := client.Do(req)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	must(t, err)
	return &Page{URL: req.URL, Status: res.StatusCode, Header: res.Header, Body: body}
}
