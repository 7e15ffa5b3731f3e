package verify

import (
	"fmt"
	"slices"
	"strings"

	"badgebridge/openbadges"
)

// Outcome is the answer.
type Outcome string

// The outcomes. Unknown means that it could not be decided.
const (
	Valid   Outcome = "valid"
	Invalid Outcome = "invalid"
	Unknown Outcome = "unknown"
)

// Status is the result of one check.
type Status string

// The statuses of a check.
const (
	Pass Status = "pass"
	Warn Status = "warn"
	Fail Status = "fail"
	Skip Status = "skip" // does not apply, or something before it failed
)

// checkNames are all names that a check may have, in the order of reports.
var checkNames = []string{
	"input", "format", "context", "type", "schema", "subject", "issuer", "proof", "key", "status", "validity", "scope",
	"recipient", "image", "evidence", "alignment", "endorsement", "extension", "hosting",
}

// Check is one thing that was looked at. Messages hold neither the recipient's
// identifier nor its hash.
type Check struct {
	Name    string `json:"name"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	Node    string `json:"node,omitempty"` // id of the document that it is about

	undecided bool
}

// RecipientResult tells whether the badge is the presumed recipient's; null
// when nobody was named or it could not be decided.
type RecipientResult struct {
	Matched *bool `json:"matched"`
}

// Issuer is the issuer as the verified documents name it.
type Issuer struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
	Email string `json:"email,omitempty"`
	Image string `json:"image,omitempty"`
}

// Badge is what the verified documents say, for showing. Times are ISO 8601.
type Badge struct {
	ID               string   `json:"id,omitempty"`
	Name             string   `json:"name,omitempty"`
	Description      string   `json:"description,omitempty"`
	Image            string   `json:"image,omitempty"`
	Criteria         string   `json:"criteria,omitempty"`
	CriteriaText     string   `json:"criteriaNarrative,omitempty"`
	Narrative        string   `json:"narrative,omitempty"`
	Issuer           Issuer   `json:"issuer"`
	IssuedOn         string   `json:"issuedOn,omitempty"`
	Expires          string   `json:"expires,omitempty"`
	Tags             []string `json:"tags,omitempty"`
	Evidence         []string `json:"evidence,omitempty"`
	RevocationReason string   `json:"revocationReason,omitempty"`
}

// Report is the answer with its reasons. Its JSON form is fixed.
type Report struct {
	Outcome      Outcome         `json:"outcome"`
	Valid        bool            `json:"valid"` // Outcome == Valid
	Version      string          `json:"version"`
	Verification string          `json:"verification"` // hosted, signed, proof, none
	Subject      string          `json:"subject"`      // id of what was verified
	Recipient    RecipientResult `json:"recipient"`
	Checks       []Check         `json:"checks"`
	Badge        *Badge          `json:"badge,omitempty"`

	// Assertion is the verified assertion in the model's terms, with the bytes
	// that counted (the hosted document, or the signed payload); nil when the
	// input was something else or could not be read. Whether to trust it is
	// Outcome's business.
	Assertion *openbadges.Assertion `json:"-"`
	// Revoked is set when the outcome is Invalid because the issuer took the
	// badge back.
	Revoked bool `json:"-"`
	// Expired is set when the outcome is Invalid because the badge ran out.
	Expired bool `json:"-"`

	about string // what an endorsement is about
}

// Problems gives the messages of the checks that failed or could not be
// decided, for people.
func (r Report) Problems() []string {
	var out []string
	for _, c := range r.Checks {
		if c.Status == Fail || c.undecided {
			out = append(out, c.Message)
		}
	}
	return out
}

// packages takes the names of packages out of errors that people read.
var packages = strings.NewReplacer("jose: ", "", "jsonld: ", "", "dataintegrity: ", "", "did: ", "", "statuslist: ", "", "rdfc: ", "")

func (r *Report) add(name string, status Status, node, format string, args []any) *Check {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	if status != Pass {
		message = packages.Replace(message)
	}
	r.Checks = append(r.Checks, Check{Name: name, Status: status, Message: message, Node: node})
	return &r.Checks[len(r.Checks)-1]
}

func (r *Report) pass(name, node, format string, args ...any) { r.add(name, Pass, node, format, args) }
func (r *Report) warn(name, node, format string, args ...any) { r.add(name, Warn, node, format, args) }
func (r *Report) fail(name, node, format string, args ...any) { r.add(name, Fail, node, format, args) }
func (r *Report) skip(name, node, format string, args ...any) { r.add(name, Skip, node, format, args) }

// undecided is a warning that keeps the badge from being valid.
func (r *Report) undecided(name, node, format string, args ...any) {
	r.add(name, Warn, node, format, args).undecided = true
}

// failed reports whether a check of that name about node went wrong.
func (r *Report) failed(name, node string) bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Name == name && c.Node == node && c.Status == Fail })
}

// verdict is the outcome of the checks so far.
func (r *Report) verdict() Outcome {
	out, passed := Valid, false
	for i := range r.Checks {
		switch c := &r.Checks[i]; {
		case c.Status == Fail:
			return Invalid
		case c.undecided:
			out = Unknown
		case c.Status == Pass && c.Name != "input":
			passed = true
		}
	}
	if !passed {
		return Unknown // nothing was looked at
	}
	return out
}

// finish settles the outcome and puts the checks in their order.
func (r *Report) finish() {
	r.Outcome = r.verdict()
	r.Valid = r.Outcome == Valid
	for _, name := range checkNames {
		if !slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Name == name }) {
			r.skip(name, "", "does not apply, or was not reached")
		}
	}
	slices.SortStableFunc(r.Checks, func(a, b Check) int {
		return slices.Index(checkNames, a.Name) - slices.Index(checkNames, b.Name)
	})
}
