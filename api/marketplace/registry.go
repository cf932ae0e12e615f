package marketplace

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

func getBundles(c *call) error {
	all, err := c.catalogue.VisibleBundles(c.r.Context(), c.caller, 0)
	if err != nil {
		return err
	}
	return c.bundlePage(all, []engine.BundleType{engine.Global})
}

func getBundle(c *call) error {
	b, err := c.catalogue.VisibleBundle(c.r.Context(), c.caller, c.part("idBundle"), 0)
	if err != nil {
		return err
	}
	c.etag(b.Revision)
	return c.json(http.StatusOK, viewOf(&b))
}

type touchpointView struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	CreatedDate *time.Time `json:"createdDate"`
}

func touchpointOf(t *bundles.Touchpoint) touchpointView {
	return touchpointView{t.ID, t.Name, instant(t.Inserted)}
}

func getTouchpoints(c *call) error {
	all, err := c.catalogue.Touchpoints(c.r.Context())
	if err != nil {
		return err
	}
	part, info, err := paged(c, all)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Touchpoints []touchpointView `json:"touchpoints"`
		PageInfo    pageInfo         `json:"pageInfo"`
	}{mapped(part, touchpointOf), info})
}

// touchpoint answers with a registered touchpoint, given by its id or name.
func (c *call) touchpoint(status int, id string) error {
	all, err := c.catalogue.Touchpoints(c.r.Context())
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(t bundles.Touchpoint) bool { return strings.EqualFold(t.Name, id) })
	if at < 0 {
		return bundles.ErrNotFound
	}
	return c.json(status, touchpointOf(&all[at]))
}

func getTouchpoint(c *call) error { return c.touchpoint(http.StatusOK, c.part("idTouchpoint")) }

func createTouchpoint(c *call) error {
	name, err := c.name("name")
	if err == nil {
		err = c.catalogue.AddTouchpoint(c.r.Context(), c.caller, name)
	}
	if err != nil {
		return err
	}
	return c.touchpoint(http.StatusCreated, name)
}

// name reads a body that says one name.
func (c *call) name(field string) (string, error) {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return "", err
	}
	return format.ReadText(body, field)
}

func deleteTouchpoint(c *call) error {
	if err := c.catalogue.RemoveTouchpoint(c.r.Context(), c.caller, c.part("idTouchpoint")); err != nil {
		return err
	}
	return c.done()
}

type paymentTypeView struct {
	PaymentType string `json:"paymentType"`
	Used        bool   `json:"used"`
}

// paymentTypes returns the registered payment types and whether bundles use them that are not over, so that
// they cannot be deleted.
func (c *call) paymentTypes() []paymentTypeView {
	snapshot, today := c.catalogue.Current(), engine.LocalAt(c.h.options.Now()).Date
	used := map[string]bool{}
	for b := range snapshot.Bundles() {
		if !bundles.Over(b.Validity, today) {
			used[strings.ToLower(b.PaymentType)] = true
		}
	}
	return mapped(snapshot.Settings().PaymentTypes, func(name *string) paymentTypeView { return paymentTypeView{*name, used[strings.ToLower(*name)]} })
}

func getPaymentTypes(c *call) error {
	part, info, err := paged(c, c.paymentTypes())
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		PaymentTypes []paymentTypeView `json:"paymentTypes"`
		PageInfo     pageInfo          `json:"pageInfo"`
	}{part, info})
}

func (c *call) paymentType(status int, name string) error {
	all := c.paymentTypes()
	at := slices.IndexFunc(all, func(t paymentTypeView) bool { return strings.EqualFold(t.PaymentType, name) })
	if at < 0 {
		return bundles.ErrNotFound
	}
	return c.json(status, all[at])
}

func getPaymentType(c *call) error { return c.paymentType(http.StatusOK, c.part("paymentType")) }

func syncPaymentTypes(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	names, err := format.ReadNames(body, "name")
	if err == nil {
		err = c.catalogue.SyncPaymentTypes(c.r.Context(), c.caller, names)
	}
	if err != nil {
		return err
	}
	return c.done()
}

func createPaymentType(c *call) error {
	name, err := c.name("paymentType")
	if err == nil {
		err = c.catalogue.AddPaymentType(c.r.Context(), c.caller, name)
	}
	if err != nil {
		return err
	}
	return c.paymentType(http.StatusCreated, name)
}

func deletePaymentType(c *call) error {
	if err := c.catalogue.RemovePaymentType(c.r.Context(), c.caller, c.part("paymentType")); err != nil {
		return err
	}
	return c.done()
}

// getConfiguration is asked by clients to make the calculator take the catalogue over; here it is always
// current (A7).
func getConfiguration(c *call) error { return c.done() }
