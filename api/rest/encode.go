package rest

import (
	"strconv"

	"gec/api/fragment"
	"gec/engine"
)

// appendAnswer writes an answer as the JSON body of a contract after dst. Every row starts with the bundle's
// ready fragment; what follows depends on the payment. The order of members is free in JSON, and theirs is
// the one that needs the fewest copies.
func appendAnswer(dst []byte, c contract, a *engine.Answer) []byte {
	dst = append(dst, `{"belowThreshold":`...)
	dst = strconv.AppendBool(dst, a.BelowThreshold)
	dst = append(dst, `,"bundleOptions":[`...)
	for i := range a.Quotes {
		q := &a.Quotes[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, fragment.OfQuote(q).Row()...)
		if c == contractV1 {
			dst = appendRowV1(dst, q)
		} else {
			dst = appendRowV2(dst, q)
		}
	}
	return append(dst, `]}`...)
}

// appendRowV1 writes the rest of a v1 row: the net fee under the name taxPayerFee, and the one EC's share.
func appendRowV1(dst []byte, q *engine.Quote) []byte {
	dst = append(dst, `"taxPayerFee":`...)
	dst = strconv.AppendInt(dst, q.NetCents, 10)
	dst = appendOnUs(dst, q.OnUs)
	if len(q.Contributions) == 0 {
		return append(dst, `,"primaryCiIncurredFee":0,"idCiBundle":null}`...)
	}
	share := &q.Contributions[0]
	dst = append(dst, `,"primaryCiIncurredFee":`...)
	dst = strconv.AppendInt(dst, share.ActualCents, 10)
	dst = append(dst, `,"idCiBundle":`...)
	dst = fragment.AppendString(dst, share.SubscriptionID)
	return append(dst, '}')
}

// appendRowV2 writes the rest of a v2 row: the gross fee under the name taxPayerFee, the net fee, and the
// shares of all ECs.
func appendRowV2(dst []byte, q *engine.Quote) []byte {
	dst = append(dst, `"taxPayerFee":`...)
	dst = strconv.AppendInt(dst, q.GrossCents, 10)
	dst = append(dst, `,"actualPayerFee":`...)
	dst = strconv.AppendInt(dst, q.NetCents, 10)
	dst = appendOnUs(dst, q.OnUs)
	if len(q.Contributions) == 0 {
		return append(dst, `,"idsCiBundle":[],"fees":[]}`...)
	}
	open := `,"idsCiBundle":[`
	for i := range q.Contributions {
		dst = append(dst, open...)
		dst = fragment.AppendString(dst, q.Contributions[i].SubscriptionID)
		open = `,`
	}
	open = `],"fees":[{"creditorInstitution":`
	for i := range q.Contributions {
		share := &q.Contributions[i]
		dst = append(dst, open...)
		dst = fragment.AppendString(dst, share.CreditorInstitution)
		dst = append(dst, `,"primaryCiIncurredFee":`...)
		dst = strconv.AppendInt(dst, share.DeclaredCents, 10)
		dst = append(dst, `,"actualCiIncurredFee":`...)
		dst = strconv.AppendInt(dst, share.ActualCents, 10)
		open = `},{"creditorInstitution":`
	}
	return append(dst, `}]}`...)
}

func appendOnUs(dst []byte, onUs bool) []byte {
	if onUs {
		return append(dst, `,"onUs":true`...)
	}
	return append(dst, `,"onUs":false`...)
}
