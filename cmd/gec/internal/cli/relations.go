package cli

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gec/cmd/gec/internal/text"
)

// offers is the group of commands on offers of PRIVATE bundles.
func (p Process) offers() *cobra.Command {
	var bundle string
	offer, e := p.errand("make --psp PSP --bundle ID TAXCODE…", "Offer a PRIVATE bundle to creditor institutions, to all or none", cobra.MinimumNArgs(1), func(e *errand, ecs []string) error {
		path, err := e.place("bundles", bundle, "offers")
		if err != nil {
			return err
		}
		body, err := json.Marshal(map[string][]string{"ciFiscalCodeList": ecs})
		if err != nil {
			return err
		}
		var made []struct{ CIFiscalCode, IDBundleOffer string }
		if err := e.do(http.MethodPost, path, nil, body, &made); err != nil {
			return err
		}
		for _, o := range made {
			e.say("%s is offered %s: offer %s", o.CIFiscalCode, text.Printable(bundle), o.IDBundleOffer)
		}
		return nil
	})
	e.party(true, false)
	offer.Flags().StringVar(&bundle, "bundle", "", "`id` of the bundle")
	withdraw, e := p.errand("withdraw --psp PSP --bundle ID OFFER", "Take an open offer back", cobra.ExactArgs(1), func(e *errand, args []string) error {
		path, err := e.place("bundles", bundle, "offers", args[0])
		if err != nil {
			return err
		}
		return e.done(http.MethodDelete, path, nil, "offer "+args[0]+" is withdrawn")
	})
	e.party(true, false)
	withdraw.Flags().StringVar(&bundle, "bundle", "", "`id` of the bundle")
	return p.group("offers", "Offer PRIVATE bundles to creditor institutions, and answer offers", offer, p.listRelations("offers"), withdraw, p.acceptOffer(), p.answer("offers", "reject", "Decline an offer", false))
}

func (p Process) acceptOffer() *cobra.Command {
	var bears []string
	cmd, e := p.errand("accept --ec TAXCODE OFFER", "Accept an offer, and say what the creditor institution bears", cobra.ExactArgs(1), func(e *errand, args []string) error {
		path, err := e.place("offers", args[0], "accept")
		if err != nil {
			return err
		}
		body, err := sharesBody(bears)
		if err != nil {
			return err
		}
		return e.subscribed(path, body)
	})
	e.party(false, true)
	bearing(cmd, &bears)
	return cmd
}

// bearing adds the flag by which an EC says what it bears.
func bearing(cmd *cobra.Command, bears *[]string) {
	cmd.Flags().StringArrayVar(bears, "bear", nil, "`EURO[:CATEGORY[:NOT_EQUAL]]` that it bears of each fee; may be given several times")
}

// sharesBody is the list of attributes that the values of --bear are, as JSON.
func sharesBody(bears []string) ([]byte, error) {
	attributes, err := shares(bears)
	if err != nil {
		return nil, &usageError{err}
	}
	if attributes == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(attributes)
}

// subscribed sends an acceptance and says which subscription it made.
func (e *errand) subscribed(path string, body []byte) error {
	var made struct{ IDCiBundle string }
	if err := e.do(http.MethodPost, path, nil, body, &made); err != nil {
		return err
	}
	e.say("accepted: subscription %s", made.IDCiBundle)
	return nil
}

// done sends a request that has no answer, and says what it did.
func (e *errand) done(method, path string, body []byte, what string) error {
	if err := e.do(method, path, nil, body, nil); err != nil {
		return err
	}
	e.say("%s", text.Printable(what))
	return nil
}

// answer is a command that answers an offer or a request with one word.
func (p Process) answer(kind, word, short string, psp bool) *cobra.Command {
	use := word + " --ec TAXCODE ID"
	if psp {
		use = word + " --psp PSP ID"
	}
	cmd, e := p.errand(use, short, cobra.ExactArgs(1), func(e *errand, args []string) error {
		path, err := e.place(kind, args[0], word)
		if err != nil {
			return err
		}
		if word == "accept" {
			return e.subscribed(path, nil)
		}
		return e.done(http.MethodPost, path, nil, args[0]+" is rejected")
	})
	e.party(psp, !psp)
	return cmd
}

// listRelations is the command that lists offers or requests.
func (p Process) listRelations(kind string) *cobra.Command {
	var states string
	cmd, e := p.errand("list (--psp PSP | --ec TAXCODE)", "List the "+kind+" of a PSP or a creditor institution", cobra.NoArgs, func(e *errand, _ []string) error {
		path, err := e.place(kind)
		if err != nil {
			return err
		}
		query := url.Values{"limit": {"1000"}}
		if states != "" {
			query.Set("state", states)
		}
		type relation struct {
			IDBundleOffer, IDBundleRequest, IDBundle, IDPsp, CIFiscalCode, State, InsertedDate, AcceptedDate, RejectionDate string
		}
		var rows [][]string
		err = e.pages(func(number int) (total, found int, err error) {
			query.Set("page", strconv.Itoa(number))
			var page struct {
				Offers, Requests []relation
				PageInfo         struct {
					Total int `json:"total_items"`
				}
			}
			err = e.do(http.MethodGet, path+"?"+query.Encode(), nil, nil, &page)
			all := append(page.Offers, page.Requests...)
			for _, r := range all {
				rows = append(rows, []string{r.IDBundleOffer + r.IDBundleRequest, r.IDBundle, r.IDPsp, r.CIFiscalCode, r.State, r.InsertedDate, r.AcceptedDate + r.RejectionDate})
			}
			return page.PageInfo.Total, len(all), err
		})
		if err != nil {
			return err
		}
		return e.table([]text.Column{{Title: "ID", ShrinkTo: 8}, {Title: "BUNDLE", ShrinkTo: 8}, {Title: "PSP", ShrinkTo: 8}, {Title: "EC"}, {Title: "STATE"}, {Title: "MADE"}, {Title: "ANSWERED"}}, rows)
	})
	e.party(true, true)
	cmd.Flags().StringVar(&states, "state", "", "only these `states`: OPEN,ACCEPTED,REJECTED,WITHDRAWN,CLOSED; none: the first three")
	return cmd
}

// requests is the group of commands on requests for PUBLIC bundles.
func (p Process) requests() *cobra.Command {
	var bundle, from, to string
	var bears []string
	ask, e := p.errand("make --ec TAXCODE --bundle ID", "Ask the PSP of a PUBLIC bundle for a subscription", cobra.NoArgs, func(e *errand, _ []string) error {
		path, err := e.place("requests")
		if err != nil {
			return err
		}
		attributes, err := sharesBody(bears)
		if err != nil {
			return err
		}
		question := map[string]any{"idBundle": bundle, "attributes": json.RawMessage(attributes)}
		for name, day := range map[string]string{"validityDateFrom": from, "validityDateTo": to} {
			if day != "" {
				question[name] = day
			}
		}
		body, err := json.Marshal(question)
		if err != nil {
			return err
		}
		var made struct{ IDBundleRequest string }
		if err := e.do(http.MethodPost, path, nil, body, &made); err != nil {
			return err
		}
		e.say("asked: request %s", made.IDBundleRequest)
		return nil
	})
	e.party(false, true)
	ask.Flags().StringVar(&bundle, "bundle", "", "`id` of the bundle")
	ask.Flags().StringVar(&from, "from", "", "first `day`; none: as soon as can be")
	ask.Flags().StringVar(&to, "to", "", "last `day`; none: that of the bundle")
	bearing(ask, &bears)
	withdraw, e := p.errand("withdraw --ec TAXCODE REQUEST", "Take an open request back", cobra.ExactArgs(1), func(e *errand, args []string) error {
		path, err := e.place("requests", args[0])
		if err != nil {
			return err
		}
		return e.done(http.MethodDelete, path, nil, "request "+args[0]+" is withdrawn")
	})
	e.party(false, true)
	return p.group("requests", "Ask for subscriptions to PUBLIC bundles, and answer requests", ask, p.listRelations("requests"), withdraw,
		p.answer("requests", "accept", "Accept a request", true), p.answer("requests", "reject", "Decline a request", true))
}

// subscriptions is the group of commands on what was agreed upon.
func (p Process) subscriptions() *cobra.Command {
	return p.group("subscriptions", "List subscriptions, change what a creditor institution bears, leave", p.listSubscriptions(), p.bear(), p.unbear(), p.leave())
}

func (p Process) listSubscriptions() *cobra.Command {
	var bundle string
	cmd, e := p.errand("list (--ec TAXCODE | --psp PSP --bundle ID)", "List the subscriptions of a creditor institution, or to a bundle of a PSP", cobra.NoArgs, func(e *errand, _ []string) error {
		rest := []string{"bundles"}
		if e.psp != "" {
			rest = append(rest, bundle, "creditorInstitutions")
		}
		path, err := e.place(rest...)
		if err != nil {
			return err
		}
		type attribute struct {
			IDBundleAttribute, TransferCategory, TransferCategoryRelation string
			MaxPaymentAmount                                              int64
		}
		type subscription struct {
			IDBundle, IDCIBundle, CITaxCode, ValidityDateFrom, ValidityDateTo string
			Attributes                                                        []attribute
		}
		var rows [][]string
		err = e.pages(func(number int) (total, found int, err error) {
			var page struct {
				Bundles, CIBundleDetails []subscription
				PageInfo                 struct {
					Total int `json:"total_items"`
				}
			}
			err = e.do(http.MethodGet, path+"?limit=1000&page="+strconv.Itoa(number), nil, nil, &page)
			all := append(page.Bundles, page.CIBundleDetails...)
			for _, s := range all {
				var bears []string
				for _, a := range s.Attributes {
					bears = append(bears, strings.TrimSpace(text.Euro(a.MaxPaymentAmount)+" "+a.TransferCategoryRelation+" "+a.TransferCategory)+" ("+a.IDBundleAttribute+")")
				}
				rows = append(rows, []string{s.IDCIBundle, s.IDBundle, s.CITaxCode, s.ValidityDateFrom, s.ValidityDateTo, strings.Join(bears, ", ")})
			}
			return page.PageInfo.Total, len(all), err
		})
		if err != nil {
			return err
		}
		return e.table([]text.Column{{Title: "ID", ShrinkTo: 8}, {Title: "BUNDLE", ShrinkTo: 8}, {Title: "EC"}, {Title: "FROM"}, {Title: "TO"}, {Title: "BEARS €", ShrinkTo: 8}}, rows)
	})
	e.party(true, true)
	cmd.Flags().StringVar(&bundle, "bundle", "", "with --psp: `id` of the bundle")
	return cmd
}

// bear adds attributes, or replaces one.
func (p Process) bear() *cobra.Command {
	var bears []string
	var attribute string
	cmd, e := p.errand("bear --ec TAXCODE --bear EURO[:CATEGORY] SUBSCRIPTION", "Bear more of the fees, or with --attribute replace what is borne", cobra.ExactArgs(1), func(e *errand, args []string) error {
		rest, method := []string{"bundles", args[0], "attributes"}, http.MethodPost
		attributes, err := shares(bears)
		switch {
		case err != nil:
			return &usageError{err}
		case len(attributes) == 0 || attribute != "" && len(attributes) != 1:
			return usage("say with --bear what is borne; once to replace an attribute")
		case attribute != "":
			rest, method = append(rest, attribute), http.MethodPut
		}
		path, err := e.place(rest...)
		if err != nil {
			return err
		}
		var body []byte
		if attribute != "" {
			body, err = json.Marshal(attributes[0])
		} else {
			body, err = json.Marshal(attributes)
		}
		if err != nil {
			return err
		}
		return e.done(method, path, body, "done: it holds for the next quote")
	})
	e.party(false, true)
	bearing(cmd, &bears)
	cmd.Flags().StringVar(&attribute, "attribute", "", "`id` of the attribute to replace")
	return cmd
}

func (p Process) unbear() *cobra.Command {
	var attribute string
	cmd, e := p.errand("unbear --ec TAXCODE --attribute ID SUBSCRIPTION", "Remove one attribute: it is no longer borne", cobra.ExactArgs(1), func(e *errand, args []string) error {
		path, err := e.place("bundles", args[0], "attributes", attribute)
		if err != nil {
			return err
		}
		return e.done(http.MethodDelete, path, nil, "done: it holds for the next quote")
	})
	e.party(false, true)
	cmd.Flags().StringVar(&attribute, "attribute", "", "`id` of the attribute")
	return cmd
}

func (p Process) leave() *cobra.Command {
	cmd, e := p.errand("leave --ec TAXCODE SUBSCRIPTION", "End a subscription with today", cobra.ExactArgs(1), func(e *errand, args []string) error {
		path, err := e.place("bundles", args[0])
		if err != nil {
			return err
		}
		return e.done(http.MethodDelete, path, nil, args[0]+" ends today")
	})
	e.party(false, true)
	return cmd
}
