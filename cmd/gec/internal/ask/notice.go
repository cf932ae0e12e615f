package ask

import (
	"errors"
	"fmt"
	"strings"

	"gec/api/gecv1"
)

// parseNotice reads "amount=25.00,ec=77777777777,category=0102100SA,stamp". The keys from category on
// describe transfers: a second category begins the next transfer, stamp is about the one begun last.
func parseNotice(s string) (*gecv1.Notice, error) {
	notice := &gecv1.Notice{}
	var euro, cents string
	var transfer *gecv1.Transfer
	categorised := false
	begin := func() {
		transfer, categorised = &gecv1.Transfer{}, false
		notice.Transfers = append(notice.Transfers, transfer)
	}
	for _, part := range strings.Split(s, ",") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "amount":
			euro = value
		case "cents":
			cents = value
		case "ec":
			notice.CreditorInstitution = value
		case "category":
			if transfer == nil || categorised {
				begin()
			}
			transfer.TransferCategory, categorised = value, true
		case "stamp":
			if value != "" {
				return nil, errors.New("stamp stands alone, without a value")
			}
			if transfer == nil {
				begin()
			}
			transfer.DigitalStamp = true
		default:
			return nil, fmt.Errorf("%q is none of amount=, cents=, ec=, category= and stamp", part)
		}
	}
	if (euro == "") == (cents == "") {
		return nil, errors.New("needs either amount= in euro, with a point before the decimals, or cents=")
	}
	var err error
	notice.AmountCents, err = amount(euro, cents)
	complete(notice, false)
	return notice, err
}

// complete gives a notice without transfers the one that every notice has at least, and every transfer
// the notice's own EC; with stamp all of them buy digital stamps.
func complete(notice *gecv1.Notice, stamp bool) {
	if len(notice.Transfers) == 0 {
		notice.Transfers = []*gecv1.Transfer{{}}
	}
	for _, transfer := range notice.Transfers {
		transfer.CreditorInstitution = notice.CreditorInstitution
		transfer.DigitalStamp = transfer.DigitalStamp || stamp
	}
}

// parsePSP reads "ID" or "ID,channel=…,broker=…".
func parsePSP(s string) (*gecv1.PSPFilter, error) {
	parts := strings.Split(s, ",")
	filter := &gecv1.PSPFilter{Psp: parts[0]}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "channel":
			filter.Channel = value
		case "broker":
			filter.Broker = value
		default:
			return nil, fmt.Errorf("%q is neither channel= nor broker=", part)
		}
	}
	return filter, nil
}
