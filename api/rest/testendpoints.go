package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gec/api/problem"
	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

// The test endpoints of spec 4: the platform's own test suites put their bundles, touchpoints and payment types
// in place with them. They are served only where the operator turned them on. They are ordinary changes of the
// catalogue, with a revision each, so that their effect is there when they are acknowledged.

// testBodyBytesMax is the size of the largest list that a test endpoint takes.
const testBodyBytesMax = 8 << 20

// testCaller is who the history of the catalogue names for changes made by test endpoints.
const testCaller = "test endpoints"

// addBundles puts snapshot bundles in place, replacing those with the same ids.
func (a *API) addBundles(x *exchange) error {
	c, err := a.testRequest(x)
	if err != nil {
		return err
	}
	document, err := parseBundles(c, x.body)
	if err != nil {
		return err
	}
	document.Settings = nil // a list of bundles says nothing of them
	options := bundles.ImportOptions{Mode: bundles.ImportMerge, Origin: bundles.OriginSnapshot, Lenient: true, Operation: x.operation}
	return x.changed(http.StatusCreated, c, replaceBundles(x.r.Context(), c, document, options))
}

// parseBundles reads a list of snapshot bundles for a catalogue. Errors: *problem.Problem; bundles.Faults, with places
// in the list as it was sent.
func parseBundles(c *bundles.Catalogue, list []byte) (bundles.Document, error) {
	const before, after = `{"bundles":`, `}`
	if !json.Valid(list) {
		return bundles.Document{}, problem.Malformed("the body is no JSON document: send a list of bundles")
	}
	document, _, err := format.Parse(format.Snapshot, slices.Concat([]byte(before), list, []byte(after)), format.ReadOptions{Rest: c.Rest})
	var faults bundles.Faults
	if errors.As(err, &faults) {
		placed := slices.Clone(faults)
		for i := range placed {
			if placed[i].Line == 1 {
				placed[i].Column -= len(before)
			}
		}
		return document, placed
	}
	return document, err
}

// replaceBundles imports bundles. Those that exist are removed first, because an import adds to the subscriptions of a
// bundle and never ends one; not before it is certain that the import will be taken.
func replaceBundles(ctx context.Context, c *bundles.Catalogue, d bundles.Document, o bundles.ImportOptions) error {
	caller := bundles.Operator(testCaller)
	var existing []string
	for i := range d.Bundles {
		if _, there := c.Current().Bundle(d.Bundles[i].ID); there {
			existing = append(existing, d.Bundles[i].ID)
		}
	}
	if len(existing) > 0 {
		trial := o
		trial.DryRun = true
		if _, err := c.Import(ctx, caller, d, trial); err != nil {
			return err
		}
		if _, err := c.Remove(ctx, caller, existing, o.Operation); err != nil {
			return err
		}
	}
	_, err := c.Import(ctx, caller, d, o)
	return err
}

// deleteBundles removes bundles, of which only the ids are looked at, and their subscriptions.
func (a *API) deleteBundles(x *exchange) error {
	c, err := a.testRequest(x)
	if err != nil {
		return err
	}
	ids, err := members(x.body, "id")
	if err != nil {
		return err
	}
	_, err = c.Remove(x.r.Context(), bundles.Operator(testCaller), ids, x.operation)
	return x.changed(http.StatusOK, c, err)
}

func (a *API) addTouchpoints(x *exchange) error {
	return a.editNames(x, http.StatusCreated, touchpoints, addNames)
}

func (a *API) deleteTouchpoints(x *exchange) error {
	return a.editNames(x, http.StatusOK, touchpoints, deleteNames)
}

func (a *API) addPaymentTypes(x *exchange) error {
	return a.editNames(x, http.StatusCreated, paymentTypes, addNames)
}

func (a *API) deletePaymentTypes(x *exchange) error {
	return a.editNames(x, http.StatusOK, paymentTypes, deleteNames)
}

// refresh is there for suites that call it; the catalogue is always current.
func (a *API) refresh(x *exchange) error {
	c := a.catalogue.Load()
	if c == nil {
		return notReady()
	}
	return x.changed(http.StatusOK, c, nil)
}

func touchpoints(s *engine.Settings) *[]string  { return &s.Touchpoints }
func paymentTypes(s *engine.Settings) *[]string { return &s.PaymentTypes }

// addNames and deleteNames compare as quotes do, ignoring case. ANY means all names and is none to register.
func addNames(list, names []string) []string {
	for _, name := range names {
		if !strings.EqualFold(name, engine.Any) && !containsFold(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func deleteNames(list, names []string) []string {
	return slices.DeleteFunc(list, func(name string) bool { return containsFold(names, name) })
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(other string) bool { return strings.EqualFold(name, other) })
}

// editNames changes one list of registered names by the names that the body lists.
func (a *API) editNames(x *exchange, status int, of func(*engine.Settings) *[]string, edit func(list, names []string) []string) error {
	c, err := a.testRequest(x)
	if err != nil {
		return err
	}
	names, err := members(x.body, "name")
	if err != nil {
		return err
	}
	_, err = c.ChangeSettings(x.r.Context(), bundles.Operator(testCaller), x.operation, func(s *engine.Settings) {
		list := of(s)
		*list = edit(slices.Clone(*list), names)
	})
	return x.changed(status, c, err)
}

// testRequest reads the body of a test endpoint and finds the catalogue to change.
func (a *API) testRequest(x *exchange) (*bundles.Catalogue, error) {
	c := a.catalogue.Load()
	if c == nil {
		return nil, notReady()
	}
	if err := x.readBody(testBodyBytesMax); err != nil {
		return nil, err
	}
	return c, nil
}

// changed answers with the revision that now is current.
func (x *exchange) changed(status int, c *bundles.Catalogue, err error) error {
	if err != nil {
		return err
	}
	revision := strconv.FormatInt(c.Current().Revision(), 10)
	x.w.Header()[headerRevision] = []string{revision}
	x.out = append(append(append(x.out[:0], `{"revision":`...), revision...), '}')
	x.json(status)
	return nil
}

// members reads one text of each object of a list.
func members(body []byte, key string) ([]string, error) {
	var list []map[string]any
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, problem.Malformed("the body must be a list of objects: " + err.Error())
	}
	var faults []problem.Field
	texts := make([]string, len(list))
	for i, object := range list {
		text, ok := object[key].(string)
		if !ok || blank(text) {
			faults = append(faults, problem.Field{Path: fmt.Sprintf("[%d].%s", i, key), Message: "is mandatory, send a text"})
		}
		texts[i] = text
	}
	if len(faults) > 0 {
		return nil, problem.Invalid(faults)
	}
	return texts, nil
}
