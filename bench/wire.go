package bench

import (
	"encoding/json"
	"time"

	"gec/api/fragment"
	"gec/api/rest"
	"gec/engine"
)

// Calculator returns the HTTP contract's calculator on the options' catalogue, without a socket. Its clock
// stands still.
func (l *Lab) Calculator(o Options) (*rest.Calculator, error) {
	s, err := l.snapshot(l.annotated, o, fragment.Of)
	if err != nil {
		return nil, err
	}
	return rest.NewCalculator(func() *engine.Snapshot { return s }, stillClock), nil
}

func stillClock() time.Time { return paymentDay.Add(11 * time.Hour) }

func jsonCase(k kind) Case {
	return Case{k.caseName("json"), func(l *Lab) (Operation, error) {
		calculator, err := l.Calculator(k.catalogue)
		if err != nil {
			return nil, err
		}
		answer, query := calculator.AnswerV2, rest.DefaultQuery()
		query.Order = k.options.Order
		payments := k.payments(l)
		bodies := make([][]byte, len(payments))
		for i := range payments {
			bodies[i] = BodyV2(&payments[i])
			if k.options.View == engine.EveryBundle {
				bodies[i] = BodyV1(&payments[i])
			}
		}
		if k.options.View == engine.EveryBundle {
			answer = calculator.AnswerV1
		}
		var room []byte
		return func(i int) error {
			var err error
			room, _, err = answer(room[:0], bodies[i%mixSize], &query)
			return err
		}, nil
	}}
}

// jsonWay asks by the bytes of the HTTP contract. Its clock stands still: the payment is moved to it.
func (l *Lab) jsonWay(k kind) (way, error) {
	s, err := l.snapshot(l.annotated, k.catalogue, fragment.Of)
	if err != nil {
		return way{}, err
	}
	query := rest.DefaultQuery()
	query.Order = k.options.Order
	return way{"JSON", 1, func(p *engine.Payment) ([]Row, error) {
		at := p.At
		calculator := rest.NewCalculator(func() *engine.Snapshot { return s }, func() (now time.Time) { return at })
		var answer []byte
		var err error
		if k.options.View == engine.EveryBundle {
			answer, _, err = calculator.AnswerV1(nil, BodyV1(p), &query)
		} else {
			answer, _, err = calculator.AnswerV2(nil, BodyV2(p), &query)
		}
		if err != nil {
			return nil, err
		}
		return decodeRows(answer, k.options.View)
	}}, nil
}

// decodeRows reads an answer of the HTTP contract.
func decodeRows(answer []byte, view engine.View) ([]Row, error) {
	var decoded struct {
		BundleOptions []struct {
			IDBundle             string
			OnUs                 bool
			TaxPayerFee          int64
			ActualPayerFee       int64
			PrimaryCiIncurredFee int64
		}
	}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		return nil, err
	}
	rows := make([]Row, len(decoded.BundleOptions))
	for i, o := range decoded.BundleOptions {
		rows[i] = Row{Bundle: o.IDBundle, Gross: o.TaxPayerFee, Net: o.ActualPayerFee, OnUs: o.OnUs}
		if view == engine.EveryBundle {
			rows[i].Gross, rows[i].Net = o.TaxPayerFee+o.PrimaryCiIncurredFee, o.TaxPayerFee
		}
	}
	return rows, nil
}
