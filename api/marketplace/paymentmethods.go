package marketplace

import (
	"errors"
	"math"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"

	"gec/api/problem"
	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

// methodView is a payment method as it is read (spec 4).
type methodView struct {
	PaymentMethodID      string            `json:"paymentMethodId"`
	Name                 map[string]string `json:"name"`
	Description          map[string]string `json:"description"`
	Status               string            `json:"status"`
	ValidityDateFrom     *string           `json:"validityDateFrom"`
	Group                string            `json:"group"`
	PaymentMethodTypes   []string          `json:"paymentMethodTypes"`
	PaymentMethodAsset   *string           `json:"paymentMethodAsset"`
	MethodManagement     string            `json:"methodManagement"`
	PaymentMethodsBrands map[string]string `json:"paymentMethodsBrandAssets"`
	Metadata             map[string]string `json:"metadata"`
}

func methodViewOf(m *bundles.PaymentMethod) methodView {
	return methodView{
		m.ID, m.Names, m.Descriptions, m.Status, optional(m.ValidFrom.String()), m.Group, listOf(m.Types), optional(m.Asset), m.Management,
		textsOf(m.BrandAssets), textsOf(m.Metadata),
	}
}

func listOf(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

func textsOf(texts map[string]string) map[string]string {
	if texts == nil {
		return map[string]string{}
	}
	return texts
}

// wholeMethodView is all of a payment method.
type wholeMethodView struct {
	ID string `json:"id"`
	methodView
	UserTouchpoint []string       `json:"userTouchpoint"`
	UserDevice     []string       `json:"userDevice"`
	Target         []string       `json:"target"`
	RangeAmount    *bundles.Range `json:"rangeAmount"`
}

func wholeMethodOf(m *bundles.PaymentMethod) wholeMethodView {
	return wholeMethodView{m.ID, methodViewOf(m), listOf(m.Touchpoints), listOf(m.Devices), listOf(m.Targets), m.RangeCents}
}

func getPaymentMethods(c *call) error {
	return c.json(http.StatusOK, mapped(c.catalogue.PaymentMethods(), wholeMethodOf))
}

func getPaymentMethod(c *call) error {
	m, err := c.catalogue.PaymentMethod(c.part("paymentMethodId"))
	if err != nil {
		return methodNotFound(err, c.part("paymentMethodId"))
	}
	c.etag(m.Revision)
	return c.json(http.StatusOK, wholeMethodOf(&m))
}

func createPaymentMethod(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	m, err := format.ReadPaymentMethod(body)
	if err != nil {
		return err
	}
	if m, err = c.catalogue.CreatePaymentMethod(c.r.Context(), c.caller, m); err != nil {
		return err
	}
	return c.json(http.StatusCreated, wholeMethodOf(&m))
}

func updatePaymentMethod(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	m, err := format.ReadPaymentMethod(body)
	if err != nil {
		return err
	}
	id := c.part("paymentMethodId")
	if m.ID != "" && m.ID != id {
		return bundles.Faults{{Path: "paymentMethodId", Reason: "is " + bundles.Excerpt(m.ID) + ", but the path says " + bundles.Excerpt(id), Fix: "leave it out, or create another payment method"}}
	}
	m.ID = id
	if m, err = c.catalogue.ChangePaymentMethod(c.r.Context(), c.caller, m); err != nil {
		return methodNotFound(err, id)
	}
	return c.json(http.StatusOK, wholeMethodOf(&m))
}

func deletePaymentMethod(c *call) error {
	if err := c.catalogue.DeletePaymentMethod(c.r.Context(), c.caller, c.part("paymentMethodId")); err != nil {
		return methodNotFound(err, c.part("paymentMethodId"))
	}
	return c.done()
}

// offeredView is a payment method as a payment can use it.
type offeredView struct {
	methodView
	FeeRange       *bundles.Range `json:"feeRange"`
	DisabledReason *string        `json:"disabledReason"`
}

func searchPaymentMethods(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	q, err := format.ReadMethodSearch(body)
	if err != nil {
		return err
	}
	snapshot, now := c.catalogue.Current(), c.h.options.Now()
	q.Payment.At = now
	q.Today = engine.LocalAt(now).Date
	quoter := engine.NewQuoter()
	q.Quotes = func(group string) (*bundles.Range, error) {
		payment := q.Payment
		payment.PaymentType = group
		answer, err := quoter.Quotes(snapshot, &payment, engine.Options{Order: engine.OrderFee, Limit: math.MaxInt32})
		var unknown *engine.UnknownNameError
		switch {
		case errors.As(err, &unknown) && unknown.Kind == "payment type": // registered once, and gone since
			return nil, nil
		case err != nil:
			return nil, err
		case len(answer.Quotes) == 0:
			return nil, nil
		}
		return &bundles.Range{Min: answer.Quotes[0].NetCents, Max: answer.Quotes[len(answer.Quotes)-1].NetCents}, nil
	}
	offered, err := bundles.SearchPaymentMethods(c.catalogue.PaymentMethods(), q.MethodSearch)
	if err != nil {
		return onTheWire(err)
	}
	return c.json(http.StatusOK, struct {
		PaymentMethods []offeredView `json:"paymentMethods"`
	}{mapped(offered, func(o *bundles.OfferedMethod) offeredView {
		v := offeredView{methodViewOf(o.PaymentMethod), o.FeeCents, optional(o.DisabledReason)}
		v.Status = o.Status
		return v
	})})
}

// onTheWire gives an error of the engine, which names its own fields, the names of the contract.
func onTheWire(err error) error {
	var invalid *engine.InvalidPaymentError
	if !errors.As(err, &invalid) {
		return err
	}
	path := strings.NewReplacer("notices", "paymentNotice", ".amount", ".paymentAmount").Replace(invalid.Field)
	return problem.Invalid([]problem.Field{{Path: path, Message: invalid.Reason}})
}

// methodNotFound is the contract's 404 of a payment method.
func methodNotFound(err error, id string) error {
	if !errors.Is(err, bundles.ErrNotFound) {
		return err
	}
	p := problem.New(http.StatusNotFound, codes.NotFound, "Cannot find payment method with id: '"+id+"'")
	p.Title = "Payment method not found"
	return p
}
