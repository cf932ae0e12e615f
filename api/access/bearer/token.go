package bearer

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"gec/api/access/identity"
)

// The bounds of what a token may say.
const (
	nameBytesMax = 256
	rolesMax     = 256
	roleBytesMax = 128
)

// types are the values of "typ" of tokens that prove who their subject is (RFC 7519, 5.1; RFC 9068, 2.1), in
// lower case. Others, such as logout+jwt, are made of the same claims and mean something else (RFC 8725, 3.11).
var types = []string{"", "jwt", "at+jwt", "application/at+jwt", "application/jwt"}

// check verifies a token: its form, its signature, and then what it says.
func (v *Verifier) check(ctx context.Context, token string, now time.Time) (identity.Identity, *set, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		var unexpected *jose.ErrUnexpectedSignatureAlgorithm
		if errors.As(err, &unexpected) {
			return identity.Identity{}, nil, WrongAlgorithm
		}
		return identity.Identity{}, nil, Malformed
	}
	header := parsed.Headers[0]
	if err := checkHeader(header); err != nil {
		return identity.Identity{}, nil, err
	}
	key, set, err := v.keys.find(ctx, now, header.KeyID, jose.SignatureAlgorithm(header.Algorithm))
	if err != nil {
		return identity.Identity{}, nil, err
	}
	var claims jwt.Claims
	var all map[string]any
	switch err := parsed.Claims(key, &claims, &all); {
	case errors.Is(err, jose.ErrCryptoFailure):
		return identity.Identity{}, nil, WrongSignature
	case err != nil:
		return identity.Identity{}, nil, Malformed
	}
	if err := v.checkClaims(claims, now); err != nil {
		return identity.Identity{}, nil, err
	}
	found, err := v.identify(claims, all)
	return found, set, err
}

// checkHeader refuses types that are for something else, and "crit": nothing is understood here that would change
// how the rest is read.
func checkHeader(h jose.Header) error {
	if _, critical := h.ExtraHeaders["crit"]; critical {
		return Malformed
	}
	kind, isText := h.ExtraHeaders[jose.HeaderType].(string)
	if _, there := h.ExtraHeaders[jose.HeaderType]; there && !isText || !slices.Contains(types, strings.ToLower(kind)) {
		return WrongType
	}
	return nil
}

// instantMax is the last second of the year 9999: no token is meant to live longer.
const instantMax = 253402300799

func (v *Verifier) checkClaims(c jwt.Claims, now time.Time) error {
	if c.Expiry == nil {
		return NoExpiry
	}
	for _, at := range []*jwt.NumericDate{c.Expiry, c.NotBefore, c.IssuedAt} {
		if at != nil && (*at < 0 || *at > instantMax) {
			return Malformed
		}
	}
	expected := jwt.Expected{Issuer: v.config.Issuer, AnyAudience: jwt.Audience{v.config.Audience}, Time: now}
	switch err := c.ValidateWithLeeway(expected, Leeway); {
	case err == nil && now.Before(c.Expiry.Time().Add(Leeway)):
		return nil
	case err == nil || errors.Is(err, jwt.ErrExpired):
		return Expired
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return WrongIssuer
	case errors.Is(err, jwt.ErrInvalidAudience):
		return WrongAudience
	default:
		return NotYetValid
	}
}

// identify reads the caller out of claims that hold.
func (v *Verifier) identify(claims jwt.Claims, all map[string]any) (identity.Identity, error) {
	name, _ := all[v.config.NameClaim].(string)
	if !shown(claims.Subject) || !shown(name) {
		return identity.Identity{}, WrongName
	}
	roles, err := roles(all, v.config.RolesClaim)
	return identity.Identity{Subject: claims.Subject, Name: name, Roles: roles, Expires: claims.Expiry.Time().Add(Leeway)}, err
}

// shown reports whether a text can stand in a log and a journal as it is.
func shown(text string) bool {
	return text != "" && len(text) <= nameBytesMax && utf8.ValidString(text) && text == strings.TrimSpace(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// roles reads a list of texts, nil where there is none.
func roles(claims map[string]any, claim string) ([]string, error) {
	value, there := lookUp(claims, claim)
	if !there {
		return nil, nil
	}
	list, isList := value.([]any)
	if !isList || len(list) > rolesMax {
		return nil, WrongRoles
	}
	texts := make([]string, len(list))
	for i, one := range list {
		text, isText := one.(string)
		if !isText || len(text) > roleBytesMax {
			return nil, WrongRoles
		}
		texts[i] = text
	}
	return texts, nil
}

// lookUp returns a claim by its name, or by a JSON Pointer to it (RFC 6901).
func lookUp(claims map[string]any, name string) (any, bool) {
	path, pointer := strings.CutPrefix(name, "/")
	if !pointer {
		value, there := claims[name]
		return value, there
	}
	var value any = claims
	for step := range strings.SplitSeq(path, "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		switch at := value.(type) {
		case map[string]any:
			var there bool
			if value, there = at[step]; !there {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			value = at[i]
		default:
			return nil, false
		}
	}
	return value, true
}
