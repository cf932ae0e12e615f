// Package identity is what the ways of saying who one is have in common: the answer.
//
// It refuses to know what a role allows; package access, which lies above it, does. Where to start: [Identity].
package identity

import "time"

// Identity is somebody who has proved who it is with something other than an access key.
type Identity struct {
	// Subject is how the other side knows it for good: the "sub" of a token, or the line of a certificate, such
	// as "URI:spiffe://example.org/psp". Two that differ in it are not the same, whatever their names.
	Subject string
	// Name is for people, in journal and history.
	Name string
	// Roles are as access keys have them: quotes, psp:<id>, ec:<tax code>, operator, auditor. Others may be among
	// those of a token, as an issuer has roles of its own; they mean nothing here. They are not to be changed.
	Roles []string
	// Expires is the instant from which on the proof is worth nothing.
	Expires time.Time
}
