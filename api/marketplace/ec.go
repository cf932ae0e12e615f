package marketplace

import (
	"bytes"
	"net/http"
	"slices"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

func getECBundles(c *call) error {
	all, err := c.catalogue.Subscriptions(c.r.Context(), c.caller, 0, c.part("ciFiscalCode"))
	if err != nil {
		return err
	}
	filter, err := c.filter(nil)
	if err != nil {
		return err
	}
	snapshot := c.catalogue.Current()
	part, info, err := paged(c, slices.DeleteFunc(all, func(s bundles.Subscription) bool {
		b, there := snapshot.Bundle(s.BundleID)
		return !there || !filter.passes(b)
	}))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Bundles  []subscriptionView `json:"bundles"`
		PageInfo pageInfo           `json:"pageInfo"`
	}{mapped(part, subscriptionOf), info})
}

// subscription returns the subscription of the path's EC that the path names, by its own id or its bundle's;
// the latest where there are several.
func (c *call) subscription() (bundles.Subscription, error) {
	all, err := c.catalogue.Subscriptions(c.r.Context(), c.caller, 0, c.part("ciFiscalCode"))
	if err != nil {
		return bundles.Subscription{}, err
	}
	id := c.part("idBundle")
	all = slices.DeleteFunc(all, func(s bundles.Subscription) bool { return s.ID != id && s.BundleID != id })
	if len(all) == 0 {
		return bundles.Subscription{}, bundles.ErrNotFound
	}
	return slices.MaxFunc(all, func(a, b bundles.Subscription) int { return int(a.Validity.From) - int(b.Validity.From) }), nil
}

// getECBundle answers with a bundle that the EC subscribes to, and the subscription.
func getECBundle(c *call) error {
	s, err := c.subscription()
	if err != nil {
		return err
	}
	b, err := c.catalogue.VisibleBundle(c.r.Context(), c.caller, s.BundleID, 0)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		bundleView
		CIBundle subscriptionView `json:"ciBundle"`
	}{viewOf(&b), subscriptionOf(&s)})
}

func leaveBundle(c *call) error {
	if _, err := c.catalogue.Leave(c.r.Context(), c.caller, c.part("ciFiscalCode"), c.part("idBundle")); err != nil {
		return err
	}
	return c.done()
}

func getAttributes(c *call) error {
	s, err := c.subscription()
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Attributes []attributeView `json:"attributes"`
	}{attributesOf(s.Attributes)})
}

type idAttribute struct {
	IDBundleAttribute string `json:"idBundleAttribute"`
}

// createAttribute takes one attribute and answers with its id, or a list of them and answers with theirs.
func createAttribute(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	attributes, err := format.ReadAttributes(body)
	if err != nil {
		return err
	}
	ids, err := c.catalogue.AddAttributes(c.r.Context(), c.caller, c.part("ciFiscalCode"), c.part("idBundle"), withoutIDs(attributes))
	if err != nil {
		return err
	}
	views := mapped(ids, func(id *string) idAttribute { return idAttribute{*id} })
	if len(views) == 1 && bytes.HasPrefix(bytes.TrimSpace(body), []byte{'{'}) {
		return c.json(http.StatusCreated, views[0])
	}
	return c.json(http.StatusCreated, views)
}

// withoutIDs leaves the ids of attributes to the catalogue.
func withoutIDs(attributes []engine.Attribute) []engine.Attribute {
	for n := range attributes {
		attributes[n].ID = ""
	}
	return attributes
}

func updateAttribute(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	attribute, err := format.ReadAttribute(body)
	if err != nil {
		return err
	}
	if err := c.catalogue.ChangeAttribute(c.r.Context(), c.caller, c.part("ciFiscalCode"), c.part("idBundle"), c.part("idAttribute"), attribute); err != nil {
		return err
	}
	return c.done()
}

func deleteAttribute(c *call) error {
	if err := c.catalogue.RemoveAttribute(c.r.Context(), c.caller, c.part("ciFiscalCode"), c.part("idBundle"), c.part("idAttribute")); err != nil {
		return err
	}
	return c.done()
}

func getECOffers(c *call) error {
	all, err := c.catalogue.Offers(c.r.Context(), c.caller, c.part("ciFiscalCode"), 0)
	if err != nil {
		return err
	}
	return c.offerPage(all)
}

// acceptOffer takes a list of attributes; none, also where there is no body, bears nothing.
func acceptOffer(c *call) error {
	attributes := []engine.Attribute{}
	if c.r.ContentLength != 0 {
		body, err := c.body(bodyBytesMax)
		if err != nil {
			return err
		}
		if attributes, err = format.ReadAttributes(body); err != nil {
			return err
		}
	}
	s, err := c.catalogue.AcceptOffer(c.r.Context(), c.caller, c.part("ciFiscalCode"), c.part("idBundleOffer"), withoutIDs(attributes))
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, idSubscription{s.ID})
}

func rejectOffer(c *call) error {
	if err := c.catalogue.RejectOffer(c.r.Context(), c.caller, c.part("ciFiscalCode"), c.part("idBundleOffer")); err != nil {
		return err
	}
	return c.done()
}

func getECRequests(c *call) error {
	all, err := c.catalogue.Requests(c.r.Context(), c.caller, c.part("ciFiscalCode"), 0)
	if err != nil {
		return err
	}
	return c.requestPage(all)
}

func createRequest(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	wanted, err := format.ReadRequest(body)
	if err != nil {
		return err
	}
	made, err := c.catalogue.MakeRequest(c.r.Context(), c.caller, c.part("ciFiscalCode"), wanted.BundleID, withoutIDs(wanted.Attributes), wanted.Validity)
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, struct {
		IDBundleRequest string `json:"idBundleRequest"`
	}{made.ID})
}

func deleteRequest(c *call) error {
	if err := c.catalogue.WithdrawRequest(c.r.Context(), c.caller, c.part("ciFiscalCode"), c.part("idBundleRequest")); err != nil {
		return err
	}
	return c.done()
}
