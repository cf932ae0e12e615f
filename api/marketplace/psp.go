package marketplace

import (
	"net/http"
	"slices"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

// bundlesPage is a list of bundles.
type bundlesPage struct {
	Bundles  []bundleView `json:"bundles"`
	PageInfo pageInfo     `json:"pageInfo"`
}

type idBundle struct {
	IDBundle string `json:"idBundle"`
}

type idSubscription struct {
	IDCiBundle string `json:"idCiBundle"`
}

func getPSPBundles(c *call) error {
	all, err := c.catalogue.PSPBundles(c.r.Context(), c.caller, c.part("idPsp"), 0)
	if err != nil {
		return err
	}
	return c.bundlePage(all, nil)
}

// bundlePage answers with those of the bundles that the query asks for.
func (c *call) bundlePage(all []*engine.Bundle, types []engine.BundleType) error {
	filter, err := c.filter(types)
	if err != nil {
		return err
	}
	part, info, err := paged(c, filter.apply(all))
	if err != nil {
		return err
	}
	page := bundlesPage{Bundles: make([]bundleView, 0, len(part)), PageInfo: info}
	for _, b := range part {
		whole, err := c.catalogue.VisibleBundle(c.r.Context(), c.caller, b.ID, 0)
		if err != nil {
			return err
		}
		page.Bundles = append(page.Bundles, viewOf(&whole))
	}
	return c.json(http.StatusOK, page)
}

func getPSPBundle(c *call) error {
	b, err := c.catalogue.PSPBundle(c.r.Context(), c.caller, c.part("idPsp"), c.part("idBundle"), 0)
	if err != nil {
		return err
	}
	c.etag(b.Revision)
	return c.json(http.StatusOK, viewOf(&b))
}

// authoring are the options that requests for changes carry.
func (c *call) authoring() (o bundles.AuthorOptions, err error) {
	o = bundles.AuthorOptions{Operation: c.operation, IdempotencyKey: c.r.Header.Get("Idempotency-Key")}
	o.DryRun, err = c.flag("dryRun")
	return o, err
}

func createBundle(c *call) error {
	o, err := c.authoring()
	if err != nil {
		return err
	}
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	draft, err := format.ReadBundle(body, c.judge)
	if err != nil {
		return err
	}
	upload, err := c.catalogue.CreateBundles(c.r.Context(), c.caller, c.part("idPsp"), []bundles.Bundle{draft}, o)
	if err != nil {
		return bundles.Unplaced(err, "bundles[0]")
	}
	if o.DryRun {
		return c.uploaded([]bundles.Bundle{draft}, &upload, nil, format.Native, nil)
	}
	return c.json(http.StatusCreated, idBundle{upload.IDs[0]})
}

func createBundles(c *call) error {
	o, err := c.authoring()
	if err != nil {
		return err
	}
	body, err := c.body(uploadBytesMax)
	if err != nil {
		return err
	}
	drafts, err := format.ReadBundles(body, c.judge)
	if err != nil {
		return err
	}
	upload, err := c.catalogue.CreateBundles(c.r.Context(), c.caller, c.part("idPsp"), drafts, o)
	if err != nil {
		return err
	}
	if o.DryRun {
		return c.uploaded(drafts, &upload, nil, format.Native, nil)
	}
	return c.json(http.StatusCreated, mapped(upload.IDs, func(id *string) idBundle { return idBundle{*id} }))
}

// updateBundle replaces a bundle. forceUpdate is taken and changes nothing: what it lets pass in production,
// overlaps and dates in the past, would be a wrong fee here (A4).
func updateBundle(c *call) error {
	if _, err := c.flag("forceUpdate"); err != nil {
		return err
	}
	o, err := c.authoring()
	if err != nil {
		return err
	}
	revision, err := c.ifMatch()
	if err != nil {
		return err
	}
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	draft, err := format.ReadBundle(body, func(d *bundles.Document) (bundles.Faults, []bundles.Fault) {
		d.Bundles[0].ID = c.part("idBundle")
		return c.judge(d)
	})
	if err != nil {
		return err
	}
	changed, _, err := c.catalogue.ChangeBundle(c.r.Context(), c.caller, c.part("idPsp"), c.part("idBundle"), draft, revision, o)
	if err != nil {
		return err
	}
	c.etag(changed.Revision)
	return c.json(http.StatusOK, viewOf(&changed))
}

func deleteBundle(c *call) error {
	o, err := c.authoring()
	if err != nil {
		return err
	}
	revision, err := c.ifMatch()
	if err != nil {
		return err
	}
	if _, err := c.catalogue.RetireBundle(c.r.Context(), c.caller, c.part("idPsp"), c.part("idBundle"), revision, o); err != nil {
		return err
	}
	return c.done()
}

func getSubscribers(c *call) error {
	all, err := c.subscribers(c.r.URL.Query().Get("ciFiscalCode"))
	if err != nil {
		return err
	}
	part, info, err := paged(c, all)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		CIBundleDetails []subscriptionView `json:"ciBundleDetails"`
		PageInfo        pageInfo           `json:"pageInfo"`
	}{mapped(part, subscriptionOf), info})
}

// subscribers returns the subscriptions to the bundle of the path, those of one EC where it is given.
func (c *call) subscribers(ec string) ([]bundles.Subscription, error) {
	all, err := c.catalogue.Subscribers(c.r.Context(), c.caller, c.part("idPsp"), c.part("idBundle"), 0)
	return slices.DeleteFunc(all, func(s bundles.Subscription) bool { return ec != "" && s.CreditorInstitution != ec }), err
}

func getSubscriber(c *call) error {
	all, err := c.subscribers(c.part("ciFiscalCode"))
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return bundles.ErrNotFound
	}
	latest := slices.MaxFunc(all, func(a, b bundles.Subscription) int { return int(a.Validity.From) - int(b.Validity.From) })
	return c.json(http.StatusOK, subscriptionOf(&latest))
}

type offered struct {
	CIFiscalCode  string `json:"ciFiscalCode"`
	IDBundleOffer string `json:"idBundleOffer"`
}

func createOffers(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	ecs, err := format.ReadTexts(body, "ciFiscalCodeList")
	if err != nil {
		return err
	}
	offers, err := c.catalogue.MakeOffers(c.r.Context(), c.caller, c.part("idPsp"), c.part("idBundle"), ecs)
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, mapped(offers, func(o *bundles.Offer) offered { return offered{o.CreditorInstitution, o.ID} }))
}

func deleteOffer(c *call) error {
	if err := c.catalogue.WithdrawOffer(c.r.Context(), c.caller, c.part("idPsp"), c.part("idBundle"), c.part("idBundleOffer")); err != nil {
		return err
	}
	return c.done()
}

func getPSPOffers(c *call) error {
	all, err := c.catalogue.PSPOffers(c.r.Context(), c.caller, c.part("idPsp"), 0)
	if err != nil {
		return err
	}
	return c.offerPage(all)
}

// offerPage answers with those of the offers that the query asks for.
func (c *call) offerPage(all []bundles.Offer) error {
	keep, err := c.relations()
	if err != nil {
		return err
	}
	part, info, err := paged(c, slices.DeleteFunc(all, func(o bundles.Offer) bool { return !keep(&o.Relation) }))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Offers   []offerView `json:"offers"`
		PageInfo pageInfo    `json:"pageInfo"`
	}{mapped(part, offerOf), info})
}

func getPSPRequests(c *call) error {
	all, err := c.catalogue.PSPRequests(c.r.Context(), c.caller, c.part("idPsp"), 0)
	if err != nil {
		return err
	}
	return c.requestPage(all)
}

// requestPage answers with those of the requests that the query asks for.
func (c *call) requestPage(all []bundles.Request) error {
	keep, err := c.relations()
	if err != nil {
		return err
	}
	part, info, err := paged(c, slices.DeleteFunc(all, func(r bundles.Request) bool { return !keep(&r.Relation) }))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Requests []requestView `json:"requests"`
		PageInfo pageInfo      `json:"pageInfo"`
	}{mapped(part, requestOf), info})
}

func acceptRequest(c *call) error {
	s, err := c.catalogue.AcceptRequest(c.r.Context(), c.caller, c.part("idPsp"), c.part("idBundleRequest"))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, idSubscription{s.ID})
}

func rejectRequest(c *call) error {
	if err := c.catalogue.RejectRequest(c.r.Context(), c.caller, c.part("idPsp"), c.part("idBundleRequest")); err != nil {
		return err
	}
	return c.done()
}
