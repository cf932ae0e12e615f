package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gec/bundles"
	"gec/bundles/whatif"
)

// SampleBytesMax is the size of the largest sample of payments.
const SampleBytesMax = 16 << 20

// sampleColumn is a column of a sample in CSV: how a cell becomes a part of a payment, and what is wrong where
// it does not.
type sampleColumn struct {
	name string
	take func(p *whatif.Payment, text string) (reason, fix string)
}

func sampleColumns() []sampleColumn {
	text := func(name string, into func(*whatif.Payment) *string) sampleColumn {
		return sampleColumn{name, func(p *whatif.Payment, cell string) (string, string) {
			*into(p) = strings.TrimSpace(cell)
			return "", ""
		}}
	}
	whole := func(name string, into func(*whatif.Payment) *int64) sampleColumn {
		return sampleColumn{name, func(p *whatif.Payment, cell string) (reason, fix string) {
			n, err := strconv.ParseInt(strings.TrimSpace(cell), 10, 64)
			if err != nil {
				return "is no whole number", "write digits only"
			}
			*into(p) = n
			return "", ""
		}}
	}
	return []sampleColumn{
		{"amount", func(p *whatif.Payment, cell string) (reason, fix string) {
			p.AmountCents, reason, fix = parseAmount(cell)
			return reason, fix
		}},
		whole("amountCents", func(p *whatif.Payment) *int64 { return &p.AmountCents }),
		text("touchpoint", func(p *whatif.Payment) *string { return &p.Touchpoint }),
		text("paymentType", func(p *whatif.Payment) *string { return &p.PaymentType }),
		text("transferCategory", func(p *whatif.Payment) *string { return &p.TransferCategory }),
		text("bin", func(p *whatif.Payment) *string { return &p.BIN }),
		text("time", func(p *whatif.Payment) *string { return &p.Time }),
		whole("count", func(p *whatif.Payment) *int64 { return &p.Count }),
	}
}

// ReadSample reads a sample of payments: JSON lines or a JSON list with the fields of [whatif.Payment], or CSV
// whose first row names the columns: amount in euro, or amountCents; touchpoint, paymentType,
// transferCategory, bin, time and count. CSV is read as that of bundles is: the separators, decimal marks and
// encodings of Italian spreadsheets.
//
// Errors: bundles.Faults with lines; those of r.
func ReadSample(r io.Reader) ([]whatif.Payment, error) {
	data, err := io.ReadAll(io.LimitReader(r, SampleBytesMax+1))
	if err != nil {
		return nil, err
	}
	if len(data) > SampleBytesMax {
		return nil, bundles.Faults{{Reason: fmt.Sprintf("the sample is larger than %d bytes", SampleBytesMax), Fix: "count payments that are alike in one line"}}
	}
	if start := bytes.TrimLeft(data, "\xEF\xBB\xBF \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		return sampleJSON(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")))
	}
	text, _, fault := textCSV(data)
	if fault != nil {
		return nil, bundles.Faults{*fault}
	}
	return sampleCSV(text)
}

// sampleJSON reads values one after the other, or one list of them.
func sampleJSON(data []byte) ([]whatif.Payment, error) {
	sample := []whatif.Payment{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	for {
		var err error
		if start := bytes.TrimLeft(data[decoder.InputOffset():], " \t\r\n"); len(start) > 0 && start[0] == '[' && len(sample) == 0 {
			err = decoder.Decode(&sample)
		} else {
			var p whatif.Payment
			if err = decoder.Decode(&p); err == nil {
				sample = append(sample, p)
			}
		}
		if errors.Is(err, io.EOF) {
			return sample, nil
		}
		if err == nil && len(sample) > whatif.PaymentsMax {
			err = fmt.Errorf("there are more than %d payments", whatif.PaymentsMax)
		}
		if err != nil {
			at := int(decoder.InputOffset())
			at += len(data[at:]) - len(bytes.TrimLeft(data[at:], " \t\r\n"))
			return nil, bundles.Faults{*faultAt(data, min(at, len(data)-1), strings.TrimPrefix(err.Error(), "json: "), "write one payment in a line, as in {\"amountCents\": 2500}")}
		}
	}
}

// sampleCSVReader reads a sample in CSV.
type sampleCSVReader struct {
	text    []byte
	columns []sampleColumn
	faults  bundles.Faults
}

func (r *sampleCSVReader) fault(at mark, path, reason, fix string) {
	if f := faultAt(r.text, min(int(at), len(r.text)-1), reason, fix); len(r.faults) < faultsMax {
		f.Path = path
		r.faults = append(r.faults, *f)
	}
}

// header reads the row that names the columns.
func (r *sampleCSVReader) header(s *csvScanner) {
	known := sampleColumns()
	var names []string
	for _, cell := range s.row(nil) {
		name := strings.TrimSpace(cell.text)
		at := slices.IndexFunc(known, func(c sampleColumn) bool { return strings.EqualFold(c.name, name) })
		if at < 0 {
			r.fault(cell.at, "", "the column "+bundles.Excerpt(name)+" is unknown", "use amount, touchpoint, paymentType, transferCategory, bin, time and count")
			continue
		}
		if slices.Contains(names, known[at].name) {
			r.fault(cell.at, "", "the column "+bundles.Excerpt(name)+" is there twice", "keep one of them")
		}
		r.columns, names = append(r.columns, known[at]), append(names, known[at].name)
	}
	if s.reason != "" {
		r.fault(mark(s.bad), "", s.reason, s.fix)
	}
	if slices.Contains(names, "amount") == slices.Contains(names, "amountCents") {
		r.fault(0, "", "the first row names both or neither of amount and amountCents", "name one of them: amount is in euro")
	}
}

// payment reads one row.
func (r *sampleCSVReader) payment(begin mark, cells []csvCell) (p whatif.Payment) {
	before := len(r.faults)
	for n, cell := range cells {
		if n >= len(r.columns) {
			if strings.TrimSpace(cell.text) != "" {
				r.fault(cell.at, "", "the row has more cells than the first one", "leave them out")
			}
			break
		}
		if strings.TrimSpace(cell.text) == "" {
			continue
		}
		if reason, fix := r.columns[n].take(&p, cell.text); reason != "" {
			r.fault(cell.at, r.columns[n].name, bundles.Excerpt(cell.text)+" "+reason, fix)
		}
	}
	if p.AmountCents <= 0 && len(r.faults) == before {
		r.fault(begin, "amount", "is missing or not above 0", "say how much is paid")
	}
	return p
}

// sampleCSV reads rows.
func sampleCSV(text []byte) ([]whatif.Payment, error) {
	s := newCSVScanner(text)
	r := &sampleCSVReader{text: text}
	if r.header(s); len(r.faults) > 0 {
		return nil, r.faults
	}
	sample := []whatif.Payment{}
	for s.more() && len(sample) <= whatif.PaymentsMax {
		begin := mark(s.at)
		cells := s.row(nil)
		switch {
		case s.reason != "":
			r.fault(mark(s.bad), "", s.reason, s.fix)
		case len(cells) == 1 && strings.TrimSpace(cells[0].text) == "": // an empty line
		default:
			sample = append(sample, r.payment(begin, cells))
		}
	}
	return sample, r.faults.Err()
}
