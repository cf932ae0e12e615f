package rest

import (
	"math"
	"net/http"
	"net/url"
	"strings"

	"gec/api/problem"
	"gec/engine"
)

// The headers of the contract in the form in which net/http keeps them.
const (
	headerRequestID      = "X-Request-Id"
	headerIUV            = "X-Iuv"
	headerMaxOccurrences = "Maxoccurrences"
	headerRevision       = "X-Catalogue-Revision"
	headerSeed           = "X-Quote-Seed"
	headerReceipt        = "X-Quote-Receipt"
)

// queryValues are the parameters that mean something; clients write onUsFirst in two ways. The first value of
// a parameter counts.
type queryValues struct{ maxOccurrences, allCcp, onUsFirst, orderBy parameter }

type parameter struct {
	value string
	given bool
}

func (p *parameter) set(value string) {
	if !p.given {
		p.value, p.given = value, true
	}
}

// readQuery reads the query string and the headers of a request into q. It allocates only where parameters
// are percent-encoded. Errors: *problem.Problem.
func readQuery(rawQuery string, header http.Header, q *Query) error {
	*q = DefaultQuery()
	var values queryValues
	for rawQuery != "" {
		var pair string
		pair, rawQuery, _ = strings.Cut(rawQuery, "&")
		name, value, _ := strings.Cut(pair, "=")
		switch unescape(name) {
		case "maxOccurrences":
			values.maxOccurrences.set(unescape(value))
		case "allCcp":
			values.allCcp.set(unescape(value))
		case "onUsFirst", "onusFirst":
			values.onUsFirst.set(unescape(value))
		case "orderBy":
			values.orderBy.set(unescape(value))
		}
	}
	q.AllCcp = truth(values.allCcp.value)
	q.OnUsFirst = truth(values.onUsFirst.value)
	q.Order = order(values.orderBy.value)
	q.Reference = first(header[headerIUV])
	limit := values.maxOccurrences.value
	if blank(limit) {
		limit = first(header[headerMaxOccurrences]) // acquirers send it so
	}
	var ok bool
	if q.Limit, ok = parseLimit(limit); !ok {
		return problem.InvalidValue(limit, "maxOccurrences", "send a whole number from 1 to 2147483647, or leave it out for 10")
	}
	return nil
}

// unescape decodes a part of a query string, which stays as it is where it is not well formed.
func unescape(part string) string {
	if !strings.ContainsAny(part, "%+") {
		return part
	}
	if text, err := url.QueryUnescape(part); err == nil {
		return text
	}
	return part
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func blank(text string) bool { return strings.TrimSpace(text) == "" }

// truth reads a flag whose default is true: blank is true, and else only the word itself, in any case.
func truth(text string) bool { return blank(text) || strings.EqualFold(text, "true") }

// order reads orderBy; anything unknown is the default, random order.
func order(text string) engine.Order {
	switch {
	case strings.EqualFold(text, "fee"):
		return engine.OrderFee
	case strings.EqualFold(text, "pspname"):
		return engine.OrderPSPName
	case strings.EqualFold(text, "feerandom"):
		return engine.OrderFeeRandom
	}
	return engine.OrderRandom
}

// parseLimit reads maxOccurrences, a whole number from 1 to 2147483647; blank stands for the default and
// gives 0.
func parseLimit(text string) (limit int32, ok bool) {
	digits := strings.TrimPrefix(strings.TrimSpace(text), "+")
	if digits == "" {
		return 0, blank(text)
	}
	var n int64
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + int64(c-'0'); n > math.MaxInt32 {
			return 0, false
		}
	}
	return int32(n), n > 0
}
