package journal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gec/bundles"
)

// The words of the table of spec 6.
const (
	component       = "GEC"
	categoryCall    = "INTERFACCIA"
	categoryChange  = "INTERNO"
	request         = "req"
	response        = "rsp"
	notApplicable   = "N/A"
	unknown         = "UNKNOW" // so spelt in the specification
	outcomeGood     = "OK"
	outcomeBad      = "KO"
	parametersMax   = 512
	instantForm     = "2006-01-02T15:04:05.000Z"
	hashOfBody      = "bodySHA256"
	lostOperation   = "journalGap"
	changeSubtype   = response
	statusGoodBelow = 400
)

// Record is one record of the journal with the names of the Giornale degli Eventi, as it is handed over. Fields
// that occur 0..1 times are empty where there is nothing to say.
type Record struct {
	DataOraEvento                            string `json:"dataOraEvento"`
	IdentificativoDominio                    string `json:"identificativoDominio"`
	IdentificativoUnivocoVersamento          string `json:"identificativoUnivocoVersamento"`
	CodiceContestoPagamento                  string `json:"codiceContestoPagamento"`
	IdentificativoPrestatoreServiziPagamento string `json:"identificativoPrestatoreServiziPagamento"`
	TipoVersamento                           string `json:"tipoVersamento,omitempty"`
	Componente                               string `json:"componente"`
	CategoriaEvento                          string `json:"categoriaEvento"`
	TipoEvento                               string `json:"tipoEvento"`
	SottoTipoEvento                          string `json:"sottoTipoEvento"`
	IdentificativoFruitore                   string `json:"identificativoFruitore"`
	IdentificativoErogatore                  string `json:"identificativoErogatore"`
	IdentificativoStazioneIntermediarioPA    string `json:"identificativoStazioneIntermediarioPA,omitempty"`
	CanalePagamento                          string `json:"canalePagamento,omitempty"`
	ParametriSpecificiInterfaccia            string `json:"parametriSpecificiInterfaccia,omitempty"`
	Esito                                    string `json:"esito,omitempty"`

	at time.Time
}

// columns are the names of the fields, in order.
func columns() []string {
	return []string{
		"dataOraEvento", "identificativoDominio", "identificativoUnivocoVersamento", "codiceContestoPagamento",
		"identificativoPrestatoreServiziPagamento", "tipoVersamento", "componente", "categoriaEvento", "tipoEvento",
		"sottoTipoEvento", "identificativoFruitore", "identificativoErogatore", "identificativoStazioneIntermediarioPA",
		"canalePagamento", "parametriSpecificiInterfaccia", "esito",
	}
}

// cells are the values of the fields, in the order of columns.
func (r *Record) cells() []string {
	return []string{
		r.DataOraEvento, r.IdentificativoDominio, r.IdentificativoUnivocoVersamento, r.CodiceContestoPagamento,
		r.IdentificativoPrestatoreServiziPagamento, r.TipoVersamento, r.Componente, r.CategoriaEvento, r.TipoEvento,
		r.SottoTipoEvento, r.IdentificativoFruitore, r.IdentificativoErogatore, r.IdentificativoStazioneIntermediarioPA,
		r.CanalePagamento, r.ParametriSpecificiInterfaccia, r.Esito,
	}
}

// setAt sets the instant, as UTC in milliseconds.
func (r *Record) setAt(at time.Time) {
	r.at = at
	r.DataOraEvento = at.UTC().Format(instantForm)
}

// records returns the request and the response of a call.
func (e *Entry) records() (req, rsp Record) {
	req = Record{
		IdentificativoDominio: or(e.CreditorInstitution, notApplicable), IdentificativoUnivocoVersamento: or(e.IUV, notApplicable),
		CodiceContestoPagamento: or(e.Context, notApplicable), IdentificativoPrestatoreServiziPagamento: or(e.PSP, notApplicable),
		TipoVersamento: e.PaymentType, Componente: component, CategoriaEvento: categoryCall, TipoEvento: or(e.Operation, unknown),
		IdentificativoFruitore: or(e.Caller, unknown), IdentificativoErogatore: component,
		IdentificativoStazioneIntermediarioPA: notApplicable, CanalePagamento: e.Channel,
	}
	rsp = req
	req.setAt(e.Started)
	rsp.setAt(e.Started.Add(e.Took))
	req.SottoTipoEvento, rsp.SottoTipoEvento = request, response

	var p parameters
	p.add("requestId", e.RequestID)
	p.number("amountCents", e.AmountCents)
	if e.BodyBytes > 0 {
		p.add(hashOfBody, fmt.Sprintf("%x", e.BodySHA256))
	}
	req.ParametriSpecificiInterfaccia = p.String()

	p = parameters{}
	p.add("requestId", e.RequestID)
	p.number("revision", e.Revision)
	p.number("amountCents", e.AmountCents)
	if e.Rows > 0 || e.Seed != 0 { // else it is no quote
		p.add("rows", strconv.Itoa(e.Rows))
	}
	if e.Seed != 0 {
		p.add("seed", strconv.FormatUint(e.Seed, 10))
	}
	if e.BodyBytes > 0 {
		p.add(hashOfBody, fmt.Sprintf("%x", e.BodySHA256))
	}
	p.add("bundles", strings.Join(trimmed(e.Bundles[:]), ","))
	rsp.ParametriSpecificiInterfaccia = p.String()
	if rsp.Esito = outcomeGood; e.Status >= statusGoodBelow {
		rsp.Esito = outcomeBad + " " + strconv.Itoa(e.Status)
	}
	return req, rsp
}

// ChangeRecord shows the record of a revision of the catalogue, which was stored in the transaction of the change,
// as a record of the journal.
func ChangeRecord(r bundles.Record) Record {
	out := Record{
		IdentificativoDominio: notApplicable, IdentificativoUnivocoVersamento: notApplicable, CodiceContestoPagamento: notApplicable,
		IdentificativoPrestatoreServiziPagamento: notApplicable, Componente: component, CategoriaEvento: categoryChange,
		TipoEvento: cut(r.Operation, textMax), SottoTipoEvento: changeSubtype, IdentificativoFruitore: cut(r.Caller, textMax),
		IdentificativoErogatore: component, IdentificativoStazioneIntermediarioPA: notApplicable, Esito: outcomeGood,
	}
	switch {
	case bundles.IsTaxCode(r.OnBehalfOf):
		out.IdentificativoDominio = r.OnBehalfOf
	case r.OnBehalfOf != "":
		out.IdentificativoPrestatoreServiziPagamento = cut(r.OnBehalfOf, textMax)
	}
	out.setAt(r.At)
	var p parameters
	p.number("revision", r.Revision)
	p.add("rows", strconv.Itoa(r.Rows))
	p.add("onBehalfOf", r.OnBehalfOf)
	if r.SHA256 != [32]byte{} { // a server does not tell it
		p.add("recordSHA256", fmt.Sprintf("%x", r.SHA256))
	}
	out.ParametriSpecificiInterfaccia = p.String()
	return out
}

// record shows a gap as a record, so that whoever reads an export knows that calls are missing.
func (g *gap) record() Record {
	r := Record{
		IdentificativoDominio: unknown, IdentificativoUnivocoVersamento: unknown, CodiceContestoPagamento: unknown,
		IdentificativoPrestatoreServiziPagamento: unknown, Componente: component, CategoriaEvento: categoryChange,
		TipoEvento: lostOperation, SottoTipoEvento: changeSubtype, IdentificativoFruitore: unknown, IdentificativoErogatore: component,
		Esito: outcomeBad,
	}
	r.setAt(g.last)
	var p parameters
	p.add("callsLost", strconv.FormatUint(g.calls, 10))
	p.add("first", g.first.UTC().Format(instantForm))
	p.add("reason", g.reason)
	r.ParametriSpecificiInterfaccia = p.String()
	return r
}

// parameters are names and values with semicolons between them, in at most parametersMax characters.
type parameters struct{ text string }

// add adds a value, unless it is empty or there is no room for it.
func (p *parameters) add(name, value string) {
	if value == "" {
		return
	}
	value = strings.Map(func(r rune) rune {
		if r == ';' || r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, value)
	pair := name + "=" + value
	if p.text != "" {
		pair = "; " + pair
	}
	if len([]rune(p.text))+len([]rune(pair)) <= parametersMax {
		p.text += pair
	}
}

// number adds a number above 0.
func (p *parameters) number(name string, value int64) {
	if value > 0 {
		p.add(name, strconv.FormatInt(value, 10))
	}
}

func (p *parameters) String() string { return p.text }

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// trimmed leaves out the empty texts at the end.
func trimmed(texts []string) []string {
	for len(texts) > 0 && texts[len(texts)-1] == "" {
		texts = texts[:len(texts)-1]
	}
	return texts
}
