package backpack

// said is what a Mozilla-style backpack answers: every call has some of it.
type said struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Code    string `json:"code"`

	// Answers of issue. Pointers tell what is not there from what is empty.
	Exists *bool          `json:"exists"`
	Badge  map[string]any `json:"badge"`

	// Answers of token.
	Expires      any    `json:"expires"` // seconds: a number, or one written as text
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`

	// Answers of identity.
	Recipient string `json:"recipient"`
	Type      string `json:"type"`
}
