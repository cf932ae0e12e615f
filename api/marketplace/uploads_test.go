package marketplace

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"gec/engine"
)

const uploads = "/gec/v1/psps/BANK/uploads"

// sheet is a spreadsheet of so many bundles, each for a service of its own, so that none overlaps another.
func sheet(rows int) string {
	var text strings.Builder
	text.WriteString("id;idChannel;idBrokerPsp;abi;pspBusinessName;name;type;paymentType;touchpoint;minPaymentAmount;maxPaymentAmount;paymentAmount;onUs;transferCategoryList\n")
	for n := range rows {
		fmt.Fprintf(&text, "b%05d;CH;BR;14156;Banca Uno;Carte;GLOBAL;CP;CHECKOUT;0;500,00;1,00;false;%05d00SA\n", n, n+1)
	}
	return text.String()
}

// TestUploads is about files of each kind, the ways in which they are refused, and what is said of them (A6, A9).
func TestUploads(t *testing.T) {
	m := newMarket(t)
	list := `{"bundles":[` + draft(`"id":"j1"`, `"paymentType":"PPAL"`) + `]}`
	csv := []string{"Content-Type", "text/csv; charset=utf-8"}
	m.tell([]step{
		{bank, post, uploads, sheet(2), nil, 415, `?format=csv`, ""},
		{bank, post, uploads + "?format=xlsx", sheet(2), nil, 415, `?format=csv`, ""},
		{bank, post, uploads, sheet(2), []string{"Content-Type", "text/csv", "Content-Encoding", "gzip"}, 415, `plain`, ""},
		{bank, post, uploads, " ", csv, 400, `empty`, ""},
		{rival, post, uploads, sheet(2), csv, 404, ``, ""},
		{town, post, uploads, sheet(2), csv, 404, ``, ""},
		{bank, post, uploads, strings.Replace(sheet(3), "b00002;CH;BR;14156;Banca Uno;Carte;GLOBAL;CP", "b00002;CH;BR;14156;Banca Uno;Carte;GLOBAL;CPP", 1), csv, 400, `"field":"bundles[2].paymentType","message":"\"CPP\" is not a registered payment type; the nearest one is CP","line":4,"column":43`, ""},
		{bank, post, uploads, `{"paymentMethods":[{}],"bundles":[]}`, []string{"Content-Type", "application/json"}, 400, `paymentMethods`, ""},

		{bank, post, uploads + "?dryRun=true", sheet(2), csv, 200, `"dryRun":true,"repeated":false,"bundles":2,"added":2`, ""},
		{bank, get, "/psps/BANK/bundles", "", nil, 200, `"bundles":[]`, ""},
		{bank, post, uploads, sheet(2), append([]string{"Idempotency-Key", "k"}, csv...), 200, `"revision":2,"dryRun":false,"repeated":false,"bundles":2,"added":2,"changed":0,"unchanged":0,"rows":[{"row":1,"line":2,"idBundle":"b00000","outcome":"ADDED"}`, ""},
		{bank, post, uploads, sheet(2), append([]string{"Idempotency-Key", "k"}, csv...), 200, `"revision":2,"dryRun":false,"repeated":true`, ""},
		{bank, post, uploads, sheet(3), append([]string{"Idempotency-Key", "k"}, csv...), 409, `key`, ""},
		{bank, post, uploads, strings.Replace(sheet(3), "1,00", "1.10", 1), append([]string{"If-Match", `"1"`}, csv...), 409, ``, ""},
		{bank, post, uploads, strings.Replace(sheet(3), "1,00", "1.10", 1), append([]string{"If-Match", `"2"`}, csv...), 200, `"added":1,"changed":1,"unchanged":1`, ""},
		{bank, post, uploads + "?format=json", list, nil, 200, `"idBundle":"j1","outcome":"ADDED"`, ""},
		{bank, post, uploads + "?format=yaml", list, nil, 200, `"unchanged":1`, ""},
		{rival, post, "/gec/v1/psps/RIVAL/uploads?format=json", list, nil, 400, `bundles[0]`, ""}, // an id is one bundle's
		{bank, get, "/gec/v1/psps/BANK/lint", "", nil, 200, `{"findings":[`, ""},
	})
}

// TestTenThousandBundlesInOneUpload holds that all are stored and quoted in one revision, or none (A6, A7).
func TestTenThousandBundlesInOneUpload(t *testing.T) {
	const rows = 10_000
	m := newMarket(t)
	good, before := sheet(rows), m.catalogue.Head().Revision
	faulty := strings.Replace(good, "b07654;CH;BR;14156;Banca Uno;Carte;GLOBAL;CP;CHECKOUT;0;500,00", "b07654;CH;BR;14156;Banca Uno;Carte;GLOBAL;CP;CHECKOUT;0;0,00", 1)
	body := m.must(http.StatusBadRequest, bank, post, uploads+"?format=csv", faulty)
	if !strings.Contains(body, `"field":"bundles[7654].maxPaymentAmount"`) || !strings.Contains(body, `"line":7656`) || strings.Count(body, `"field"`) != 1 {
		t.Errorf("the one fault is told as %s", body)
	}
	if head := m.catalogue.Head().Revision; head != before {
		t.Fatalf("a faulty upload made revision %d", head)
	}
	m.must(http.StatusOK, bank, post, uploads+"?format=csv", good)
	if head := m.catalogue.Head().Revision; head != before+1 {
		t.Errorf("the upload made revision %d after %d", head, before)
	}
	for _, n := range []int{0, 7654, rows - 1} {
		answer, err := engine.NewQuoter().Quotes(m.catalogue.Current(), &engine.Payment{
			At: m.now.AddDate(0, 0, 1), Touchpoint: "CHECKOUT", PaymentType: "CP",
			Notices: []engine.Notice{{AmountCents: 1000, Transfers: []engine.Transfer{{TransferCategory: fmt.Sprintf("%05d00SA", n+1)}}}},
		}, engine.Options{})
		if err != nil || len(answer.Quotes) != 1 || answer.Quotes[0].Bundle.ID != fmt.Sprintf("b%05d", n) {
			t.Errorf("bundle %d is not quoted: %+v, %v", n, answer, err)
		}
	}
}

// TestTwoUploadsAtOnce holds that of two who read the same revision one is first and the other is told; and
// that of one upload sent twice at once one is stored.
func TestTwoUploadsAtOnce(t *testing.T) {
	m := newMarket(t)
	both := func(headers ...string) map[int]int {
		var (
			wg    sync.WaitGroup
			codes [2]int
		)
		for n := range codes {
			wg.Go(func() { codes[n] = m.ask(bank, post, uploads+"?format=csv", sheet(500), headers...).Code })
		}
		wg.Wait()
		return map[int]int{codes[0]: 1, codes[1]: 1}
	}
	if codes := both("If-Match", `"1"`); codes[200] != 1 || codes[409] != 1 {
		t.Errorf("two on the same revision: %v", codes)
	}
	m = newMarket(t)
	if codes := both("Idempotency-Key", "k"); len(codes) != 1 || codes[200] != 1 {
		t.Errorf("one upload, twice: %v", codes)
	}
	if head := m.catalogue.Head().Revision; head != 2 {
		t.Errorf("one upload, twice: revision %d", head)
	}
}

// cdi is a CDI of the issuer, with one band.
const cdi = `<?xml version="1.0" encoding="UTF-8"?>
<listaInformativePSP>
  <informativaPSP>
    <identificativoFlusso>ABI14156_21-11-2026</identificativoFlusso>
    <identificativoPSP>ABI14156</identificativoPSP>
    <ragioneSociale>Banca Uno</ragioneSociale>
    <informativaMaster>
      <dataPubblicazione>2026-11-01T00:00:00</dataPubblicazione>
      <dataInizioValidita>2026-12-01T00:00:00</dataInizioValidita>
      <urlInformazioniPSP>https://psp.example/</urlInformazioniPSP>
      <stornoPagamento>0</stornoPagamento>
      <marcaBolloDigitale>0</marcaBolloDigitale>
      <logoPSP/>
    </informativaMaster>
    <listaInformativaDetail>
      <informativaDetail>
        <identificativoIntermediario>BR</identificativoIntermediario>
        <identificativoCanale>CH</identificativoCanale>
        <tipoVersamento>BBT</tipoVersamento>
        <modelloPagamento>1</modelloPagamento>
        <priorita/>
        <canaleApp>0</canaleApp>
        <listaInformazioniServizio>
          <informazioniServizio><codiceLingua>IT</codiceLingua><descrizioneServizio>Bonifico</descrizioneServizio><disponibilitaServizio>24/7/7</disponibilitaServizio></informazioniServizio>
        </listaInformazioniServizio>
        <costiServizio>
          <tipoCostoTransazione>1</tipoCostoTransazione>
          <tipoCommissione>0</tipoCommissione>
          <listaFasceCostoServizio>
            <fasciaCostoServizio><importoMassimoFascia>50.00</importoMassimoFascia><costoFisso>0.29</costoFisso><valoreCommissione>0.00</valoreCommissione></fasciaCostoServizio>
          </listaFasceCostoServizio>
        </costiServizio>
      </informativaDetail>
    </listaInformativaDetail>
  </informativaPSP>
</listaInformativePSP>`

// TestCDIs is about taking CDIs in, once, and back (spec 4 utils, spec 5).
func TestCDIs(t *testing.T) {
	const (
		sync   = "/afm/utils/v1/cdis/sync"
		issuer = "ABI14156"
	)
	m := newMarket(t)
	m.tell([]step{
		{operator, post, sync, strings.Replace(cdi, "0.29", "0.299", 1), nil, 400, `"line":`, ""},
		{operator, post, sync, strings.Replace(cdi, "<listaInformativePSP>", "<!DOCTYPE a><listaInformativePSP>", 1), nil, 400, `document type declaration`, ""},
		{rival, post, sync, cdi, nil, 400, `is no PSP whose bundles you may change`, ""},
		{issuer, post, "/psps/ABI14156/bundles", draft(), nil, 201, ``, "hand=idBundle"},
		{operator, post, sync + "?dryRun=true", cdi, nil, 200, `"dryRun":true,"repeated":false,"bundles":1,"added":1`, ""},
		{operator, post, sync, cdi, nil, 200, `"revision":3,"dryRun":false,"repeated":false,"bundles":1,"added":1`, ""},
		{operator, post, sync, cdi, nil, 200, `"repeated":true,"repeatedFlows":["ABI14156_21-11-2026"]`, ""},
		{operator, get, sync, "", nil, 200, `{"syncs":[{"revision":3,`, ""},
		{issuer, get, sync, "", nil, 403, ``, ""},
		{issuer, get, "/psps/ABI14156/bundles", "", nil, 200, `"paymentAmount":29,`, ""},
		{rival, remove, "/psps/ABI14156/cdis/ABI14156_21-11-2026", "", nil, 404, ``, ""},
		{operator, remove, sync, "", nil, 400, `idPsp`, ""},
		{issuer, remove, "/afm/utils/v1/psps/ABI14156/cdis/ABI14156_21-11-2026", "", nil, 200, `{"retired":1}`, ""},
		{issuer, get, "/psps/ABI14156/bundles/$hand", "", nil, 200, `"validityDateTo":null`, ""}, // made by hand: stays
		{rival, post, "/gec/v1/psps/RIVAL/uploads?format=cdi", cdi, nil, 400, `these are the CDIs of`, ""},
	})
}
