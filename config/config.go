// Package config reads the gateway's configuration: defaults, then a YAML file,
// then BADGEBRIDGE_… variables. Nothing but cmd imports it.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	env "github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"

	"badgebridge/internal/secret"
)

// Config is the whole configuration. The field tags are the names in the YAML
// file; docs/configuration.md explains each.
type Config struct {
	// Listen is the address that the gateway answers on.
	Listen string `koanf:"listen"`
	// BaseURL is the public address, without a path. "" : the one of the set-up.
	BaseURL string `koanf:"base_url"`
	// AllowHTTP allows a base URL with http on a loopback host.
	AllowHTTP bool `koanf:"allow_http"`
	// LoopbackHosts are "host:port" pairs on this machine that badges may be read from
	// and sent to: for trials with more than one gateway on one machine.
	LoopbackHosts []string `koanf:"loopback_hosts"`
	// DataDir holds the SQLite database and the master key.
	DataDir string `koanf:"data_dir"`
	// DatabaseURL is "" (SQLite in DataDir), sqlite:PATH, or postgres://….
	DatabaseURL string `koanf:"database_url"`
	// RedisURL is "" (embedded) or redis://….
	RedisURL string `koanf:"redis_url"`
	// MasterKeyFile holds the key that secrets are sealed with. "" : master.key in DataDir.
	MasterKeyFile string `koanf:"master_key_file"`
	// TrustedProxies are addresses or networks whose X-Forwarded-For counts.
	TrustedProxies []string `koanf:"trusted_proxies"`
	// MetricsToken opens /metrics to others than loopback.
	MetricsToken secret.String `koanf:"metrics_token"`
	// AdminEmails are admins once they have proven the address.
	AdminEmails []string `koanf:"admin_emails"`
	// SignUp says who may make an account by an e-mail code: "anyone", or "awarded",
	// those whom a badge was awarded to, and the admins.
	SignUp string `koanf:"sign_up"`
	// LogLevel is debug, info, warn or error; LogFormat text or json.
	LogLevel  string `koanf:"log_level"`
	LogFormat string `koanf:"log_format"`

	PullEvery   time.Duration `koanf:"pull_every"`
	ListEvery   time.Duration `koanf:"list_every"`
	CallTimeout time.Duration `koanf:"call_timeout"`
	// CallsPerSecond bounds the calls to one remote.
	CallsPerSecond float64 `koanf:"calls_per_second"`
	// CredlyBaseURL is one more Credly that the admin page offers to connect: the
	// simulator of "badgebridge sandbox credly", for a trial. "" none.
	CredlyBaseURL string `koanf:"credly_base_url"`

	SMTP      SMTP       `koanf:"smtp"`
	Providers []Provider `koanf:"providers"`
	Remotes   []Remote   `koanf:"remotes"`

	// Demo is set by the command line: simulators, demo people, loopback only.
	Demo bool `koanf:"-"`
}

// SMTP is the mail account. With Host "" the one of the set-up is used.
type SMTP struct {
	Host     string        `koanf:"host"`
	Port     int           `koanf:"port"`
	User     string        `koanf:"user"`
	Password secret.String `koanf:"password"`
	From     string        `koanf:"from"`
	// TLS is "starttls", "tls", or "none" (loopback only).
	TLS string `koanf:"tls"`
}

// Provider is an OpenID provider that people sign in with.
type Provider struct {
	Name         string        `koanf:"name"`
	Title        string        `koanf:"title"`
	Issuer       string        `koanf:"issuer"`
	ClientID     string        `koanf:"client_id"`
	ClientSecret secret.String `koanf:"client_secret"`
	Scopes       []string      `koanf:"scopes"`
	// RolesClaim names the claim that carries roles; AdminRoles are those of its
	// values that make an admin.
	RolesClaim string   `koanf:"roles_claim"`
	AdminRoles []string `koanf:"admin_roles"`
	// EmailAuthoritative: a verified address from this provider needs no code.
	EmailAuthoritative bool `koanf:"email_authoritative"`
}

// Remote declares a connection; it wins over what the admin pages say of it.
type Remote struct {
	Name          string         `koanf:"name"`
	Kind          string         `koanf:"kind"`
	Title         string         `koanf:"title"`
	WebhookSecret secret.String  `koanf:"webhook_secret"`
	Config        map[string]any `koanf:"config"`
}

// Defaults is the configuration without file and variables.
func Defaults() Config {
	return Config{
		Listen: "localhost:8080", DataDir: "./data", LogLevel: "info", LogFormat: "text", SignUp: "anyone",
		PullEvery: time.Minute, ListEvery: 24 * time.Hour, CallTimeout: 30 * time.Second, CallsPerSecond: 5,
		SMTP: SMTP{Port: 587, TLS: "starttls"},
	}
}

const prefix = "BADGEBRIDGE_"

// Load reads the configuration. path "" means no file. environ is os.Environ().
// Every error is one line that names the setting, what is wrong and the cure.
func Load(path string, environ []string) (Config, error) {
	k := koanf.New(".")
	cfg := Defaults()
	if err := k.Load(structs.Provider(cfg, "koanf"), nil); err != nil {
		return cfg, fmt.Errorf("defaults: %w", err)
	}
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return cfg, fmt.Errorf("configuration file %s does not exist; create it or leave --config out", path)
			}
			return cfg, fmt.Errorf("configuration file %s: %s; mend the YAML at that place", path, firstLine(err))
		}
	}
	known := variables()
	var strange []string
	if err := k.Load(env.Provider(".", env.Opt{
		Prefix:      prefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key, ok := known[name]
			if !ok {
				strange = append(strange, name)
				return "", nil
			}
			if key.list {
				return key.name, splitList(value)
			}
			return key.name, value
		},
	}), nil); err != nil {
		return cfg, fmt.Errorf("environment: %w", err)
	}
	if len(strange) > 0 {
		slices.Sort(strange)
		return cfg, fmt.Errorf("environment variable %s is not a setting of this program; %s", strange[0], nearest(strange[0], keysOf(known)))
	}
	if err := refuseUnknown(k, path); err != nil {
		return cfg, err
	}
	cfg = Config{}
	err := k.UnmarshalWithConf("", &cfg, koanf.UnmarshalConf{Tag: "koanf", DecoderConfig: &mapstructure.DecoderConfig{
		Result: &cfg, TagName: "koanf", WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(mapstructure.StringToTimeDurationHookFunc(), mapstructure.TextUnmarshallerHookFunc()),
	}})
	if err != nil {
		return cfg, fmt.Errorf("configuration: %s", oneLine(err))
	}
	if cfg.MasterKeyFile == "" {
		cfg.MasterKeyFile = filepath.Join(cfg.DataDir, "master.key")
	}
	return cfg, nil
}

// Validate reports the first setting that can't work.
func (c Config) Validate() error {
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		return fmt.Errorf("listen: %q is not host:port; write for example localhost:8080 or :8080", c.Listen)
	}
	if c.BaseURL != "" {
		if err := CheckBaseURL(c.BaseURL, c.AllowHTTP || c.Demo); err != nil {
			return fmt.Errorf("base_url: %w", err)
		}
	}
	switch c.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		return fmt.Errorf("log_level: %q is not debug, info, warn or error", c.LogLevel)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("log_format: %q is not text or json", c.LogFormat)
	}
	if c.SignUp != "anyone" && c.SignUp != "awarded" {
		return fmt.Errorf("sign_up: %q is not anyone or awarded", c.SignUp)
	}
	for name, d := range map[string]time.Duration{"pull_every": c.PullEvery, "list_every": c.ListEvery, "call_timeout": c.CallTimeout} {
		if d < 10*time.Millisecond {
			return fmt.Errorf("%s: %s is too short; write for example 1m", name, d)
		}
	}
	if c.CallsPerSecond <= 0 {
		return fmt.Errorf("calls_per_second: %v must be above 0; write for example 5", c.CallsPerSecond)
	}
	for _, p := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(p); err != nil {
			return fmt.Errorf("trusted_proxies: %q is neither an address nor a network such as 10.0.0.0/8", p)
		}
	}
	if c.SMTP.Host != "" {
		switch c.SMTP.TLS {
		case "starttls", "tls", "none":
		default:
			return fmt.Errorf("smtp.tls: %q is not starttls, tls or none", c.SMTP.TLS)
		}
		if !strings.Contains(c.SMTP.From, "@") {
			return fmt.Errorf("smtp.from: %q is not an address; write for example badges@example.org", c.SMTP.From)
		}
	}
	seen := map[string]bool{}
	for i, p := range c.Providers {
		at := fmt.Sprintf("providers[%d]", i)
		switch {
		case !validName.MatchString(p.Name):
			return fmt.Errorf("%s.name: %q must be 1 to 40 of a-z, 0-9 and -", at, p.Name)
		case seen["p/"+p.Name]:
			return fmt.Errorf("%s.name: %q is used twice", at, p.Name)
		case p.Issuer == "":
			return fmt.Errorf("%s.issuer: is missing; it is the address under which /.well-known/openid-configuration answers", at)
		case p.ClientID == "":
			return fmt.Errorf("%s.client_id: is missing; the provider gave it when you registered the gateway", at)
		}
		seen["p/"+p.Name] = true
	}
	for i, r := range c.Remotes {
		at := fmt.Sprintf("remotes[%d]", i)
		switch {
		case !validName.MatchString(r.Name):
			return fmt.Errorf("%s.name: %q must be 1 to 40 of a-z, 0-9 and -", at, r.Name)
		case seen["r/"+r.Name]:
			return fmt.Errorf("%s.name: %q is used twice", at, r.Name)
		case r.Kind == "":
			return fmt.Errorf("%s.kind: is missing; write wordpress or credly", at)
		}
		seen["r/"+r.Name] = true
	}
	return nil
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// CheckBaseURL says whether an address can be the public base URL: https, or
// http on a loopback host where allowed; no path, query, user or fragment.
func CheckBaseURL(raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("%q is not an address; write for example https://badges.example.org", raw)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
		return fmt.Errorf("%q must be scheme and host alone, for example https://badges.example.org", raw)
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("%q must begin with https://", raw)
	}
	host := u.Hostname()
	addr, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !addr.IsLoopback()) {
		return fmt.Errorf("%q must begin with https://; http is only for a loopback host", raw)
	}
	if !allowHTTP {
		return fmt.Errorf("%q uses http; set allow_http: true if this is a trial on your own machine, because badge addresses are for ever", raw)
	}
	return nil
}

// refuseUnknown finds settings in the file that no field takes.
func refuseUnknown(k *koanf.Koanf, path string) error {
	if path == "" {
		return nil
	}
	f := koanf.New(".")
	if err := f.Load(file.Provider(path), yaml.Parser()); err != nil {
		return fmt.Errorf("configuration file %s: %w", path, err)
	}
	var walk func(at string, value any, t reflect.Type) error
	walk = func(at string, value any, t reflect.Type) error {
		switch v := value.(type) {
		case map[string]any:
			if t.Kind() != reflect.Struct || t == reflect.TypeFor[secret.String]() {
				return nil // a remote's own configuration; its driver checks it
			}
			fields := fieldsOf(t)
			names := make([]string, 0, len(v))
			for name := range v {
				names = append(names, name)
			}
			sort.Strings(names)
			for _, name := range names {
				ft, ok := fields[name]
				if !ok {
					return fmt.Errorf("configuration file %s: %s is not a setting; %s", path, at+name, nearest(name, keysOf(fields)))
				}
				if err := walk(at+name+".", v[name], ft); err != nil {
					return err
				}
			}
		case []any:
			if t.Kind() == reflect.Slice {
				for i, one := range v {
					if err := walk(fmt.Sprintf("%s[%d].", strings.TrimSuffix(at, "."), i), one, t.Elem()); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
	return walk("", f.Raw(), reflect.TypeFor[Config]())
}

func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("koanf"); tag != "" && tag != "-" {
			out[tag] = t.Field(i).Type
		}
	}
	return out
}

type variable struct {
	name string
	list bool
}

// variables lists the environment variables: the plain settings, upper-case.
func variables() map[string]variable {
	out := map[string]variable{}
	add := func(at string, t reflect.Type) {
		for name, ft := range fieldsOf(t) {
			list := ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.String
			if ft.Kind() == reflect.Slice && !list || ft == reflect.TypeFor[SMTP]() {
				continue
			}
			out[prefix+strings.ToUpper(strings.ReplaceAll(at+name, ".", "_"))] = variable{at + name, list}
		}
	}
	add("", reflect.TypeFor[Config]())
	add("smtp.", reflect.TypeFor[SMTP]())
	return out
}

func splitList(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func keysOf[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// oneLine is the decoder's list of mistakes without its heading.
func oneLine(err error) string {
	_, list, ok := strings.Cut(err.Error(), "\n")
	if !ok {
		list = err.Error()
	}
	return strings.Join(strings.Fields(list), " ")
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
