package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// kind3 is what a member of a class of OB 3.0 has to be.
type kind3 int

const (
	tText kind3 = iota
	tURI
	tTime // xsd:dateTime with a zone
	tDate // yyyy-mm-dd
	tBool
	tNumber
	tLanguage
	tEmail
	tJWS // a compact JWS
	tEnum
	tObject      // of a class
	tObjectOrURI // of a class, or its id
)

// member is one line of a class's table in the specification ("Data models").
// Where many is set the value has to be an array, unless compact allows the
// single value that JSON-LD takes for the same.
type member struct {
	name     string
	kind     kind3
	of       string // class, or enumeration
	required bool
	many     bool
	compact  bool
	check    string // the check that a fault is filed under; that of the parent when ""
}

type class3 struct {
	types    []string // one of them has to be there; none: type is not required
	members  []member
	oneOf    []string // at least one of these
	oneOfSay string
}

// The enumerations. Those in openEnums may be extended by "ext:…".
var enums = map[string][]string{
	"AchievementType": strings.Fields("Achievement ApprenticeshipCertificate Assessment Assignment AssociateDegree Award Badge BachelorDegree " +
		"Certificate CertificateOfCompletion Certification CommunityService Competency Course CoCurricular Degree Diploma " +
		"DoctoralDegree Fieldwork GeneralEducationDevelopment JourneymanCertificate LearningProgram License Membership " +
		"ProfessionalDoctorate QualityAssuranceCredential MasterCertificate MasterDegree MicroCredential ResearchDoctorate SecondarySchoolDiploma"),
	"IdentifierTypeEnum": strings.Fields("name sourcedId systemId productId userName accountId emailAddress nationalIdentityNumber isbn issn " +
		"lisSourcedId oneRosterSourcedId sisSourcedId ltiContextId ltiDeploymentId ltiToolId ltiPlatformId ltiUserId identifier"),
	"AlignmentTargetType": strings.Fields("ceasn:Competency ceterms:Credential CFItem CFRubric CFRubricCriterion CFRubricCriterionLevel CTDL"),
	"ResultType": strings.Fields("GradePointAverage LetterGrade Percent PerformanceLevel PredictedScore RawScore Result RubricCriterion " +
		"RubricCriterionLevel RubricScore ScaledScore Status"),
	"ResultStatusType": strings.Fields("Completed Enrolled Failed InProgress OnHold Provisional Withdrew"),
}

// closedEnum may not be extended.
const closedEnum = "ResultStatusType"

func text3(names string) []member {
	var out []member
	for _, n := range strings.Fields(names) {
		out = append(out, member{name: n, kind: tText})
	}
	return out
}

var (
	identifiers3 = member{name: "otherIdentifier", kind: tObject, of: "IdentifierEntry", many: true}
	alignments3  = member{name: "alignment", kind: tObject, of: "Alignment", many: true, check: "alignment"}
	image3       = member{name: "image", kind: tObject, of: "Image", check: "image"}
	// Endorsements are credentials of their own; here only their form counts.
	endorsements3 = []member{
		{name: "endorsement", kind: tObject, of: "", many: true, check: "endorsement"},
		{name: "endorsementJwt", kind: tJWS, many: true, check: "endorsement"},
	}
)

// classes3 are the classes of OB 3.0.
var classes3 = map[string]class3{
	"Profile": {types: []string{"Profile"}, members: slices.Concat([]member{
		{name: "id", kind: tURI, required: true},
		{name: "url", kind: tURI}, {name: "email", kind: tEmail}, {name: "dateOfBirth", kind: tDate},
		{name: "address", kind: tObject, of: "Address"},
		{name: "parentOrg", kind: tObject, of: "Profile"},
		image3, identifiers3,
	}, text3("name phone description official familyName givenName additionalName patronymicName honorificPrefix honorificSuffix familyNamePrefix"), endorsements3)},
	"Address": {types: []string{"Address"}, members: append(
		text3("addressCountry addressCountryCode addressRegion addressLocality streetAddress postOfficeBoxNumber postalCode"),
		member{name: "geo", kind: tObject, of: "GeoCoordinates"})},
	"GeoCoordinates": {types: []string{"GeoCoordinates"}, members: []member{
		{name: "latitude", kind: tNumber, required: true}, {name: "longitude", kind: tNumber, required: true},
	}},
	"Subject": {types: []string{"AchievementSubject"}, oneOf: []string{"id", "identifier"}, oneOfSay: "it does not say whose the badge is", members: slices.Concat([]member{
		{name: "id", kind: tURI},
		{name: "achievement", kind: tObject, of: "Achievement", required: true},
		{name: "identifier", kind: tObject, of: "IdentityObject", many: true, check: "recipient"},
		{name: "activityStartDate", kind: tTime}, {name: "activityEndDate", kind: tTime},
		{name: "creditsEarned", kind: tNumber},
		{name: "result", kind: tObject, of: "Result", many: true},
		{name: "source", kind: tObject, of: "Profile"},
		image3,
	}, text3("licenseNumber narrative role term"))},
	"Achievement": {types: []string{"Achievement"}, members: slices.Concat([]member{
		{name: "id", kind: tURI, required: true},
		{name: "name", required: true}, {name: "description", required: true},
		{name: "criteria", kind: tObject, of: "Criteria", required: true},
		{name: "achievementType", kind: tEnum, of: "AchievementType"},
		{name: "creator", kind: tObject, of: "Profile"},
		{name: "creditsAvailable", kind: tNumber},
		{name: "inLanguage", kind: tLanguage},
		{name: "related", kind: tObject, of: "Related", many: true},
		{name: "resultDescription", kind: tObject, of: "ResultDescription", many: true},
		{name: "tag", many: true},
		alignments3, image3, identifiers3,
	}, text3("fieldOfStudy humanCode specialization version"), endorsements3)},
	"Criteria": {members: []member{{name: "id", kind: tURI}, {name: "narrative"}}},
	"Image":    {types: []string{"Image"}, members: []member{{name: "id", kind: tURI, required: true}, {name: "caption"}}},
	"Evidence": {types: []string{"Evidence"}, members: append(text3("narrative name description genre audience"), member{name: "id", kind: tURI})},
	"Alignment": {types: []string{"Alignment"}, members: append([]member{
		{name: "targetName", required: true}, {name: "targetUrl", kind: tURI, required: true}, {name: "targetType", kind: tEnum, of: "AlignmentTargetType"},
	}, text3("targetCode targetDescription targetFramework")...)},
	"Related":         {types: []string{"Related"}, members: []member{{name: "id", kind: tURI, required: true}, {name: "inLanguage", kind: tLanguage}, {name: "version"}}},
	"IdentifierEntry": {types: []string{"IdentifierEntry"}, members: []member{{name: "identifier", required: true}, {name: "identifierType", kind: tEnum, of: "IdentifierTypeEnum", required: true}}},
	"IdentityObject": {types: []string{"IdentityObject"}, members: []member{
		{name: "hashed", kind: tBool, required: true}, {name: "identityHash", required: true},
		{name: "identityType", kind: tEnum, of: "IdentifierTypeEnum", required: true}, {name: "salt"},
	}},
	"Result": {types: []string{"Result"}, members: []member{
		{name: "achievedLevel", kind: tURI}, {name: "resultDescription", kind: tURI}, {name: "status", kind: tEnum, of: "ResultStatusType"}, {name: "value"}, alignments3,
	}},
	"ResultDescription": {types: []string{"ResultDescription"}, members: append([]member{
		{name: "id", kind: tURI, required: true}, {name: "name", required: true}, {name: "resultType", kind: tEnum, of: "ResultType", required: true},
		{name: "allowedValue", many: true}, {name: "requiredLevel", kind: tURI},
		{name: "rubricCriterionLevel", kind: tObject, of: "RubricCriterionLevel", many: true}, alignments3,
	}, text3("requiredValue valueMax valueMin")...)},
	"RubricCriterionLevel": {types: []string{"RubricCriterionLevel"}, members: append([]member{
		{name: "id", kind: tURI, required: true}, {name: "name", required: true}, alignments3,
	}, text3("description level points")...)},
	"EndorsementSubject": {types: []string{"EndorsementSubject"}, members: []member{{name: "id", kind: tURI, required: true}, {name: "endorsementComment"}}},
	// CredentialSchema, RefreshService and the like: an id and any type.
	"Service": {types: []string{"*"}, members: []member{{name: "id", kind: tURI, required: true}}},
	// A status entry's id is optional in Verifiable Credentials 2.0; its own rules
	// are looked at with the status.
	"Status": {types: []string{"*"}, members: []member{{name: "id", kind: tURI}}},
	"Terms":  {types: []string{"*"}, members: []member{{name: "id", kind: tURI}}},
	"":       {},
	// Whoever keeps a status list need not be a Profile.
	"Keeper": {members: []member{{name: "id", kind: tURI, required: true}}},
	"StatusList": {types: []string{"BitstringStatusList", "StatusList2021"}, members: []member{
		{name: "id", kind: tURI}, {name: "encodedList", required: true}, {name: "statusPurpose", many: true, compact: true, required: true},
	}},
}

// credential3 is the table of a credential: VC 2.0, or the form of VC 1.1.
func credential3(subject string, legacy bool) class3 {
	out := class3{members: []member{
		{name: "id", kind: tURI, required: true},
		{name: "name", required: legacy || subject == "EndorsementSubject"}, {name: "description"},
		{name: "issuer", kind: tObjectOrURI, of: "Profile", required: true, check: "issuer"},
		{name: "validFrom", kind: tTime, required: !legacy}, {name: "validUntil", kind: tTime}, {name: "awardedDate", kind: tTime},
		{name: "credentialSubject", kind: tObject, of: subject, required: true, check: "subject"},
		{name: "evidence", kind: tObject, of: "Evidence", many: true, check: "evidence"},
		{name: "credentialSchema", kind: tObject, of: "Service", many: true, compact: true},
		{name: "credentialStatus", kind: tObject, of: "Status", many: true, compact: true, check: "status"},
		{name: "refreshService", kind: tObject, of: "Service", many: true, compact: true},
		{name: "termsOfUse", kind: tObject, of: "Terms", many: true, compact: true},
		image3,
	}}
	out.members = append(out.members, endorsements3...)
	if legacy {
		out.members = append(out.members, member{name: "issuanceDate", kind: tTime, required: true}, member{name: "expirationDate", kind: tTime})
		out.members[3].kind = tObject
	}
	return out
}

const maxFaults = 40 // in one document; a hostile one could hold thousands

// schema3 walks one document.
type schema3 struct {
	rep    *Report
	faults int
}

func (w *schema3) fault(check, node, format string, args ...any) {
	if w.faults++; w.faults <= maxFaults {
		w.rep.fail(check, node, format, args...)
	}
}

// walk checks an object against its class. path names it in messages, check is
// the check that its faults are filed under, node the id that they are about.
func (w *schema3) walk(class class3, path, check, node string, doc map[string]any) {
	if id, ok := doc["id"].(string); ok && id != "" {
		node = clip(id)
	}
	at := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	if len(class.types) > 0 {
		switch why := wrongType(doc["type"], class.types); {
		case why != "":
			w.fault(check, node, "%s %s", at("type"), why)
		}
	}
	if len(class.oneOf) > 0 && !slices.ContainsFunc(class.oneOf, func(n string) bool { v, ok := doc[n]; return ok && !emptyList(v) }) {
		w.fault(check, node, "%s has neither %s: %s", path, strings.Join(class.oneOf, " nor "), class.oneOfSay)
	}
	for i := range class.members {
		m := &class.members[i]
		name := check
		if m.check != "" {
			name = m.check
		}
		v, there := doc[m.name]
		switch list, isList := v.([]any); {
		case !there:
			if m.required {
				w.fault(name, node, "%s is missing", at(m.name))
			}
		case v == nil:
			w.fault(name, node, "%s is null; what is not there has to be left out", at(m.name))
		case isList && !m.many:
			w.fault(name, node, "%s is an array where one value is expected", at(m.name))
		case !isList && m.many && !m.compact:
			w.fault(name, node, "%s is a single value where an array is expected", at(m.name))
		case isList:
			for i, e := range list {
				w.value(m, fmt.Sprintf("%s[%d]", at(m.name), i), name, node, e)
			}
		default:
			w.value(m, at(m.name), name, node, v)
		}
	}
}

func (w *schema3) value(m *member, path, check, node string, v any) {
	if obj, ok := v.(map[string]any); ok && (m.kind == tObject || m.kind == tObjectOrURI) {
		w.walk(classes3[m.of], path, check, node, obj)
		if m.of == "IdentityObject" {
			if why := wrongIdentity(obj); why != "" {
				w.fault(check, node, "%s %s", path, why)
			}
		}
		return
	}
	if why := wrong3(m, v); why != "" {
		w.fault(check, node, "%s %s", path, why)
	}
}

func emptyList(v any) bool { l, ok := v.([]any); return ok && len(l) == 0 }

// wrongType says what is wrong with a type that has to name one of some classes;
// "*" stands for any.
func wrongType(v any, want []string) string {
	var types []string
	switch t := v.(type) {
	case nil:
		return "is missing; " + want[0] + " expected"
	case string:
		types = []string{t}
	case []any:
		for _, e := range t {
			s, ok := e.(string)
			if !ok {
				return "holds something that is no text"
			}
			types = append(types, s)
		}
	default:
		return "is no text"
	}
	for _, t := range types {
		if want[0] == "*" && t != "" || slices.Contains(want, t) {
			return ""
		}
	}
	return fmt.Sprintf("is %s; %s expected", clip(strings.Join(types, ", ")), want[0])
}

// wrong3 says what is wrong with a value, "" when nothing is.
func wrong3(m *member, v any) string {
	text, isText := v.(string)
	switch m.kind {
	case tObject:
		return "is no object"
	case tObjectOrURI:
		if !isText || !isIRI(text) {
			return "is neither an object nor an id"
		}
		return ""
	case tBool:
		if _, ok := v.(bool); !ok {
			return "is neither true nor false"
		}
		return ""
	case tNumber:
		if _, ok := v.(float64); !ok {
			return "is no number"
		}
		return ""
	}
	if !isText {
		return "is no text"
	}
	switch m.kind {
	case tURI:
		if !isIRI(text) || strings.HasPrefix(text, "_:") { // a blank node has no URI
			return "is no URI"
		}
	case tTime:
		if _, ok := time3(text); !ok {
			return "is no date and time with a time zone, for example 2026-01-31T12:00:00Z"
		}
	case tDate:
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return "is no date, for example 2026-01-31"
		}
	case tLanguage:
		if !isLanguage(text) {
			return "is no language tag"
		}
	case tEmail:
		if !isEmail(text) {
			return "is no e-mail address"
		}
	case tJWS:
		if !looksLikeJWS([]byte(text)) {
			return "is no compact JWS"
		}
	case tEnum:
		if !slices.Contains(enums[m.of], text) && (m.of == closedEnum || !isExtension(text)) {
			return fmt.Sprintf("is %q, which is no %s", clip(text), m.of)
		}
	}
	return ""
}

// isExtension knows the form of values that extend an enumeration.
func isExtension(s string) bool {
	rest, ok := strings.CutPrefix(s, "ext:")
	return ok && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_|") == ""
}

// time3 reads a DateTimeZ: xsd:dateTime with a zone.
func time3(s string) (time.Time, bool) {
	// Package time also takes a comma, and hours of one digit.
	if len(s) < len("2026-01-31T12:00:00Z") || s[13] != ':' || strings.ContainsRune(s, ',') {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil && strings.Contains(s, "T24:00:00") { // midnight at the end of a day
		if t, err = time.Parse(time.RFC3339Nano, strings.Replace(s, "T24:", "T00:", 1)); err == nil {
			t = t.AddDate(0, 0, 1)
		}
	}
	_, offset := t.Zone()
	return t, err == nil && offset >= -maxZone && offset <= maxZone
}

const maxZone = 14 * 60 * 60 // seconds; XML Schema knows no zone further away

// wrongIdentity says what is wrong with the hash of an IdentityObject whose
// members are of the right kind. It never repeats the identity.
func wrongIdentity(doc map[string]any) string {
	hashed, ok := doc["hashed"].(bool)
	identity, ok2 := doc["identityHash"].(string)
	if !ok || !ok2 {
		return "" // reported already
	}
	alg, hex, isHash := strings.Cut(identity, "$")
	isHash = isHash && hashLength(alg, false) == len(hex) && strings.Trim(strings.ToLower(hex), "0123456789abcdef") == ""
	switch {
	case identity == "":
		return "has an empty identityHash"
	case hashed && !isHash:
		return "says that it is hashed, but holds no hash of an allowed kind (sha256$… or md5$…)"
	case !hashed && isHash:
		return "says that it is not hashed, but holds a hash"
	}
	return ""
}
