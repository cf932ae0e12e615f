package marketplace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/problem"
	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/whatif"
	"gec/engine"
)

// WhatIfRequest is what a PSP or an EC asks before it does something; one of IDPsp and CiFiscalCode is given.
type WhatIfRequest struct {
	IDPsp string `json:"idPsp,omitempty"`
	// Draft is a document in the native format: {"bundles": […]}.
	Draft json.RawMessage `json:"draft,omitempty"`

	CiFiscalCode string                 `json:"ciFiscalCode,omitempty"`
	IDsBundle    []string               `json:"idsBundle,omitempty"`
	Attributes   []whatif.AttributeWire `json:"attributes,omitempty"`

	// Day is an ISO date; empty: the first one that fits.
	Day string `json:"day,omitempty"`
	// Sample is nil for the built-in mix as it is.
	Sample *WhatIfSample `json:"sample,omitempty"`
}

// WhatIfSample is a list of payments, or the built-in mix.
type WhatIfSample struct {
	Payments []whatif.Payment `json:"payments,omitempty"`
	Mix      *WhatIfMix       `json:"mix,omitempty"`
}

// WhatIfMix says how the built-in mix is drawn; see [whatif.Mix].
type WhatIfMix struct {
	Count int    `json:"count,omitempty"`
	Seed  uint64 `json:"seed,omitempty"`
}

// whatIfAnswer is what drafts would do.
type whatIfAnswer struct {
	*whatif.Answer
	Warnings []FaultView `json:"warnings,omitempty"`
}

// whatIfPatience is how long a what-if waits for its turn.
const whatIfPatience = 10 * time.Second

// turn waits for the caller's turn to wonder. One what-if takes up to seconds of a processor and is answered at a
// time, so that however many ask, quotes have the other processors. The function that it returns ends the turn.
// Errors: a problem of a 503 for who waited in vain.
func (c *call) turn() (end func(), err error) {
	ctx, cancel := context.WithTimeout(c.r.Context(), whatIfPatience)
	defer cancel()
	select {
	case c.h.wondering <- struct{}{}:
		return func() { <-c.h.wondering }, nil
	case <-ctx.Done():
		return nil, problem.New(http.StatusServiceUnavailable, codes.Unavailable, "Other what-ifs are being answered: repeat the request in a moment")
	}
}

// whatIf answers what drafts of a PSP would do, or what bearing a share would cost an EC. It stores nothing.
func whatIf(c *call) error {
	body, err := c.body(uploadBytesMax)
	if err != nil {
		return err
	}
	q, err := readWhatIf(body)
	if err != nil {
		return err
	}
	var day engine.Date
	if q.Day != "" {
		if day, err = engine.ParseDate(q.Day); err != nil {
			return problem.Invalid([]problem.Field{{Path: "day", Message: err.Error()}})
		}
	}
	sample, mix := q.sample()
	today := engine.LocalAt(c.h.options.Now()).Date
	if q.CiFiscalCode != "" {
		share := whatif.Share{
			CreditorInstitution: q.CiFiscalCode, Bundles: q.IDsBundle, Day: day, Sample: sample, MixCount: mix.Count, MixSeed: mix.Seed,
		}
		if share.Attributes, err = whatif.Attributes(q.Attributes); err != nil {
			return err
		}
		end, err := c.turn()
		if err != nil {
			return err
		}
		defer end()
		cost, err := whatif.Bear(c.r.Context(), c.catalogue, c.caller, share, today)
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, cost)
	}
	// Before a word is said of the draft.
	if err := c.caller.MayForPSP(q.IDPsp, bundles.FunctionBundles); err != nil {
		return err
	}
	d, _, err := format.Parse(format.Native, q.Draft, format.ReadOptions{Settings: c.catalogue.Current().Settings()})
	if err != nil {
		return inDraft(err)
	}
	end, err := c.turn()
	if err != nil {
		return err
	}
	defer end()
	a, err := whatif.Ask(c.r.Context(), c.catalogue, c.caller, whatif.Question{
		PSP: q.IDPsp, Drafts: d.Bundles, Day: day, Sample: sample, MixCount: mix.Count, MixSeed: mix.Seed,
	}, today)
	if err != nil {
		return inDraft(err)
	}
	return c.json(http.StatusOK, whatIfAnswer{a, faultsOf(a.Warnings)})
}

// readWhatIf reads the body strictly. Errors: *problem.Problem.
func readWhatIf(body []byte) (*WhatIfRequest, error) {
	var q WhatIfRequest
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&q)
	if err == nil && decoder.More() {
		err = errors.New("there is text after the document")
	}
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the document ends early")
		}
		return nil, problem.Malformed(err.Error())
	}
	var fields []problem.Field
	fault := func(path, message string) { fields = append(fields, problem.Field{Path: path, Message: message}) }
	switch {
	case (q.IDPsp == "") == (q.CiFiscalCode == ""):
		fault("", "says who asks in both or neither of idPsp and ciFiscalCode; give one")
	case q.IDPsp != "" && len(q.Draft) == 0:
		fault("draft", `is missing; send the bundles as they would be uploaded, {"bundles": […]}`)
	case q.IDPsp != "" && (q.IDsBundle != nil || q.Attributes != nil):
		fault("attributes", "are what an EC asks about; leave them out")
	case q.CiFiscalCode != "" && len(q.Draft) > 0:
		fault("draft", "is what a PSP asks about; leave it out")
	}
	if q.Sample != nil && (q.Sample.Payments == nil) == (q.Sample.Mix == nil) {
		fault("sample", "has both or neither of payments and mix; give one")
	}
	if len(fields) > 0 {
		return nil, problem.Invalid(fields)
	}
	return &q, nil
}

// sample returns the payments of the request, nil for the built-in mix.
func (q *WhatIfRequest) sample() ([]whatif.Payment, WhatIfMix) {
	switch {
	case q.Sample == nil:
		return nil, WhatIfMix{}
	case q.Sample.Mix != nil:
		return nil, *q.Sample.Mix
	}
	return q.Sample.Payments, WhatIfMix{}
}

// inDraft puts the paths of faults below the draft that they are in; their lines are those of the draft alone
// and would mislead.
func inDraft(err error) error {
	var faults bundles.Faults
	if !errors.As(err, &faults) {
		return err
	}
	placed := make(bundles.Faults, len(faults))
	for n, f := range faults {
		f.Line, f.Column = 0, 0
		if !whatif.OfQuestion(f.Path) {
			f.Path = bundles.Faults{f}.Under("draft")[0].Path
		}
		placed[n] = f
	}
	return placed
}
