package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"gec/bundles"
	"gec/engine"
)

// The limits of a caller where Options name none.
const (
	// RatePerMinute is the number of pages that one address gets a minute, on average.
	RatePerMinute = 240
	// RateBurst is the number of pages that one address gets at once after a pause.
	RateBurst = 60
	// RateAddressesMax is the number of addresses that are remembered; the one that asked longest ago is
	// forgotten first.
	RateAddressesMax = 20_000
)

// Catalogue is where the page gets its quotes from.
type Catalogue interface {
	// Current returns the current snapshot; nil while there is none.
	Current() *engine.Snapshot
}

// Options are what the page needs from outside. The zero value of every field but Catalogue is usable.
type Options struct {
	// Catalogue answers the questions.
	Catalogue Catalogue
	// Published returns the instant at which a revision became current; nil: the page does not tell.
	Published func(ctx context.Context, revision int64) (time.Time, error)
	// Export returns the catalogue of a revision, for the open data; nil: no open data is served.
	Export func(ctx context.Context, revision int64) (bundles.Document, error)
	// CreditorInstitutions are the names of ECs by tax code, which the catalogue does not hold; nil: ECs
	// are asked for by tax code only.
	CreditorInstitutions map[string]string
	// AccessibilityURL and FeedbackURL are the operator's declaration of accessibility and the way to
	// report what is not accessible; empty: the page's own section is linked instead.
	AccessibilityURL, FeedbackURL string
	// RatePerMinute and RateBurst bound the requests of one address; 0: RatePerMinute and RateBurst.
	RatePerMinute, RateBurst int
	// Address returns what requests are counted by; nil: the address of the connection, IPv6 by its /64.
	// An operator behind a proxy takes it from the header that the proxy writes.
	Address func(*http.Request) string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Logger gets the causes of internal errors; nil: nothing is logged.
	Logger *slog.Logger
}

// withDefaults returns the options in force. Errors: what is wrong with them.
func (o Options) withDefaults() (Options, error) {
	if o.Catalogue == nil {
		return o, errors.New("simulator: Catalogue is missing")
	}
	if o.RatePerMinute < 0 || o.RateBurst < 0 {
		return o, fmt.Errorf("simulator: RatePerMinute is %d and RateBurst %d: use 1 or more, or 0 for %d and %d", o.RatePerMinute, o.RateBurst, RatePerMinute, RateBurst)
	}
	if o.RatePerMinute == 0 {
		o.RatePerMinute = RatePerMinute
	}
	if o.RateBurst == 0 {
		o.RateBurst = RateBurst
	}
	if o.Address == nil {
		o.Address = remoteAddress
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
