package credly

func inferredOfAuthorization() []Option {
	return []Option{
		{
			Name: "lenient-auth", Confidence: Unseen, Other: "true",
			Doc:   "take Basic credentials without the colon after the token",
			Known: "documented with the colon; some deployed clients leave it out, whether they succeed is not known",
			at:    func(o *Options) any { return &o.LenientAuth },
		},
		{
			Name: "expired-token-is-403", Confidence: Guess, Other: "true",
			Doc:   "answer 403, not 401, to an expired token",
			Known: "tokens last 180 days; what an expired one gets is not documented, an invalid one gets 401",
			at:    func(o *Options) any { return &o.ExpiredTokenIs403 },
		},
		{
			Name: "missing-right-is-401", Confidence: Client, Other: "true",
			Doc:   "answer 401, not 403, to a token without the flag that a call needs",
			Known: "tokens carry read, write and delete flags; one client maps 403 to a lack of permission",
			at:    func(o *Options) any { return &o.MissingRightIs401 },
		},
		{
			Name: "other-org-is-404", Confidence: Client, Other: "true",
			Doc:   "answer 404, not 403, to a token of another organization",
			Known: "one client maps 403 to the wrong organization",
			at:    func(o *Options) any { return &o.OtherOrgIs404 },
		},
		{
			Name: "write-may-delete", Confidence: Guess, Other: "true",
			Doc:   "let a token with the write flag delete",
			Known: "only the name of the delete flag speaks for its being needed",
			at:    func(o *Options) any { return &o.WriteMayDelete },
		},
		{
			Name: "bare-refusals", Confidence: Guess, Other: "true",
			Doc:   "send 401, 403, 404 and 429 without a body",
			Known: "only 422 was recorded, in an envelope; the others are assumed to have the same",
			at:    func(o *Options) any { return &o.BareRefusals },
		},
		{
			Name: "scopes-ignored", Confidence: Guess, Other: "true",
			Doc:   "let a Bearer do what its application may, whatever scope it asked for",
			Known: "scopes are documented by name; the answer to a call outside them is not",
			at:    func(o *Options) any { return &o.ScopesIgnored },
		},
		{
			Name: "oauth-json-only", Confidence: Guess, Other: "true",
			Doc:   "refuse a form at the token endpoint",
			Known: "a running client sends JSON; RFC 6749 asks for a form",
			at:    func(o *Options) any { return &o.OAuthJSONOnly },
		},
		{
			Name: "oauth-answer-bare", Confidence: Guess, Other: "true",
			Doc:   "answer the token endpoint with access_token alone",
			Known: "clients read access_token; the other members are customary",
			at:    func(o *Options) any { return &o.OAuthAnswerBare },
		},
		{
			Name: "oauth-error-envelope", Confidence: Guess, Other: "true",
			Doc:   "answer errors of the token endpoint in Credly's envelope",
			Known: "not seen; RFC 6749 gives a form",
			at:    func(o *Options) any { return &o.OAuthErrorEnvelope },
		},
		{
			Name: "bearer-life", Confidence: Client, Other: "5m0s",
			Doc:   "how long a Bearer holds (0s: 2h)",
			Known: "7200 seconds stand in one client's comment",
			at:    func(o *Options) any { return &o.BearerLife },
		},
	}
}

func inferredOfReading() []Option {
	return []Option{
		{
			Name: "read-delay", Confidence: Client, Other: "2s", Deciding: true,
			Doc:   "keep a fresh badge out of lists and reads for so long",
			Known: "one integrator saw what was written only after a delay; how long is not known",
			at:    func(o *Options) any { return &o.ReadDelay },
		},
		{
			Name: "direct-reads-fresh", Confidence: Unseen, Other: "true", With: "read-delay",
			Doc:   "let the read of a single badge see at once what read-delay hides from lists",
			Known: "nothing is known; a delayed search index would behave so",
			at:    func(o *Options) any { return &o.DirectReadsFresh },
		},
		{
			Name: "stale-changes", Confidence: Unseen, Other: "true", With: "read-delay",
			Doc:   "show a changed badge as it was until read-delay has passed",
			Known: "nothing is known; a lagging copy of the database would behave so",
			at:    func(o *Options) any { return &o.StaleChanges },
		},
		{
			Name: "unknown-filter-refused", Confidence: Unseen, Other: "true",
			Doc:   "answer 422 to a filter or sort key that is not known",
			Known: "not seen; ignored or refused",
			at:    func(o *Options) any { return &o.UnknownFilterRefused },
		},
		{
			Name: "new-filter-syntax-ignored", Confidence: Guess, Other: "true",
			Doc:   "ignore filter[key]=value",
			Known: "documented for the workforce lists as the newer form; assumed for the others",
			at:    func(o *Options) any { return &o.NewFilterSyntaxIgnored },
		},
		{
			Name: "analogous-filters-unknown", Confidence: Guess, Other: "true",
			Doc:   "know only the *_min and *_max filters of badges that were seen",
			Known: "expires_at_date_max was seen; its siblings are assumed",
			at:    func(o *Options) any { return &o.AnalogousFiltersUnknown },
		},
		{
			Name: "recipient-email-filter-misses", Confidence: Disputed, Other: "true",
			Doc:   "find nothing by recipient_email",
			Known: "in use; one integrator found it unreliable and left it",
			at:    func(o *Options) any { return &o.RecipientEmailFilterMisses },
		},
		{
			Name: "drop-filter-on-next", Confidence: Disputed, Other: "true", Deciding: true,
			Doc:   "leave filter and sort out of next_page_url",
			Known: "most clients follow the address as it is; Credly's own Moodle plugin adds them again",
			at:    func(o *Options) any { return &o.DropFilterOnNext },
		},
		{
			Name: "hide-revoked-by-default", Confidence: Guess, Other: "true",
			Doc:   "leave revoked and rejected badges out of lists that ask for no state",
			Known: "careful clients always name the states; without any, all are assumed",
			at:    func(o *Options) any { return &o.HideRevokedByDefault },
		},
		{
			Name: "newest-first", Confidence: Unseen, Other: "true",
			Doc:   "list the newest badges and templates first when no order is asked for",
			Known: "the order without sort is not documented",
			at:    func(o *Options) any { return &o.NewestFirst },
		},
		{
			Name: "nulls-last", Confidence: Guess, Other: "true",
			Doc:   "sort badges without state_updated_at last when that key is sorted downwards",
			Known: "not seen; assumed as PostgreSQL does it",
			at:    func(o *Options) any { return &o.NullsLast },
		},
		{
			Name: "past-end-is-404", Confidence: Guess, Other: "true",
			Doc:   "answer 404 to a page after the last",
			Known: "not seen; an empty page is assumed",
			at:    func(o *Options) any { return &o.PastEndIs404 },
		},
		{
			Name: "per-page-honoured", Confidence: Guess, Other: "true",
			Doc:   "make pages smaller than 50 by per or page_size",
			Known: "documented is 50; some clients send per or page_size",
			at:    func(o *Options) any { return &o.PerPageHonoured },
		},
		{
			Name: "high-volume-resets-format", Confidence: Client, Other: "true",
			Doc:   "name badge_format=default in every next_page_url of the high-volume search",
			Known: "one client works around it",
			at:    func(o *Options) any { return &o.HighVolumeResetsFormat },
		},
		{
			Name: "private-has-no-badge-url", Confidence: Disputed, Other: "true",
			Doc:   "leave badge_url out of a badge that its earner made private",
			Known: "samples show badge_url once a badge is accepted; one integrator met private ones without",
			at:    func(o *Options) any { return &o.PrivateHasNoBadgeURL },
		},
		{
			Name: "deleted-is-410", Confidence: Client, Other: "true",
			Doc:   "answer 410, not 404, to a deleted badge",
			Known: "one client maps 410; when it comes is not known",
			at:    func(o *Options) any { return &o.DeletedIs410 },
		},
	}
}

func inferredOfIssuing() []Option {
	return []Option{
		{
			Name: "duplicate-message", Confidence: Client, Other: "This earner already has this badge.",
			Doc:   "text of the 422 on a duplicate",
			Known: "a client looks for \"already has this badge\"; the whole sentence is not known",
			at:    func(o *Options) any { return &o.DuplicateMessage },
		},
		{
			Name: "duplicate-delay", Confidence: Unseen, Other: "2s", Deciding: true,
			Doc:   "let a badge count as a duplicate only when it is so old",
			Known: "nothing is known; that it counts at once is assumed",
			at:    func(o *Options) any { return &o.DuplicateDelay },
		},
		{
			Name: "duplicate-by-date", Confidence: Disputed, Other: "true",
			Doc:   "deny only duplicates with the same issued_at or expires_at, by address",
			Known: "the rule until about 2020; the help centre now says template and address, account or issuer_earner_id",
			at:    func(o *Options) any { return &o.DuplicateByDate },
		},
		{
			Name: "rejected-may-repeat", Confidence: Guess, Other: "true",
			Doc:   "do not count a rejected badge as a duplicate",
			Known: "not documented",
			at:    func(o *Options) any { return &o.RejectedMayRepeat },
		},
		{
			Name: "revoked-still-duplicate", Confidence: Guess, Other: "true", Deciding: true,
			Doc:   "count a revoked badge as a duplicate",
			Known: "not documented; a revocation cannot be undone, so issuing again is assumed to work",
			at:    func(o *Options) any { return &o.RevokedStillDuplicate },
		},
		{
			Name: "case-sensitive-email", Confidence: Guess, Other: "true",
			Doc:   "compare addresses as they are typed",
			Known: "not seen",
			at:    func(o *Options) any { return &o.CaseSensitiveEmail },
		},
		{
			Name: "auto-accept", Confidence: Guess, Other: "true",
			Doc:   "accept a badge at once when the recipient has an account",
			Known: "an organization is said to be able to set it",
			at:    func(o *Options) any { return &o.AutoAccept },
		},
		{
			Name: "drafts-issue", Confidence: Guess, Other: "true",
			Doc:   "let drafts be issued",
			Known: "documented for archived templates only: they cannot",
			at:    func(o *Options) any { return &o.DraftsIssue },
		},
		{
			Name: "unusable-template-is-404", Confidence: Guess, Other: "true",
			Doc:   "answer 404, not 422, to an issue of an unknown, draft or archived template",
			Known: "a 422 was recorded for a blank id",
			at:    func(o *Options) any { return &o.UnusableTemplateIs404 },
		},
		{
			Name: "future-dates-refused", Confidence: Unseen, Other: "true",
			Doc:   "answer 422 to an issued_at in the future",
			Known: "not seen",
			at:    func(o *Options) any { return &o.FutureDatesRefused },
		},
		{
			Name: "strict-times", Confidence: Client, Other: "true",
			Doc:   "take times only as documented",
			Known: "clients send three other spellings with success",
			at:    func(o *Options) any { return &o.StrictTimes },
		},
		{
			Name: "unknown-fields-refused", Confidence: Guess, Other: "true",
			Doc:   "answer 422 to a field that is not known",
			Known: "not seen; ignored, as in most such interfaces",
			at:    func(o *Options) any { return &o.UnknownFieldsRefused },
		},
		{
			Name: "any-evidence-type", Confidence: Guess, Other: "true",
			Doc:   "take evidence of any type, unchecked",
			Known: "UrlEvidence and IdEvidence are documented; the spelling of text and key-value evidence is not",
			at:    func(o *Options) any { return &o.AnyEvidenceType },
		},
		{
			Name: "group-tag-ignored", Confidence: Guess, Other: "true",
			Doc:   "do not keep group_tag",
			Known: "the help centre knows a group tag; its name in the interface is assumed",
			at:    func(o *Options) any { return &o.GroupTagIgnored },
		},
		{
			Name: "no-field-errors", Confidence: Client, Other: "true",
			Doc:   "leave data.errors out of a 422",
			Known: "one client reads attribute, attribute_label and messages",
			at:    func(o *Options) any { return &o.NoFieldErrors },
		},
		{
			Name: "null-error-metadata", Confidence: Guess, Other: "true",
			Doc:   "send metadata null with every error",
			Known: "recorded once, for a blank template id",
			at:    func(o *Options) any { return &o.NullErrorMetadata },
		},
		{
			Name: "new-templates-active", Confidence: Unseen, Other: "true",
			Doc:   "make a template active, not a draft, when no state is given",
			Known: "the documented order of states begins with draft",
			at:    func(o *Options) any { return &o.NewTemplatesActive },
		},
		{
			Name: "loose-images", Confidence: Guess, Other: "true",
			Doc:   "take any PNG for a template",
			Known: "600 by 600 is used throughout; 2 MB stood in the older rules",
			at:    func(o *Options) any { return &o.LooseImages },
		},
	}
}

func inferredOfChanges() []Option {
	return []Option{
		{
			Name: "batch-partial", Confidence: Client, Other: "true",
			Doc:   "issue the good ones of a batch that is answered with an error",
			Known: "one client reads error_index, which speaks for all or nothing",
			at:    func(o *Options) any { return &o.BatchPartial },
		},
		{
			Name: "batch-reversed", Confidence: Guess, Other: "true",
			Doc:   "answer a batch in another order than it was sent in",
			Known: "assumed to be kept",
			at:    func(o *Options) any { return &o.BatchReversed },
		},
		{
			Name: "batch-cap", Confidence: Unseen, Other: "30",
			Doc:   "most badges in one batch (0: any number)",
			Known: "not known; the upload page takes 5000 rows",
			at:    func(o *Options) any { return &o.BatchCap },
		},
		{
			Name: "batch-shared-duplicate-behavior", Confidence: Unseen, Other: "true",
			Doc:   "read duplicate_behavior beside badges, not in each",
			Known: "the help centre describes the field for single badges; where it stands in a batch is not said",
			at:    func(o *Options) any { return &o.BatchSharedDuplicateBehavior },
		},
		{
			Name: "revoke-twice-ok", Confidence: Guess, Other: "true",
			Doc:   "answer 200, not 422, when a revoked badge is revoked again",
			Known: "not seen",
			at:    func(o *Options) any { return &o.RevokeTwiceOK },
		},
		{
			Name: "revoke-answers-201", Confidence: Disputed, Other: "true",
			Doc:   "answer 201, not 200, to a revocation",
			Known: "documented is 200; a library tests with 201",
			at:    func(o *Options) any { return &o.RevokeAnswers201 },
		},
		{
			Name: "rejected-refuses-revoke", Confidence: Unseen, Other: "true",
			Doc:   "answer 422 when a rejected badge is revoked",
			Known: "not seen",
			at:    func(o *Options) any { return &o.RejectedRefusesRevoke },
		},
		{
			Name: "replaced-may-be-revoked", Confidence: Claimed, Other: "true",
			Doc:   "let a badge be revoked that has been replaced",
			Known: "a third party's description says that it cannot",
			at:    func(o *Options) any { return &o.ReplacedMayBeRevoked },
		},
		{
			Name: "revoked-may-be-replaced", Confidence: Unseen, Other: "true",
			Doc:   "let a revoked badge be replaced, by a pending one",
			Known: "not seen",
			at:    func(o *Options) any { return &o.RevokedMayBeReplaced },
		},
		{
			Name: "replaced-state", Confidence: Guess, Other: "true",
			Doc:   "give a replaced badge the state \"replaced\"",
			Known: "the webhook pages mention that state; samples do not",
			at:    func(o *Options) any { return &o.ReplacedState },
		},
		{
			Name: "already-replaced-is-409", Confidence: Guess, Other: "true",
			Doc:   "answer 409, not 422, when a replaced badge is replaced again",
			Known: "message and current_badge_id are known from a client, the status is not",
			at:    func(o *Options) any { return &o.AlreadyReplacedIs409 },
		},
		{
			Name: "replace-shows-one-url", Confidence: Disputed, Other: "true",
			Doc:   "name accept_badge_url or badge_url, not both, in the answer to a replacement",
			Known: "the documented sample has both, other answers one",
			at:    func(o *Options) any { return &o.ReplaceShowsOneURL },
		},
	}
}

func inferredOfTheRest() []Option {
	return []Option{
		{
			Name: "events-oldest-first", Confidence: Unseen, Other: "true", Deciding: true,
			Doc:   "list events in the order in which they happened",
			Known: "the order is not documented",
			at:    func(o *Options) any { return &o.EventsOldestFirst },
		},
		{
			Name: "events-show-now", Confidence: Unseen, Other: "true",
			Doc:   "embed a badge in an event as it is when the event is read",
			Known: "samples show a badge; as of when is not said",
			at:    func(o *Options) any { return &o.EventsShowNow },
		},
		{
			Name: "no-mail-events", Confidence: Guess, Other: "true",
			Doc:   "raise no pending_badge_notification events",
			Known: "three such types are documented by name",
			at:    func(o *Options) any { return &o.NoMailEvents },
		},
		{
			Name: "webhook-any-2xx", Confidence: Guess, Other: "true",
			Doc:   "take every 2xx as a delivery",
			Known: "documented is 200; a receiver in use answers 204",
			at:    func(o *Options) any { return &o.WebhookAny2xx },
		},
		{
			Name: "webhooks-twice", Confidence: Guess, Other: "true",
			Doc:   "deliver every webhook twice",
			Known: "delivery once is not promised",
			at:    func(o *Options) any { return &o.WebhooksTwice },
		},
		{
			Name: "webhooks-reversed", Confidence: Guess, Other: "true",
			Doc:   "deliver the newest of the due webhooks first",
			Known: "order is not promised",
			at:    func(o *Options) any { return &o.WebhooksReversed },
		},
		{
			Name: "webhook-pause", Confidence: Guess, Other: "10m0s",
			Doc:   "first pause after a failed delivery, doubling up to a day (0s: 1m)",
			Known: "documented is: less and less often, for 25 days",
			at:    func(o *Options) any { return &o.WebhookPause },
		},
		{
			Name: "revoked-assertion-ok", Confidence: Guess, Other: "true",
			Doc:   "serve the assertion of a revoked badge as if nothing had happened",
			Known: "not seen; an issue at the validator reports a revoked badge that validates",
			at:    func(o *Options) any { return &o.RevokedAssertionOK },
		},
		{
			Name: "unanswered-assertion-ok", Confidence: Guess, Other: "true",
			Doc:   "serve the assertion of a pending or rejected badge",
			Known: "not seen; 404 is known for private ones",
			at:    func(o *Options) any { return &o.UnansweredAssertionOK },
		},
		{
			Name: "hash-as-typed", Confidence: Disputed, Other: "true",
			Doc:   "hash the recipient's address as it is, not in lower case",
			Known: "one client reproduces the hash, another does not",
			at:    func(o *Options) any { return &o.HashAsTyped },
		},
		{
			Name: "hash-primary-email", Confidence: Disputed, Other: "true",
			Doc:   "hash the account's primary address",
			Known: "one client reproduces the hash, another does not",
			at:    func(o *Options) any { return &o.HashPrimaryEmail },
		},
		{
			Name: "rate-limit", Confidence: Unseen, Other: "600",
			Doc:   "most calls of a token in a minute (0: any number)",
			Known: "there is a 429; no number is published",
			at:    func(o *Options) any { return &o.RateLimit },
		},
		{
			Name: "retry-after-absent", Confidence: Unseen, Other: "true", With: "rate-limit",
			Doc:   "send the 429 of rate-limit without Retry-After",
			Known: "one client waits for the next minute, which speaks for a window and against a header",
			at:    func(o *Options) any { return &o.RetryAfterAbsent },
		},
	}
}
