package format

import (
	"time"
)

// WireKey is an access key as its maker describes it.
type WireKey struct {
	Name          string
	Roles         []string
	RatePerSecond int64
	ExpiresAt     time.Time
}

// WireDelegation is a delegation as its giver describes it.
type WireDelegation struct {
	Party, Grantee string
	Functions      []string
	Until          time.Time
}

// ReadKey reads an access key that is to be made. Unknown fields are faults: a key whose end was mistyped would
// never end. Errors: *MalformedError; bundles.Faults.
func ReadKey(body []byte) (k WireKey, err error) {
	fields := newTable(
		textField("name", func(k *WireKey) *string { return &k.Name }),
		field[WireKey]{name: "roles", take: func(d *decoder, k *WireKey) { k.Roles = d.texts() }},
		wholeField("ratePerSecond", false, wholeNumber, func(k *WireKey) *int64 { return &k.RatePerSecond }),
		instantField("expiresAt", func(k *WireKey) *time.Time { return &k.ExpiresAt }),
	)
	err = readAs(body, access, func(d *decoder) { takeObject(d, fields, &k) })
	return k, err
}

// ReadDelegation reads a delegation that is to be given. Errors: as ReadKey.
func ReadDelegation(body []byte) (g WireDelegation, err error) {
	fields := newTable(
		textField("party", func(g *WireDelegation) *string { return &g.Party }),
		textField("grantee", func(g *WireDelegation) *string { return &g.Grantee }),
		field[WireDelegation]{name: "functions", take: func(d *decoder, g *WireDelegation) { g.Functions = d.texts() }},
		instantField("until", func(g *WireDelegation) *time.Time { return &g.Until }),
	)
	err = readAs(body, access, func(d *decoder) { takeObject(d, fields, &g) })
	return g, err
}

// ReadRotation reads for how many seconds a rotated key is still taken by its old secret; otherwise where the
// body does not say. Errors: as ReadKey.
func ReadRotation(body []byte, otherwise int64) (overlapSeconds int64, err error) {
	fields := newTable(wholeField("overlapSeconds", false, wholeNumber, func(s *int64) *int64 { return s }))
	overlapSeconds = otherwise
	err = readAs(body, access, func(d *decoder) { takeObject(d, fields, &overlapSeconds) })
	return overlapSeconds, err
}

// instantField is a field with an instant, as 2027-01-31T22:59:59Z.
func instantField[T any](name string, into func(*T) *time.Time) field[T] {
	return field[T]{name: name, take: func(d *decoder, t *T) {
		_, at := d.peek()
		value, ok := d.text()
		if !ok {
			return
		}
		instant, err := time.Parse(time.RFC3339, value)
		if err != nil {
			d.fault(at, "is no instant", "write it with its offset, as 2027-01-31T22:59:59Z")
			return
		}
		*into(t) = instant.UTC()
	}}
}
