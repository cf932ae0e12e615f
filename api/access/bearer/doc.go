// Package bearer finds out who a JWT is of that one configured OIDC issuer has signed (RFC 7519, RFC 9068,
// OpenID Connect Discovery).
//
// It refuses what a token says about how to verify it: the algorithms are a fixed list of asymmetric ones, and a
// key is one of the issuer's, whose address comes from the settings or the issuer's own metadata. The headers
// jwk, jku, x5c and x5u are never looked at. A token has to have been made for this service: there is no Verifier
// without an audience. It asks nobody about a single token: what the issuer withdrew holds until it expires.
//
// Known keys go on being used while the issuer cannot be reached. Calls that need no new key never wait for it;
// those that do share one fetch, and fetches keep a distance in time.
//
// Where to start: [New] and [Verifier.Verify]; [Refusal] has the reasons.
package bearer
