package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

// feeLists keeps the published form of the present catalogue, made on the first request after each change.
type feeLists struct {
	mu   sync.Mutex
	last *feeList
}

// feeList is the catalogue of one revision, on one day, in the published form (spec 5).
type feeList struct {
	revision int64
	day      engine.Date
	body     []byte
	// leftOut is the number of bundles that the form has no room for.
	leftOut int
}

// feeList serves the open data.
func (s *simulator) feeList(w http.ResponseWriter, r *http.Request) error {
	if s.options.Export == nil {
		return errNotServed
	}
	snapshot := s.options.Catalogue.Current()
	if snapshot == nil {
		return errNoCatalogue
	}
	day := engine.LocalAt(s.options.Now()).Date
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Gec-Revision", strconv.FormatInt(snapshot.Revision(), 10))
	if fresh(w, r, tag("fee-list", snapshot.Revision(), day, s.assets.Build)) {
		return nil
	}
	list, err := s.lists.get(r.Context(), s.options.Export, snapshot, day)
	if err != nil {
		w.Header().Del("ETag")
		return err
	}
	w.Header().Set("Gec-Bundles-Left-Out", strconv.Itoa(list.leftOut))
	send(w, r, http.StatusOK, "application/json", list.body)
	return nil
}

func (l *feeLists) get(ctx context.Context, export func(context.Context, int64) (bundles.Document, error), s *engine.Snapshot, day engine.Date) (*feeList, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && l.last.revision == s.Revision() && l.last.day == day {
		return l.last, nil
	}
	document, err := export(ctx, s.Revision())
	if err != nil {
		return nil, err
	}
	made, err := writeFeeList(document, s, day)
	if err != nil {
		return nil, err
	}
	l.last = made
	return made, nil
}

// writeFeeList writes what of a catalogue may and can be published: GLOBAL bundles with a fixed fee that are quoted
// on that day.
func writeFeeList(document bundles.Document, s *engine.Snapshot, day engine.Date) (*feeList, error) {
	list := &feeList{revision: s.Revision(), day: day}
	var quoted []bundles.Bundle
	for _, b := range document.Bundles {
		if _, blocked := findFold(s.Settings().BlockedPSPs, b.PSP); !blocked && b.Validity.Holds(day) {
			quoted = append(quoted, b)
		}
	}
	published := bundles.Document{Settings: document.Settings, Bundles: quoted}
	var body bytes.Buffer
	err := format.Write(format.FeeList, &body, published, format.WriteOptions{Today: day})
	var faults bundles.Faults
	if errors.As(err, &faults) { // nothing was written: leave out the bundles that the form has no room for
		published.Bundles = without(quoted, faults)
		list.leftOut = len(quoted) - len(published.Bundles)
		err = format.Write(format.FeeList, &body, published, format.WriteOptions{Today: day})
	}
	if err != nil {
		return nil, fmt.Errorf("open data: %w", err)
	}
	list.body = body.Bytes()
	return list, nil
}

// without returns the bundles that no fault is about.
func without(all []bundles.Bundle, faults bundles.Faults) (rest []bundles.Bundle) {
	faulty := make([]bool, len(all))
	for _, f := range faults {
		index, _, _ := strings.Cut(strings.TrimPrefix(f.Path, "bundles["), "]")
		if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(all) {
			faulty[i] = true
		}
	}
	for i, b := range all {
		if !faulty[i] {
			rest = append(rest, b)
		}
	}
	return rest
}
