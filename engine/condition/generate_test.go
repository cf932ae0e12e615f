package condition

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// The values that generated payments have and generated conditions ask for; few, so that they
// meet.
var (
	someAmounts  = []int64{0, 1, 99, 100, 255, 256, 5000, 5001, 100_000, 100_000_000_00, 1<<63 - 1}
	someNames    = []string{"CHECKOUT", "CHECKOUT_CART", "PSP", "IO", "ANY", "", "Caffè", `a"b\c'd`}
	someCodes    = []string{"0102100SA", "0102101SA", "0102100IM", "0201102IM", "9999999ZZ", "0000000AA"}
	somePatterns = []string{"0102100SA", "9/0201102IM/", "01021*", "0*", "9/01*", "9/0102100/*", "0102100S*", "9999999ZZ*", "1*"}
	someECs      = []string{"77777777777", "00000000001", "99999999999", "12345678901"}
	someTimes    = []string{"00:00", "00:01", "08:00", "12:30", "20:00", "23:59"}
)

// randomPayment makes a payment from a seed: equal seeds, equal payments.
func randomPayment(seed uint64) (f Facts, onUs bool) {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	at := time.Date(2020+r.IntN(20), time.January, 1+r.IntN(366), r.IntN(24), r.IntN(60), 0, 0, time.UTC)
	if r.IntN(4) == 0 {
		at = time.Date(at.Year(), time.March, 20+r.IntN(40), at.Hour(), 0, 0, 0, time.UTC) // around Easter
	}
	f = Facts{
		AmountCents: someAmounts[r.IntN(len(someAmounts))], Notices: r.IntN(6), Transfers: r.IntN(26), DigitalStamps: r.IntN(3),
		Touchpoint: pick(someNames), PaymentType: pick(someNames), TaxonomyAsked: r.IntN(4) > 0,
		Local: localOf(at),
	}
	for _, code := range someCodes {
		if r.IntN(3) == 0 {
			f.Categories = append(f.Categories, code)
		}
	}
	r.Shuffle(len(f.Categories), func(i, j int) { f.Categories[i], f.Categories[j] = f.Categories[j], f.Categories[i] })
	for _, code := range someECs {
		if r.IntN(3) == 0 {
			f.ECs = append(f.ECs, code)
		}
	}
	return f, r.IntN(2) == 0
}

func localOf(at time.Time) Local {
	return Local{Year: at.Year(), Month: int(at.Month()), Day: at.Day(), Weekday: (int(at.Weekday())+6)%7 + 1,
		Hour: at.Hour(), Minute: at.Minute(), Date: at.Format(time.DateOnly)}
}

// --- random conditions ---

func drawCondition(t *rapid.T, depth int) *node {
	kinds := 4
	if depth > 0 {
		kinds = 9
	}
	switch rapid.IntRange(0, kinds).Draw(t, "condition") {
	case 0:
		return &node{op: "bool", word: rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")}
	case 1:
		return &node{op: "name", word: "onUs"}
	case 2:
		return drawCall(t)
	case 3, 4:
		return drawMembership(t)
	case 5:
		return branch("not", drawCondition(t, depth-1))
	case 6:
		op := rapid.SampledFrom([]string{"and", "or", "==", "!="}).Draw(t, "joined")
		return branch(op, drawCondition(t, depth-1), drawCondition(t, depth-1))
	case 7:
		return branch("?", drawCondition(t, depth-1), drawCondition(t, depth-1), drawCondition(t, depth-1))
	case 8:
		op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "numbers")
		return branch(op, drawNumber(t, depth-1), drawNumber(t, depth-1))
	default:
		op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">=", "startsWith", "endsWith"}).Draw(t, "texts")
		return branch(op, drawText(t, depth-1), drawText(t, depth-1))
	}
}

var (
	numberNames = []string{"amount", "notices", "transfers", "digitalStamps", "ecs", "categories", "weekday", "hour", "minute", "month", "day"}
	textNames   = []string{"touchpoint", "paymentType"} // not date: its literals must be dates
)

func drawLiteral(t *rapid.T, number bool) *node {
	if number {
		return &node{op: "int", number: rapid.OneOf(rapid.SampledFrom(someAmounts), rapid.Int64Range(0, 60)).Draw(t, "number")}
	}
	return &node{op: "text", word: rapid.SampledFrom(someNames).Draw(t, "text")}
}

func drawNumber(t *rapid.T, depth int) *node {
	switch rapid.IntRange(0, 4).Draw(t, "number kind") {
	case 0, 1:
		return &node{op: "name", word: rapid.SampledFrom(numberNames).Draw(t, "name")}
	case 2:
		if depth > 0 {
			return branch("?", drawCondition(t, depth-1), drawNumber(t, depth-1), drawNumber(t, depth-1))
		}
	}
	return drawLiteral(t, true)
}

func drawText(t *rapid.T, depth int) *node {
	switch rapid.IntRange(0, 4).Draw(t, "text kind") {
	case 0, 1:
		return &node{op: "name", word: rapid.SampledFrom(textNames).Draw(t, "name")}
	case 2:
		if depth > 0 {
			return branch("?", drawCondition(t, depth-1), drawText(t, depth-1), drawText(t, depth-1))
		}
	}
	return drawLiteral(t, false)
}

func drawCall(t *rapid.T) *node {
	call := func(name string, pools ...[]string) *node {
		n := &node{op: "call", word: name}
		for _, pool := range pools {
			n.kids = append(n.kids, &node{op: "text", word: rapid.SampledFrom(pool).Draw(t, name)})
		}
		return n
	}
	switch rapid.IntRange(0, 4).Draw(t, "call") {
	case 0:
		return call("category", somePatterns)
	case 1:
		return call("ec", someECs)
	case 2:
		return call("time", someTimes, append([]string{"24:00"}, someTimes...))
	case 3:
		return call("weekend")
	}
	return call("holiday")
}

func drawMembership(t *rapid.T) *node {
	number := rapid.Bool().Draw(t, "of numbers")
	if number && rapid.Bool().Draw(t, "range") {
		from := drawLiteral(t, true)
		to := &node{op: "int", number: rapid.Int64Range(from.number, 1<<63-1).Draw(t, "to")}
		name := &node{op: "name", word: rapid.SampledFrom(numberNames).Draw(t, "name")}
		return branch("in", name, branch("..", from, to))
	}
	names, list := textNames, &node{op: "list"}
	if number {
		names = numberNames
	}
	for range rapid.IntRange(1, 6).Draw(t, "items") {
		list.kids = append(list.kids, drawLiteral(t, number))
	}
	return branch("in", &node{op: "name", word: rapid.SampledFrom(names).Draw(t, "name")}, list)
}

// --- writing ---

// levels are how tightly operators bind.
var levels = map[string]int{"?": 1, "or": 2, "and": 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4,
	"in": 4, "startsWith": 4, "endsWith": 4, "..": 5, "not": 6}

// write turns a node into source. free(n) chooses between n ways to say the same.
func (n *node) write(free func(n int) int) string {
	choose := func(ways ...string) string { return ways[free(len(ways))] }
	kid := func(i, level int) string {
		s := n.kids[i].write(free)
		if l := levels[n.kids[i].op]; l != 0 && l < level || free(12) == 0 {
			return "(" + s + ")"
		}
		return s
	}
	own := levels[n.op]
	switch n.op {
	case "int":
		return strconv.FormatInt(n.number, 10)
	case "text":
		return writeText(n.word, choose(`"`, `'`))
	case "bool", "name":
		return n.word
	case "call":
		return n.word + "(" + n.writeItems(free) + ")"
	case "list":
		return "[" + n.writeItems(free) + choose("", ",") + "]"
	case "not":
		return choose("!", "not ") + kid(0, own)
	case "?":
		return kid(0, own+1) + " ? " + kid(1, own) + choose(" : ", "\n\t: ") + kid(2, own)
	case "and":
		return kid(0, own) + choose(" && ", " and ", "&&") + kid(1, own+1)
	case "or":
		return kid(0, own) + choose(" || ", " or ", "||") + kid(1, own+1)
	case "in":
		return n.kids[0].word + " in " + n.kids[1].write(func(int) int { return 1 })
	case "..":
		return kid(0, own+1) + ".." + kid(1, own+1)
	}
	// A row of comparisons means something of its own, so that a comparison in one wants brackets.
	return kid(0, own+1) + " " + n.op + " " + kid(1, own+1)
}

func (n *node) writeItems(free func(int) int) string {
	var items []string
	for _, item := range n.kids {
		items = append(items, item.write(free))
	}
	return strings.Join(items, ", ")
}

func writeText(s, quote string) string {
	return quote + strings.NewReplacer(`\`, `\\`, quote, `\`+quote).Replace(s) + quote
}

// String writes a node in one certain way, for messages and comparison.
func (n *node) String() string {
	return fmt.Sprint(n.op, " ", n.word, " ", n.number, " ", n.kids)
}
