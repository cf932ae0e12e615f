package bench

import (
	"encoding/json"

	"gec/engine"
)

// The shapes of the wire contract's requests (spec 4).
type (
	wireV2 struct {
		BIN           *string      `json:"bin"`
		PaymentMethod *string      `json:"paymentMethod"`
		Touchpoint    *string      `json:"touchpoint"`
		PSPs          []wirePSP    `json:"idPspList,omitempty"`
		Notices       []wireNotice `json:"paymentNotice"`
	}
	wireV1 struct {
		wireNotice
		BIN           *string   `json:"bin"`
		PaymentMethod *string   `json:"paymentMethod"`
		Touchpoint    *string   `json:"touchpoint"`
		PSPs          []wirePSP `json:"idPspList,omitempty"`
	}
	wireNotice struct {
		Amount    int64          `json:"paymentAmount"`
		EC        string         `json:"primaryCreditorInstitution"`
		Transfers []wireTransfer `json:"transferList"`
	}
	wireTransfer struct {
		EC       string `json:"creditorInstitution"`
		Category string `json:"transferCategory"`
		Stamp    bool   `json:"digitalStamp"`
	}
	wirePSP struct {
		PSP     string `json:"idPsp"`
		Channel string `json:"idChannel,omitempty"`
		Broker  string `json:"idBrokerPsp,omitempty"`
	}
)

// BodyV2 returns the JSON body that asks for the quotes of a payment by the v2 contract.
func BodyV2(p *engine.Payment) []byte {
	return marshalled(wireV2{textOf(p.BIN), textOf(p.PaymentType), textOf(p.Touchpoint), wirePSPs(p), wireNotices(p)})
}

// BodyV1 is BodyV2 for the v1 contract, which knows the first notice only.
func BodyV1(p *engine.Payment) []byte {
	return marshalled(wireV1{wireNotices(p)[0], textOf(p.BIN), textOf(p.PaymentType), textOf(p.Touchpoint), wirePSPs(p)})
}

func wirePSPs(p *engine.Payment) []wirePSP {
	psps := make([]wirePSP, len(p.PSPs))
	for i, f := range p.PSPs {
		psps[i] = wirePSP(f)
	}
	return psps
}

func wireNotices(p *engine.Payment) []wireNotice {
	notices := make([]wireNotice, len(p.Notices))
	for i, n := range p.Notices {
		notices[i] = wireNotice{Amount: n.AmountCents, EC: n.CreditorInstitution}
		for _, t := range n.Transfers {
			notices[i].Transfers = append(notices[i].Transfers, wireTransfer{t.CreditorInstitution, t.TransferCategory, t.DigitalStamp})
		}
	}
	return notices
}

func textOf(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func marshalled(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // these types always encode
	}
	return body
}
