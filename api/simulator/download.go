package simulator

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gec/engine"
)

// downloadRow is a row of a downloaded answer. Amounts are euro cents.
type downloadRow struct {
	PSP         string   `json:"idPsp"`
	Name        string   `json:"pspBusinessName"`
	Bundle      string   `json:"idBundle"`
	BundleName  string   `json:"bundleName"`
	PaymentType string   `json:"paymentType"`
	Touchpoint  string   `json:"touchpoint"`
	OnUs        bool     `json:"onUs"`
	ABI         string   `json:"abi"`
	Gross       int64    `json:"grossFeeCents"`
	Borne       int64    `json:"ecIncurredFeeCents"`
	Net         int64    `json:"payerFeeCents"`
	Total       int64    `json:"totalCents"`
	Shares      []ecFees `json:"fees"`
}

// ecFees is what one EC bears of a fee.
type ecFees struct {
	CreditorInstitution string `json:"creditorInstitution"`
	Actual              int64  `json:"actualCiIncurredFeeCents"`
}

// download is an answer as a file.
type download struct {
	Revision  int64         `json:"revision"`
	Published string        `json:"published,omitempty"`
	At        string        `json:"at"`
	Question  string        `json:"question"`
	Amount    int64         `json:"amountCents"`
	Quotes    []downloadRow `json:"quotes"`
	// Offers are the fees for cards of one bank each.
	Offers []downloadRow `json:"onUsOffers"`
}

// download answers a question for a file. It is nil when the request was answered already.
func (s *simulator) download(w http.ResponseWriter, r *http.Request, kind string) (*download, error) {
	v, at, err := s.read(r)
	if err != nil {
		return nil, err
	}
	tell(w, v)
	if !v.Question.answerable() {
		s.refuse(w, r, http.StatusBadRequest)
		return nil, nil
	}
	if fresh(w, r, s.tag(v, kind)) {
		return nil, nil
	}
	a, err := s.quoters.answer(v.Directory.directory, v.Question, at)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="gec-`+strconv.FormatInt(a.Cents, 10)+"."+kind+`"`)
	return &download{
		Revision: a.Revision, Published: v.Directory.published, At: at.UTC().Format(time.RFC3339),
		Question: pathPage + "?" + v.Question.Query(paramChart, paramWhy), Amount: a.Cents, Quotes: downloadRows(a.Rows), Offers: downloadRows(a.Offers),
	}, nil
}

func downloadRows(rows []row) []downloadRow {
	list := make([]downloadRow, len(rows))
	for i, r := range rows {
		b := r.Bundle
		paymentType := b.PaymentType
		if paymentType == "" {
			paymentType = engine.Any
		}
		list[i] = downloadRow{
			PSP: b.PSP, Name: b.PSPBusinessName, Bundle: b.ID, BundleName: b.Name, PaymentType: paymentType, Touchpoint: b.Touchpoint,
			OnUs: b.OnUs, ABI: b.ABI, Gross: r.GrossCents, Borne: r.BorneCents(), Net: r.NetCents, Total: r.TotalCents, Shares: []ecFees{},
		}
		for _, c := range r.Contributions {
			list[i].Shares = append(list[i].Shares, ecFees{c.CreditorInstitution, c.ActualCents})
		}
	}
	return list
}

// json serves the answer as JSON.
func (s *simulator) json(w http.ResponseWriter, r *http.Request) error {
	d, err := s.download(w, r, "json")
	if d == nil || err != nil {
		return err
	}
	body, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	send(w, r, http.StatusOK, "application/json", append(body, '\n'))
	return nil
}

// csv serves the answer as CSV after RFC 4180, in UTF-8 with the mark that spreadsheets look for. Amounts are euro
// with a decimal point.
func (s *simulator) csv(w http.ResponseWriter, r *http.Request) error {
	d, err := s.download(w, r, "csv")
	if d == nil || err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("\ufeff")
	out := csv.NewWriter(&b)
	out.UseCRLF = true
	header := []string{"idPsp", "pspBusinessName", "idBundle", "bundleName", "paymentType", "touchpoint", "onUs", "abi", "amount", "grossFee", "ecIncurredFee", "payerFee", "total", "revision", "at"}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, row := range append(d.Quotes, d.Offers...) {
		record := []string{
			row.PSP, row.Name, row.Bundle, row.BundleName, row.PaymentType, row.Touchpoint, strconv.FormatBool(row.OnUs), row.ABI,
			euro(d.Amount), euro(row.Gross), euro(row.Borne), euro(row.Net), euro(row.Total), strconv.FormatInt(d.Revision, 10), d.At,
		}
		for i := range record {
			record[i] = harmless(record[i])
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	send(w, r, http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
	return out.Error()
}

// euro writes cents, 0 or more, with a decimal point.
func euro(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// harmless returns a cell that no spreadsheet takes for a formula: names come from PSPs, and a cell that begins
// like a formula would be run on the reader's machine.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// suggestion is an EC found by what was typed.
type suggestion struct {
	Label string `json:"label"`
}

// suggestECs serves the ECs whose names or codes have all the words of a text.
func (s *simulator) suggestECs(w http.ResponseWriter, r *http.Request) error {
	d, err := s.current(r.Context())
	if err != nil {
		return err
	}
	const most = 20
	found := []suggestion{}
	for _, ec := range d.findECs(clip(r.URL.Query().Get("q")), most) {
		found = append(found, suggestion{ec.Label()})
	}
	body, err := json.Marshal(found)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	send(w, r, http.StatusOK, "application/json", body)
	return nil
}
