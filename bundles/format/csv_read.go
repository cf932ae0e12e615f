package format

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// reading is what was made out of a file whose format is no tree of objects.
type reading struct {
	document bundles.Document
	faults   bundles.Faults
	warnings []bundles.Fault
	// locate gives faults of the document, whose paths are native, their places and paths in the file.
	locate func([]bundles.Fault)
}

// textPlaces is a source that knows places only; the decoder needs no more of it to gather faults.
type textPlaces struct {
	source
	data []byte
}

func (t textPlaces) places(marks []mark) []position { return positions(t.data, marks) }

// csvReader reads one CSV.
type csvReader struct {
	*decoder
	columns []csvColumn // by position; take is nil for one that is not known
	inCents []bool      // by position: the column is in cents
	rows    []mark      // where the row of each bundle begins
	all     []bundles.Bundle
	priced  bool        // there is a column of the fee
	draft   bundleDraft // of the row being read
	here    int         // the position of the cell being taken
}

// readCSV reads a CSV (see csv.go).
func readCSV(data []byte) reading {
	text, warning, fault := textCSV(data)
	if fault != nil {
		return reading{faults: bundles.Faults{*fault}, locate: func([]bundles.Fault) {}}
	}
	r := &csvReader{decoder: &decoder{source: textPlaces{data: text}, name: CSV}}
	s := newCSVScanner(text)
	separator := s.separator
	if r.header(s) {
		r.read(s)
	}
	if len(r.all) == 0 {
		r.all = nil
	}
	done := reading{document: bundles.Document{Bundles: r.all}, faults: r.report(), warnings: r.warnings}
	if warning != "" {
		done.warnings = append(done.warnings, bundles.Fault{Reason: warning, Fix: "save it as CSV UTF-8 to be sure of its accents"})
	}
	done.locate = func(faults []bundles.Fault) { r.locate(text, separator, faults) }
	return done
}

// header reads the row that names the columns and reports whether the rest can be read by it.
func (r *csvReader) header(s *csvScanner) bool {
	begin := mark(s.at)
	cells := s.row(nil)
	if s.reason != "" {
		r.faultBelow("header", mark(s.bad), s.reason, s.fix)
		return false
	}
	if len(cells) > columnsMax {
		r.fault(cells[columnsMax].at, fmt.Sprintf("the first row has more than %d columns", columnsMax), "use the documented ones")
		return false
	}
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1].text) == "" { // separators at the end of the line
		cells = cells[:len(cells)-1]
	}
	known := csvColumns()
	found := 0
	for _, cell := range cells {
		column, inCents, ok := r.headerCell(known, cell)
		if ok {
			found++
		}
		r.columns, r.inCents = append(r.columns, column), append(r.inCents, inCents)
	}
	if found == 0 {
		r.faults = nil
		r.fault(begin, "the first row names no column that is known", "name them in the first row: id, idPsp, type, minPaymentAmount and so on")
		return false
	}
	has := func(name string) bool {
		return slices.ContainsFunc(r.columns, func(c csvColumn) bool { return c.name == name })
	}
	for _, c := range known {
		if c.mandatory && !has(c.name) {
			r.fault(begin, "the column "+c.name+" is missing", "it is mandatory")
		}
	}
	r.priced = slices.ContainsFunc(r.columns, func(c csvColumn) bool { return c.name == "paymentAmount" || strings.HasPrefix(c.name, "fee.") })
	if !r.priced {
		r.fault(begin, "the column paymentAmount is missing", "it is mandatory unless there is another column of the fee")
	}
	return true
}

// headerCell returns the column that a cell of the header names.
func (r *csvReader) headerCell(known []csvColumn, cell csvCell) (c csvColumn, inCents, ok bool) {
	name, unit := strings.TrimSpace(cell.text), ""
	if bare, rest, found := strings.Cut(name, "("); found && strings.HasSuffix(rest, ")") {
		name, unit = strings.TrimSpace(bare), strings.ToLower(strings.TrimSpace(strings.TrimSuffix(rest, ")")))
	}
	c, ok = columnNamed(known, name)
	field := headerPath(name)
	switch {
	case !ok && slices.Contains(keptByCatalogue(), name):
		r.faultBelow(field, cell.at, "is not a column of an upload", "leave it out: the catalogue sets it")
	case !ok && name == "":
		r.faultBelow(field, cell.at, "has a column without a name", "name it, or leave it out")
	case !ok:
		fix := "leave it out"
		if nearest := nearestColumn(known, name); nearest != "" {
			fix = "the nearest one is " + nearest
		}
		r.faultBelow(field, cell.at, "is not a known column", fix)
	case slices.ContainsFunc(r.columns, func(other csvColumn) bool { return other.name == c.name }):
		r.faultBelow(c.name, cell.at, "is named by two columns", "keep one of the two")
		return csvColumn{}, false, true
	}
	switch {
	case !ok || unit == "":
	case c.money && slices.Contains([]string{"cent", "cents", "centesimi"}, unit):
		inCents = true
	case c.money && slices.Contains([]string{"eur", "euro", "€"}, unit):
	default:
		r.faultBelow(c.name, cell.at, bundles.Excerpt(unit)+" is no unit of this column", "amounts are in euro, or in cents where the column says (cents)")
	}
	return c, inCents, ok
}

func nearestColumn(known []csvColumn, name string) string {
	names := make([]string, len(known))
	for i, c := range known {
		names[i] = c.name
	}
	return bundles.Nearest(name, names)
}

// headerPath is the name of a column that is not known, fit for a path.
func headerPath(name string) string {
	if name == "" {
		return "header"
	}
	return fieldText(name)
}

// read reads the rows below the header.
func (r *csvReader) read(s *csvScanner) {
	const rowBytesMin = 16 // of a row that is a bundle; an estimate for the room to make
	r.all = make([]bundles.Bundle, 0, min(bytes.Count(s.data, []byte{'\n'}), len(s.data)/rowBytesMin, BundlesMax)+1)
	var cells []csvCell
	r.path = []step{{name: "bundles"}, {}}
	for s.more() && !r.full() {
		begin := mark(s.at)
		cells = s.row(cells[:0])
		r.path[1].index = len(r.all)
		switch {
		case s.reason != "":
			r.fault(mark(s.bad), s.reason, s.fix)
		case !slices.ContainsFunc(cells, func(c csvCell) bool { return strings.TrimSpace(c.text) != "" }):
			continue // an empty row
		case len(r.all) == BundlesMax:
			r.fault(begin, fmt.Sprintf("is one too many: the file may hold %d", BundlesMax), "split the file")
			return
		}
		r.rows = append(r.rows, begin)
		r.all = append(r.all, r.row(s, cells, begin))
	}
}

// row makes the bundle of a row; what is wrong with it is noted.
func (r *csvReader) row(s *csvScanner, cells []csvCell, begin mark) bundles.Bundle {
	b := &r.draft
	*b = bundleDraft{Bundle: bundles.Bundle{Bundle: engine.Bundle{Touchpoint: engine.Any, Cart: true}}}
	if s.reason != "" {
		return b.Bundle
	}
	for i, cell := range cells {
		if i >= len(r.columns) {
			if strings.TrimSpace(cell.text) != "" {
				r.fault(cell.at, fmt.Sprintf("has more cells than the %d columns of the first row", len(r.columns)), "put a cell that holds the separator in quotes")
				break
			}
			continue
		}
		column := r.columns[i]
		if column.take == nil || cell.text == "" {
			continue
		}
		r.here = i
		r.path = append(r.path, step{name: column.name})
		column.take(r, b, cell)
		r.path = r.path[:2]
	}
	for i, column := range r.columns {
		if column.mandatory && (i >= len(cells) || cells[i].text == "") {
			at := begin
			if i < len(cells) {
				at = cells[i].at
			}
			r.faultBelow(column.name, at, "is missing", "it is mandatory")
		}
	}
	if r.priced {
		r.settleFee(b, begin)
	}
	return b.Bundle
}

// locate finds the cells that faults of the document are about.
func (r *csvReader) locate(text []byte, separator byte, faults []bundles.Fault) {
	marks := make([]mark, len(faults))
	for i := range faults {
		marks[i] = r.cellOf(text, separator, faults[i].Path)
	}
	placeAt(text, faults, marks)
}

// cellOf returns the place of the cell that a path such as "bundles[3].fee.steps[0].upTo" is about, that
// of the row where it has none, and -1 for a path that is about no row.
func (r *csvReader) cellOf(text []byte, separator byte, path string) mark {
	row, field := bundlePath(path)
	if row < 0 || row >= len(r.rows) {
		return -1
	}
	s := &csvScanner{data: text, separator: separator, at: int(r.rows[row])}
	cells := s.row(nil)
	best, at := 0, r.rows[row]
	for i, column := range r.columns {
		name := column.name
		if name == "" || i >= len(cells) || len(name) <= best {
			continue
		}
		if field == name || strings.HasPrefix(field, name+".") || strings.HasPrefix(field, name+"[") || name == "paymentAmount" && strings.HasPrefix(field, "fee") {
			best, at = len(name), cells[i].at
			if field != name && name == "paymentAmount" {
				best = 1 // any column of the fee itself is nearer
			}
		}
	}
	return at
}

// bundlePath splits "bundles[3].fee.steps[0]" into 3 and the rest, -1 where the path is of another kind.
func bundlePath(path string) (index int, field string) {
	rest, found := strings.CutPrefix(path, "bundles[")
	number, field, closed := strings.Cut(rest, "]")
	if !found || !closed || number == "" || len(number) > 9 || strings.Trim(number, "0123456789") != "" {
		return -1, ""
	}
	for _, digit := range []byte(number) {
		index = 10*index + int(digit-'0')
	}
	return index, strings.TrimPrefix(field, ".")
}

// placeAt gives faults without a place that of their mark, where it is not negative.
func placeAt(text []byte, faults []bundles.Fault, marks []mark) {
	order := make([]int, 0, len(faults))
	for i := range faults {
		if faults[i].Line == 0 && marks[i] >= 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(min(max(marks[a]-marks[b], -1), 1)) })
	sorted := make([]mark, len(order))
	for i, at := range order {
		sorted[i] = marks[at]
	}
	for i, p := range positions(text, sorted) {
		faults[order[i]].Line, faults[order[i]].Column = p.line, p.column
	}
}

// readForeign reads a CDI or a CSV.
func readForeign(name Name, data []byte, o ReadOptions) (bundles.Document, []bundles.Fault, error) {
	r := readRows(name, data, o)
	faults, warnings := r.faults, r.warnings
	if o.Check != nil {
		more, moreWarnings := o.Check(&r.document)
		more = apart(name, more, faults)
		r.locate(more)
		r.locate(moreWarnings)
		faults, warnings = append(faults, once(more)...), append(warnings, once(moreWarnings)...)
	}
	bundles.Faults(warnings).Sort()
	return r.document, warnings, faults.Err()
}

func readRows(name Name, data []byte, o ReadOptions) reading {
	if name == CDI {
		return readCDI(data, o)
	}
	return readCSV(data)
}

// once leaves out faults that say the same of the same place: one element of a CDI makes several bundles.
func once(faults []bundles.Fault) []bundles.Fault {
	seen := make(map[bundles.Fault]bool, len(faults))
	return slices.DeleteFunc(faults, func(f bundles.Fault) bool {
		repeated := seen[f]
		seen[f] = true
		return repeated
	})
}
