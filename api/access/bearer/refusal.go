package bearer

// Refusal is returned for a token that is not taken. All of them are for the caller to mend, but Unavailable.
type Refusal string

// The reasons.
const (
	// Malformed: no JWS in its compact form with claims in JSON, too long, or with headers that change its meaning.
	Malformed Refusal = "the token is no signed JWT"
	// WrongAlgorithm: "none", a symmetric algorithm, or one that is not known.
	WrongAlgorithm Refusal = "the token is signed with an algorithm that is not taken"
	// WrongType: the token says that it is for something else, such as a logout.
	WrongType Refusal = "the token is of another type than an access or id token"
	// UnknownKey: the issuer has no such key, or several and the token does not say which.
	UnknownKey Refusal = "the token is signed with a key that the issuer does not have"
	// Unavailable: the issuer's keys were never fetched, or cannot be fetched now and the token needs a new one.
	Unavailable Refusal = "the issuer's keys cannot be fetched"
	// WrongSignature: the token was changed, or somebody else has signed it.
	WrongSignature Refusal = "the signature of the token is wrong"
	// WrongIssuer and WrongAudience: the token is of somebody else or for somebody else, or does not say.
	WrongIssuer   Refusal = "the token is of another issuer"
	WrongAudience Refusal = "the token is for another audience"
	// NoExpiry: the token would be valid for ever.
	NoExpiry Refusal = "the token does not say when it expires"
	// Expired and NotYetValid, by more than the leeway.
	Expired     Refusal = "the token has expired"
	NotYetValid Refusal = "the token is not valid yet"
	// WrongName: the claim with the name is missing, or is no text that can be shown.
	WrongName Refusal = "the token does not name its subject"
	// WrongRoles: the claim with the roles is there and is no list of texts.
	WrongRoles Refusal = "the roles in the token are no list of texts"
)

// Error implements error.
func (r Refusal) Error() string { return string(r) }
