package condition

// tryOut runs a new program on sample payments before anything relies on it (spec 7). No accepted
// program can fail; should one do so, its author learns it now and not its payers later.
func tryOut(p *Program) error {
	evaluator := NewEvaluator()
	for _, sample := range samples() {
		evaluator.Reset(&sample)
		for _, onUs := range [...]bool{false, true} {
			if _, err := evaluator.Holds(p, onUs, false); err != nil {
				return failure("a trial run failed: " + err.Error())
			}
		}
	}
	return nil
}

// samples are payments from one end of what there is to the other: none at all, an everyday one,
// and a large cart with every fact at its edge.
func samples() []Facts {
	return []Facts{
		{},
		{
			AmountCents: 5000, Notices: 1, Transfers: 2, Touchpoint: "CHECKOUT", PaymentType: "CP",
			ECs: []string{"77777777777"}, Categories: []string{"0102100SA", "0201102IM"}, TaxonomyAsked: true,
			Local: Local{Year: 2026, Month: 11, Day: 21, Weekday: 6, Hour: 10, Minute: 30, Date: "2026-11-21"},
		},
		{
			AmountCents: 100_000_000_00, Notices: 5, Transfers: 25, DigitalStamps: 25, Touchpoint: "ANY", PaymentType: "ANY",
			ECs: []string{"00000000001", "77777777777", "99999999999"}, Categories: []string{"9999999ZZ", "0000000AA"}, TaxonomyAsked: true,
			Local: Local{Year: 2026, Month: 12, Day: 31, Weekday: 4, Hour: 23, Minute: 59, Date: "2026-12-31"},
		},
	}
}
