package journal

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"gec/bundles"
	"gec/bundles/format"
)

// Format is how records are written.
type Format string

// The formats: a JSON object a line; a table with a line of names first, whose cells no spreadsheet takes for
// formulas.
const (
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
)

// Filter says which records are exported; its zero value, all.
type Filter struct {
	// From and To bound the instant of a record, From included; the zero Time does not bound.
	From, To time.Time
	// CreditorInstitution, PSP and Operation are those of a record, ignoring case; empty: any.
	CreditorInstitution, PSP, Operation string
}

// takes reports whether a record is exported.
func (f *Filter) takes(r *Record) bool {
	same := func(wanted, is string) bool { return wanted == "" || strings.EqualFold(wanted, is) }
	return !r.at.Before(f.From) && (f.To.IsZero() || r.at.Before(f.To)) &&
		same(f.CreditorInstitution, r.IdentificativoDominio) && same(f.PSP, r.IdentificativoPrestatoreServiziPagamento) &&
		same(f.Operation, r.TipoEvento)
}

// slack is how much longer than the segment in which it stands a call may have begun before it, or a clock have
// been wrong, before a filter by time leaves it out.
const slack = time.Hour

// wants reports whether a segment that begins at one instant and ends at another may have records to export.
func (f *Filter) wants(began, ended time.Time) bool {
	return (f.From.IsZero() || !ended.Add(slack).Before(f.From)) && (f.To.IsZero() || began.Add(-slack).Before(f.To))
}

// Exported says what an export wrote.
type Exported struct {
	// Records are those written, of calls, of changes and of gaps.
	Records int
	// Faults are what is wrong with the journals where they were read.
	Faults []Fault
}

// Export writes the records of the journals in the given folders, and those of changes of the catalogue, in order
// of time: that of the answer for a call, whose two records stand together. A change that is given twice, as by two
// nodes of a cluster, is written once. The journals may be written meanwhile. Errors: of reading and of writing.
func Export(out io.Writer, as Format, dirs []string, changes []bundles.Record, f Filter) (Exported, error) {
	write, flush, err := writerOf(out, as)
	if err != nil {
		return Exported{}, err
	}
	var done Exported
	sources := []source{changesOf(changes)}
	for _, dir := range dirs {
		s, stop := sourceOf(dir, &f, &done)
		defer stop()
		sources = append(sources, s)
	}
	for {
		next, err := earliest(sources)
		if err != nil {
			return done, err
		}
		if next == nil {
			return done, flush()
		}
		for i := range next.records {
			r := &next.records[i]
			if !f.takes(r) {
				continue
			}
			if err := write(r); err != nil {
				return done, err
			}
			done.Records++
		}
	}
}

// event is what stands together in an export.
type event struct {
	at      time.Time
	records []Record
}

// source gives events in order; the next one waits in head.
type source struct {
	head *event
	next func() (*event, error)
}

// earliest takes the earliest event of all sources, nil where there are no more.
func earliest(sources []source) (*event, error) {
	var first *source
	for i := range sources {
		s := &sources[i]
		if s.head == nil && s.next != nil {
			var err error
			if s.head, err = s.next(); err != nil {
				return nil, err
			}
			if s.head == nil {
				s.next = nil
			}
		}
		if s.head != nil && (first == nil || s.head.at.Before(first.head.at)) {
			first = s
		}
	}
	if first == nil {
		return nil, nil
	}
	taken := first.head
	first.head = nil
	return taken, nil
}

// changesOf are the changes of the catalogue, each once.
func changesOf(changes []bundles.Record) source {
	changes = slices.Clone(changes)
	slices.SortFunc(changes, func(a, b bundles.Record) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return int(a.Revision - b.Revision)
	})
	changes = slices.CompactFunc(changes, func(a, b bundles.Record) bool { return a.Revision == b.Revision && a.At.Equal(b.At) })
	return source{next: func() (*event, error) {
		if len(changes) == 0 {
			return nil, nil
		}
		r := ChangeRecord(changes[0])
		changes = changes[1:]
		return &event{r.at, []Record{r}}, nil
	}}
}

// sourceOf reads a journal as far as the filter needs it.
func sourceOf(dir string, f *Filter, done *Exported) (source, func()) {
	next, stop := iter.Pull2(func(yield func(*event, error) bool) {
		w := newWalk(dir)
		if !f.From.IsZero() || !f.To.IsZero() {
			w.wanted = f.wants
		}
		w.yield = func(frame *frame) bool {
			one := frame.event()
			return one == nil || yield(one, nil)
		}
		err := w.read()
		done.Faults = append(done.Faults, w.report.Faults...)
		if err != nil && !w.ended {
			yield(nil, err)
		}
	})
	return source{next: func() (*event, error) {
		one, err, _ := next()
		return one, err
	}}, stop
}

// event returns the records of a frame, nil for none.
func (f *frame) event() *event {
	switch kind(f.payload[0]) {
	case kindCall:
		if e, err := decodeEntry(f.payload); err == nil {
			req, rsp := e.records()
			return &event{rsp.at, []Record{req, rsp}}
		}
	case kindGap:
		if g, err := decodeGap(f.payload); err == nil {
			r := g.record()
			return &event{r.at, []Record{r}}
		}
	}
	return nil
}

// writerOf returns what writes a record, and what has to be called at the end.
func writerOf(out io.Writer, as Format) (write func(*Record) error, flush func() error, err error) {
	switch as {
	case JSONLines:
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return func(r *Record) error { return encoder.Encode(r) }, func() error { return nil }, nil
	case CSV:
		table := csv.NewWriter(out)
		err := table.Write(columns())
		return func(r *Record) error {
				cells := r.cells()
				for i := range cells {
					cells[i] = format.SafeCell(cells[i])
				}
				return table.Write(cells)
			}, func() error {
				table.Flush()
				return table.Error()
			}, err
	}
	return nil, nil, fmt.Errorf("journal: %q is no format: use %s or %s", as, JSONLines, CSV)
}
