package credly

// Endpoint is one call of the API.
type Endpoint struct {
	Method string
	// Path is the pattern with its ids in braces, without /api:
	// "/v1/organizations/{org}/badges/{id}/revoke".
	Path string

	access access
	handle func(*call) reply
}

// Endpoints lists the calls that the simulator answers, each with the method and
// path that a Fault takes when {…} is written *.
func (s *Sim) Endpoints() []Endpoint { return s.endpoints() }

func (s *Sim) endpoints() []Endpoint {
	const org = "/v1/organizations/{org}"
	return []Endpoint{
		{"GET", "/v1/organizations", access{mayRead, ""}, s.listOrgs},
		{"GET", org, access{mayRead, ""}, s.getOrg},
		{"PUT", org, access{mayWrite, ""}, s.putOrg},
		{"GET", org + "/authorization_tokens", access{mayRead, "authorization_tokens"}, s.listTokens},
		{"GET", org + "/oauth_applications", access{mayRead, "authorization_tokens"}, s.listApps},
		{"GET", org + "/oauth_applications/{id}", access{mayRead, "authorization_tokens"}, s.getApp},
		{"GET", org + "/badge_templates", access{mayRead, "badge_templates"}, s.listTemplates},
		{"POST", org + "/badge_templates", access{mayWrite, "badge_templates"}, s.createTemplate},
		{"GET", org + "/badge_templates/{id}", access{mayRead, "badge_templates"}, s.getTemplate},
		{"PUT", org + "/badge_templates/{id}", access{mayWrite, "badge_templates"}, s.updateTemplate},
		{"DELETE", org + "/badge_templates/{id}", access{mayDelete, "badge_templates"}, s.removeTemplate},
		{"GET", org + "/badges", access{mayRead, "issued_badges"}, s.listBadges},
		{"POST", org + "/badges", access{mayWrite, "issued_badges"}, s.issueBadge},
		{"POST", org + "/badges/batch", access{mayWrite, "issued_badges"}, s.issueBatch},
		{"GET", org + "/badges/{id}", access{mayRead, "issued_badges"}, s.getBadge},
		{"DELETE", org + "/badges/{id}", access{mayDelete, "issued_badges"}, s.deleteBadge},
		{"PUT", org + "/badges/{id}/revoke", access{mayWrite, "issued_badges"}, s.revokeBadge},
		{"POST", org + "/badges/{id}/replace", access{mayWrite, "issued_badges"}, s.replaceBadge},
		{"GET", org + "/high_volume_issued_badge_search", access{mayRead, "issued_badges"}, s.highVolume},
		{"GET", org + "/events", access{mayRead, "events"}, s.listEvents},
		{"GET", org + "/events/{id}", access{mayRead, "events"}, s.getEvent},
		{"POST", "/oauth/token", access{}, s.oauthToken},
		{"GET", "/v1/obi/v2/badge_assertions/{id}", access{}, s.obiAssertion},
		{"GET", "/v1/obi/v2/badge_classes/{id}", access{}, s.obiClass},
		{"GET", "/v1/obi/v2/issuers/{org}/badge_classes/{id}", access{}, s.obiClass},
		{"GET", "/v1/obi/v2/issuers/{org}", access{}, s.obiIssuer},
	}
}
