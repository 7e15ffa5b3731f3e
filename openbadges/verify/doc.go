// Package verify tells whether a badge is genuine, whose it is and whether it
// holds: Open Badges 0.5 to 3.0, hosted, signed, or with proofs inside, as a URL,
// as JSON, as a JWS or JWT, baked into a picture, or behind a public page.
//
// It does no I/O of its own: everything comes from a Fetcher. A Report says
// valid, invalid or unknown; unknown is for what could not be decided (something
// was unreachable, a suite is not supported, an issuer does not name the key) and
// never counts as valid. The rules are those of the specifications' texts, and
// not the habits of any other validator.
//
// # In which order things are checked
//
// What was given is told by its content alone: a picture is unbaked, a page is
// searched for its badge, an address is fetched ("input"), then the document is
// read and its version found ("format").
//
// Up to 2.0 a document is what its address answers now: a copy that was given only
// names the address ("hosting"). Then come @context, type and the members of
// each class ("context", "type", "schema", and "recipient", "image", "evidence",
// "alignment" for their own); the badge and the issuer are fetched and looked at
// alike ("issuer"). A hosted badge has to lie where the issuer's own document says
// ("scope"), a signed one has to be signed by a key that this document names
// ("key", "proof") and must not be on its list of revoked badges ("status").
//
// A credential of 3.0 is checked against its contexts and the data model, then its
// proofs are: each by its suite, under the key that it names. One good proof by a
// key that the issuer names is enough, see keyOf and issuerNames. Only then the
// issuer is asked for a newer copy, where the credential says how, and its status
// lists, which are credentials and verified like one.
//
// Both end with the dates ("validity"), the presumed recipient, the pictures, the
// endorsements, each by its own hosting or proof, and extensions. A check that
// fails does not keep the others from being made, so that a report names all that
// is wrong.
//
// All input is hostile: documents, nesting, the number of requests and of further
// credentials, and the total time are bounded.
package verify
