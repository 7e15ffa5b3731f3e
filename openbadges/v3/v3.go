// Package v3 converts between Open Badges 3.0 credentials and the model.
//
// Reading is tolerant, as in v2: it takes the forms of the Verifiable Credentials
// data models 2.0 and 1.1 (issuanceDate, expirationDate, a "vc" claim), single
// values for arrays, strings for objects, keeps what it does not know, and notes
// every departure from the specification. Whether a credential is valid is not
// its business; see openbadges/verify. Writing is strict and gives a credential
// without a proof, always the same bytes for the same input; whoever signs it
// adds the proof.
//
// Source: Open Badges 3.0, 1EdTech, section "Data models", with the context of
// version 3.0.3.
package v3

import (
	"encoding/json"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// The JSON-LD contexts that every written credential begins with, in this order.
const (
	ContextVC = "https://www.w3.org/ns/credentials/v2"
	ContextOB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
)

// ContextVC11 begins a credential of the older data model, which is read only.
const ContextVC11 = "https://www.w3.org/2018/credentials/v1"

// contextsOB is how the contexts of all releases of OB 3.0 begin.
const contextsOB = "https://purl.imsglobal.org/spec/ob/v3p0/context"

// MaxDocument is the size in bytes up to which a document is read.
const MaxDocument = wire.MaxDocument

// The ways in which reading and writing fail, for errors.Is. All versions'
// codecs share them.
var (
	ErrNotJSON    = wire.ErrNotJSON
	ErrTooLarge   = wire.ErrTooLarge
	ErrIncomplete = wire.ErrIncomplete
)

// Note and Notes are the remarks on a conversion.
type (
	Note  = openbadges.Note
	Notes = openbadges.Notes
)

// Credential is an AchievementCredential (OpenBadgeCredential). Award holds what
// it says about the award; Award.BadgeClass is the achievement, whose Issuer is
// the achievement's creator, or the credential's issuer where none is named.
type Credential struct {
	ID          string // absolute URI
	Name        string // of the credential; some issuers put the earner's name here
	Description string
	Issuer      openbadges.Profile
	Award       openbadges.Award
	Image       *openbadges.Image // the credential's own picture
	// SubjectImage is the picture in the credentialSubject.
	SubjectImage *openbadges.Image
	Endorsements []openbadges.Endorsement

	// Contexts are those beyond ContextVC and ContextOB, strings or objects.
	Contexts []json.RawMessage
	// Types are those beyond VerifiableCredential and OpenBadgeCredential.
	Types []string
	// The members of a Verifiable Credential that Open Badges says nothing about:
	// objects with id and type.
	Status  []json.RawMessage // credentialStatus
	Schemas []json.RawMessage // credentialSchema
	Refresh []json.RawMessage // refreshService
	Terms   []json.RawMessage // termsOfUse
	// Proofs are those that were read. EncodeCredential does not write them: they
	// hold for the bytes that they came in.
	Proofs []json.RawMessage

	// PlainRecipient allows EncodeCredential to write an identifier that is not
	// hashed. The id of the subject is plain always.
	PlainRecipient bool
	// Unknown holds members that neither the model nor this type has a field for.
	Unknown map[string]json.RawMessage
}

// Model gives the credential as an assertion of the model; Lost names what the
// model has no place for. document is the bytes that c was read from or written
// to.
func (c Credential) Model(document []byte) openbadges.Assertion {
	a := openbadges.Assertion{
		ID: c.ID, Version: openbadges.V30, Award: c.Award, Issuer: c.Issuer, Document: document,
		Image: c.Image, Endorsements: c.Endorsements, Unknown: c.Unknown,
	}
	if a.Image == nil {
		a.Image = c.SubjectImage
	}
	return a
}

// Lost names what the credential holds and the model has no place for.
func (c Credential) Lost() Notes {
	var lost Notes
	has := func(is bool, path string) {
		if is {
			lost.Add(path, "belongs to the credential that was read and is not carried over")
		}
	}
	has(c.Name != "" && c.Name != c.Award.BadgeClass.Name, "name")
	has(c.Description != "", "description")
	has(c.Image != nil && c.SubjectImage != nil, "credentialSubject.image")
	has(len(c.Contexts) > 0, "@context")
	has(len(c.Types) > 0, "type")
	has(len(c.Status) > 0, "credentialStatus")
	has(len(c.Schemas) > 0, "credentialSchema")
	has(len(c.Refresh) > 0, "refreshService")
	has(len(c.Terms) > 0, "termsOfUse")
	if len(c.Proofs) > 0 {
		lost.Add("proof", "is the proof of the credential that was read; a new document needs one of its own")
	}
	return lost
}

// isContextOB reports whether an IRI is the context of a release of OB 3.0.
func isContextOB(iri string) bool {
	rest, ok := strings.CutPrefix(iri, contextsOB)
	return ok && (rest == ".json" || rest == "/ob_v3p0.jsonld" || strings.HasPrefix(rest, "-3.") && strings.HasSuffix(rest, ".json"))
}

// has reports whether an enumeration of the specification names the value. All
// of them are open for values that begin with "ext:".
func has(enumeration, value string) bool {
	return strings.HasPrefix(value, "ext:") || value != "" && !strings.Contains(value, " ") &&
		strings.Contains(" "+enumeration+" ", " "+value+" ")
}

// The enumerations of OB 3.0.
const (
	achievementTypes = "Achievement ApprenticeshipCertificate Assessment Assignment AssociateDegree Award Badge BachelorDegree " +
		"Certificate CertificateOfCompletion Certification CommunityService Competency Course CoCurricular Degree Diploma " +
		"DoctoralDegree Fieldwork GeneralEducationDevelopment JourneymanCertificate LearningProgram License Membership " +
		"ProfessionalDoctorate QualityAssuranceCredential MasterCertificate MasterDegree MicroCredential ResearchDoctorate " +
		"SecondarySchoolDiploma"
	identifierTypes = "name sourcedId systemId productId userName accountId emailAddress nationalIdentityNumber isbn issn " +
		"lisSourcedId oneRosterSourcedId sisSourcedId ltiContextId ltiDeploymentId ltiToolId ltiPlatformId ltiUserId identifier"
	targetTypes = "ceasn:Competency ceterms:Credential CFItem CFRubric CFRubricCriterion CFRubricCriterionLevel CTDL"
	resultTypes = "GradePointAverage LetterGrade Percent PerformanceLevel PredictedScore RawScore Result RubricCriterion " +
		"RubricCriterionLevel RubricScore ScaledScore Status"
	resultStates = "Completed Enrolled Failed InProgress OnHold Provisional Withdrew"
)
