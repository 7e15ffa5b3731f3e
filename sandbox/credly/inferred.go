package credly

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Confidence is how sure the assumed behaviour is.
type Confidence string

// From surest to least sure.
const (
	Client   Confidence = "client"   // a working client relies on it, or on something close to it
	Disputed Confidence = "disputed" // sources contradict each other
	Claimed  Confidence = "claimed"  // a third party's description says so
	Guess    Confidence = "guess"    // it follows from names, from custom or from the rest of the interface
	Unseen   Confidence = "unseen"   // nothing speaks for one or the other
)

// Option describes one field of Options. Its name is the field's in lower case
// with hyphens, and also its flag and its name in JSON.
type Option struct {
	Name       string
	Doc        string // what the option does when it is set, one line
	Known      string // what is publicly known of the assumed behaviour
	Confidence Confidence
	Deciding   bool   // one of the five that decide whether a badge is lost or doubled
	Other      string // the value that Flip sets
	With       string // an option that has to be set for this one to matter, or ""

	at func(*Options) any // *bool, *int, *string or *time.Duration
}

// Flip sets the option's other value, and that of the option that it needs.
func (o Option) Flip(in *Options) {
	for _, need := range Inferred() {
		if need.Name == o.With {
			need.Flip(in)
		}
	}
	_ = o.On(in).Set(o.Other) // can always be read; a test holds that
}

// On is the option's value in in, in the form that flag packages take.
func (o Option) On(in *Options) *Setting { return &Setting{o.at(in)} }

// Flipped is the assumed behaviour but for these options.
func Flipped(options ...Option) Options {
	var out Options
	for _, o := range options {
		o.Flip(&out)
	}
	return out
}

// Deciding are the five options that decide whether a client loses or doubles a
// badge.
func Deciding() []Option {
	return slices.DeleteFunc(Inferred(), func(o Option) bool { return !o.Deciding })
}

// Setting is one value within Options. It fits flag.Value and pflag.Value.
type Setting struct{ at any }

// String is the value as Set reads it.
func (s *Setting) String() string {
	switch p := s.at.(type) {
	case *bool:
		return strconv.FormatBool(*p)
	case *int:
		return strconv.Itoa(*p)
	case *time.Duration:
		return p.String()
	case *string:
		return *p
	}
	return ""
}

// Set reads true or false, a number, a Go duration ("90s") or a text.
func (s *Setting) Set(v string) (err error) {
	switch p := s.at.(type) {
	case *bool:
		*p, err = strconv.ParseBool(v)
	case *int:
		*p, err = strconv.Atoi(v)
	case *time.Duration:
		*p, err = time.ParseDuration(v)
	case *string:
		*p = v
	}
	return err
}

// Type is "bool", "int", "duration" or "string".
func (s *Setting) Type() string {
	switch s.at.(type) {
	case *bool:
		return "bool"
	case *int:
		return "int"
	case *time.Duration:
		return "duration"
	}
	return "string"
}

// IsBoolFlag says that the flag needs no value.
func (s *Setting) IsBoolFlag() bool { return s.Type() == "bool" }

// MarshalJSON names every option: {"lenient-auth":false,"read-delay":"0s",…}.
func (o Options) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	for _, opt := range Inferred() {
		s := opt.On(&o)
		switch p := s.at.(type) {
		case *bool:
			out[opt.Name] = *p
		case *int:
			out[opt.Name] = *p
		default:
			out[opt.Name] = s.String()
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON sets the options that are named and leaves the others. An
// unknown name is an error.
func (o *Options) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	in := map[string]any{}
	if err := d.Decode(&in); err != nil {
		return err
	}
	for _, opt := range Inferred() {
		if v, there := in[opt.Name]; there {
			if err := opt.On(o).Set(fmt.Sprint(v)); err != nil {
				return fmt.Errorf("option %s: %w", opt.Name, err)
			}
			delete(in, opt.Name)
		}
	}
	for name := range in {
		return fmt.Errorf("no option is called %q", name)
	}
	return nil
}

// Inferred lists every option, in the order of Options.
func Inferred() []Option {
	return slices.Concat(inferredOfAuthorization(), inferredOfReading(), inferredOfIssuing(), inferredOfChanges(), inferredOfTheRest())
}
