package format

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/go-faster/jx"

	"gec/bundles"
	"gec/engine"
)

// notebookVersion is the version of the form of the published list that is written.
const notebookVersion = "0.4.0"

// writeFeeList writes a fee list in the bytes of the published one.
func writeFeeList(w io.Writer, d *bundles.Document, o WriteOptions) error {
	var faults bundles.Faults
	var rows []feeRow
	for i := range d.Bundles {
		b := &d.Bundles[i]
		if !valid(b.Validity, o.Today) {
			continue
		}
		more, flaws := rowsOf(b, o.Today)
		rows = append(rows, more...)
		for _, f := range flaws {
			f.Path = fmt.Sprintf("bundles[%d].%s", i, f.Path)
			f.Reason = fmt.Sprintf("bundle %s %s", bundles.Excerpt(b.ID), f.Reason)
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return faults
	}
	out := bufio.NewWriterSize(w, 64<<10)
	out.WriteString("{\n")
	if o.Today != 0 {
		fmt.Fprintf(out, "  \"last_Run\": \"%08d\",\n", o.Today)
	}
	fmt.Fprintf(out, "  \"notebookVersion\": %q,\n  \"content\": [", notebookVersion)
	for i := range rows {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		rows[i].write(out)
	}
	if len(rows) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteString("]\n}")
	return out.Flush()
}

// valid reports whether the bundle is part of a list of that day; without a day every bundle is.
func valid(p engine.Period, today engine.Date) bool { return today == 0 || p.Holds(today) }

// rowsOf returns the rows of a bundle, one for each step of its fee (F2), or what the list cannot say.
func rowsOf(b *bundles.Bundle, today engine.Date) (rows []feeRow, faults bundles.Faults) {
	cannot := func(path string, hasIt bool, reason string) {
		if hasIt {
			faults = append(faults, bundles.Fault{Path: path, Reason: reason, Fix: "the fee list cannot say that: leave the bundle out, or use another format"})
		}
	}
	cannot("type", b.Type != engine.Global, "is "+b.Type.String())
	cannot("paymentType", b.PaymentType == "", "is for any payment type")
	cannot("touchpoint", !new(feeRow).setTouchpoint(b.Touchpoint), "is for the touchpoint "+bundles.Excerpt(b.Touchpoint))
	cannot("transferCategoryList", len(b.TransferCategories) > 0, "is for some taxonomy codes only")
	cannot("minPaymentAmount", b.Band.MinCents < 0, "has a negative minimum")
	cannot("cart", !b.Cart, "is not for carts")
	cannot("digitalStamp", b.DigitalStamp || b.DigitalStampOnly, "is for digital stamps")
	cannot("validityDateFrom", today == 0 && b.Validity != engine.Period{}, "is not valid always, and the day of the list is not given")
	cannot("schedule", b.Schedule != nil, "has a schedule")
	cannot("when", b.When != "", "has a condition")
	bands, ok := flatBands(b)
	cannot("fee", !ok, "has a fee that is no fixed amount")
	if len(faults) > 0 {
		return nil, faults
	}
	for _, band := range bands {
		rows = append(rows, rowOf(b, band.Band, band.feeCents))
	}
	return rows, nil
}

// flatBand is a part of a bundle's band with one fixed fee.
type flatBand struct {
	engine.Band
	feeCents int64
}

// flatBands cuts the bundle's band at the steps of its fee. It is not ok if the fee varies within one.
func flatBands(b *bundles.Bundle) (bands []flatBand, ok bool) {
	low := b.Band.MinCents
	for i := 0; i == 0 || i < len(b.Fee.Steps); i++ {
		high := b.Band.MaxCents
		part := b.Fee
		part.Steps = nil
		if i < len(b.Fee.Steps) {
			step := b.Fee.Steps[i]
			if step.UpToCents != nil {
				high = min(high, *step.UpToCents)
			}
			part.Steps = []engine.FeeStep{{Fee: step.Fee}}
		}
		if low >= high {
			continue
		}
		fee, flat := flatFee(&part)
		if !flat {
			return nil, false
		}
		bands = append(bands, flatBand{engine.Band{MinCents: low, MaxCents: high}, fee})
		low = high
	}
	return bands, true
}

// flatFee returns a fee that is the same for every payment; of steps it has at most one, an open one.
func flatFee(f *engine.Fee) (cents int64, flat bool) {
	varies := func(f *engine.Fee) bool { return f.PerNoticeCents != 0 || f.BasisPoints != 0 }
	if varies(f) || len(f.Steps) > 0 && (varies(&f.Steps[0].Fee) || len(f.Steps[0].Fee.Steps) > 0) {
		return 0, false
	}
	cents, err := f.Cents(1, 1)
	return cents, err == nil && cents >= 0
}

// write writes the row as the published list has it: its order of fields and its indentation.
func (r *feeRow) write(out *bufio.Writer) {
	var e jx.Encoder
	text := func(s string) string {
		e.Reset()
		e.Str(s)
		return e.String()
	}
	fields := []struct{ name, value string }{
		{"psp_id", text(r.psp)},
		{"psp_rag_soc", text(r.pspName)},
		{"codice_abi", text(r.abi)},
		{"nome_servizio", text(r.name)},
		{"descrizione_canale_mod_pag", text(r.channelDescription)},
		{"inf_desc_serv", text(r.text)},
		{"inf_url_canale", text(r.channelURL)},
		{"url_informazioni_psp", text(r.policyURL)},
		{"importo_minimo", formatEuro(r.minCents)},
		{"importo_massimo", formatEuro(r.maxCents)},
		{"costo_fisso", formatEuro(r.fixedFeeCents)},
		{"canale_mod_pag_code", fmt.Sprint(r.channelCode)},
		{"tipo_vers_cod", text(r.paymentType)},
		{"canale_mod_pag", text(r.channel)},
		{"on_us", fmt.Sprint(r.onUs)},
		{"carte", fmt.Sprint(r.card)},
		{"conto", fmt.Sprint(r.account)},
		{"altri_wisp", fmt.Sprint(r.otherWeb)},
		{"altri_io", fmt.Sprint(r.otherApp)},
		{"is_duplicated", fmt.Sprint(r.duplicated)},
		{"conto_app", fmt.Sprint(r.accountApp)},
		{"carte_app", fmt.Sprint(r.cardApp)},
	}
	lines := make([]string, len(fields))
	for i, f := range fields {
		lines[i] = fmt.Sprintf("      %q: %s", f.name, f.value)
	}
	out.WriteString("{\n" + strings.Join(lines, ",\n") + "\n    }")
}
