package condition

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The reference: a second, slow and obvious reading of the language, written from its
// documentation. It shares no code with the package and uses no expr; what it says a condition
// means is compared with what compiled programs answer.

// node is an expression of the reference. op is the operator, or "int", "text", "bool", "name",
// "call", "list".
type node struct {
	op     string
	word   string // of a name, call, text or bool
	number int64
	kids   []*node
}

func branch(op string, kids ...*node) *node { return &node{op: op, kids: kids} }

// --- meaning ---

// value gives what a node is worth for a payment: int64, string or bool.
func (n *node) value(f *Facts, onUs bool) any {
	kid := func(i int) any { return n.kids[i].value(f, onUs) }
	switch n.op {
	case "int":
		return n.number
	case "text":
		return n.word
	case "bool":
		return n.word == "true"
	case "name":
		return nameValue(n.word, f, onUs)
	case "call":
		return n.callValue(f)
	case "not":
		return !kid(0).(bool)
	case "and":
		return kid(0).(bool) && kid(1).(bool)
	case "or":
		return kid(0).(bool) || kid(1).(bool)
	case "?":
		if kid(0).(bool) {
			return kid(1)
		}
		return kid(2)
	case "startsWith":
		return strings.HasPrefix(folded(kid(0)).(string), folded(kid(1)).(string))
	case "endsWith":
		return strings.HasSuffix(folded(kid(0)).(string), folded(kid(1)).(string))
	case "==":
		return folded(kid(0)) == folded(kid(1))
	case "!=":
		return folded(kid(0)) != folded(kid(1))
	case "<", "<=", ">", ">=":
		return ordered(n.op, folded(kid(0)), folded(kid(1)))
	case "in":
		return n.contained(f, onUs)
	}
	panic("reference: no meaning for " + n.op)
}

// folded gives a text as it is compared: ignoring case.
func folded(value any) any {
	if text, ok := value.(string); ok {
		return strings.ToUpper(text)
	}
	return value
}

func ordered(op string, left, right any) bool {
	var sign int
	switch left := left.(type) {
	case int64:
		switch right := right.(int64); {
		case left < right:
			sign = -1
		case left > right:
			sign = 1
		}
	case string:
		sign = strings.Compare(left, right.(string))
	default:
		panic(fmt.Sprintf("reference: no order for %T", left))
	}
	return map[string]bool{"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[op]
}

func (n *node) contained(f *Facts, onUs bool) bool {
	left, right := n.kids[0].value(f, onUs), n.kids[1]
	if right.op == ".." {
		return right.kids[0].number <= left.(int64) && left.(int64) <= right.kids[1].number
	}
	for _, item := range right.kids {
		if folded(left) == folded(item.value(f, onUs)) {
			return true
		}
	}
	return false
}

func nameValue(name string, f *Facts, onUs bool) any {
	return map[string]any{
		"amount": f.AmountCents, "notices": int64(f.Notices), "transfers": int64(f.Transfers), "digitalStamps": int64(f.DigitalStamps),
		"ecs": int64(len(f.ECs)), "categories": int64(len(f.Categories)),
		"touchpoint": f.Touchpoint, "paymentType": f.PaymentType, "onUs": onUs,
		"date": f.Local.Date, "weekday": int64(f.Local.Weekday), "hour": int64(f.Local.Hour), "minute": int64(f.Local.Minute),
		"month": int64(f.Local.Month), "day": int64(f.Local.Day),
	}[name]
}

func (n *node) callValue(f *Facts) bool {
	argument := func(i int) string { return n.kids[i].word }
	switch n.word {
	case "weekend":
		return f.Local.Weekday == 6 || f.Local.Weekday == 7
	case "holiday":
		return referenceHoliday(f.Local.Year, f.Local.Month, f.Local.Day)
	case "ec":
		return slices.Contains(f.ECs, argument(0))
	case "category":
		wanted := strings.TrimSuffix(strings.TrimPrefix(argument(0), "9/"), "/")
		return slices.ContainsFunc(f.Categories, func(code string) bool {
			if before, prefix := strings.CutSuffix(wanted, "*"); prefix {
				return strings.HasPrefix(code, strings.TrimSuffix(before, "/"))
			}
			return code == wanted
		})
	case "time":
		now := fmt.Sprintf("%02d:%02d", f.Local.Hour, f.Local.Minute)
		if from, to := argument(0), argument(1); from < to {
			return from <= now && now < to
		} else {
			return now >= from || now < to
		}
	}
	panic("reference: no function " + n.word)
}

// paschalMoons gives the 14th day of the moon that rules Easter by golden number, as a day of
// March, from 1900 to 2199: the table printed in books of prayer, no formula.
var paschalMoons = [19]int{45, 34, 23, 42, 31, 49, 39, 28, 47, 36, 25, 44, 33, 22, 41, 30, 48, 38, 27}

func referenceHoliday(year, month, day int) bool {
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	switch date.Format("2/1") {
	case "1/1", "6/1", "25/4", "1/5", "2/6", "15/8", "1/11", "8/12", "25/12", "26/12":
		return true
	case "4/10":
		return year > 2025
	}
	easter := time.Date(year, time.March, paschalMoons[((year%19)+19)%19], 0, 0, 0, 0, time.UTC)
	for ok := true; ok; ok = easter.Weekday() != time.Sunday {
		easter = easter.AddDate(0, 0, 1)
	}
	return date.Equal(easter) || date.Equal(easter.AddDate(0, 0, 1))
}

// --- reading ---

var referenceWord = regexp.MustCompile(`^(?:[0-9]+|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|&&|\|\||==|!=|<=|>=|\.\.|[<>!?:,()\[\]]|[A-Za-z]+)`)

type reader struct{ words []string }

// readReference reads a condition that Compile has accepted; it panics on any other.
func readReference(source string) *node {
	r := &reader{}
	for rest := strings.TrimLeft(source, " \t\r\n"); rest != ""; {
		word := referenceWord.FindString(rest)
		if word == "" {
			panic("reference: cannot read " + rest)
		}
		r.words = append(r.words, word)
		rest = strings.TrimLeft(rest[len(word):], " \t\r\n")
	}
	n := r.ternary()
	if len(r.words) > 0 {
		panic("reference: too many words: " + r.words[0])
	}
	return n
}

func (r *reader) peek() string {
	if len(r.words) == 0 {
		return ""
	}
	return r.words[0]
}

func (r *reader) next() string {
	word := r.peek()
	r.words = r.words[1:]
	return word
}

// take takes the next word if it is one of these.
func (r *reader) take(words ...string) bool {
	if r.peek() != "" && slices.Contains(words, r.peek()) {
		r.next()
		return true
	}
	return false
}

func (r *reader) want(word string) {
	if !r.take(word) {
		panic(fmt.Sprintf("reference: %q instead of %q", r.peek(), word))
	}
}

func (r *reader) ternary() *node {
	question := r.or()
	if !r.take("?") {
		return question
	}
	yes := r.ternary()
	r.want(":")
	return branch("?", question, yes, r.ternary())
}

func (r *reader) or() *node {
	left := r.and()
	for r.take("||", "or") {
		left = branch("or", left, r.and())
	}
	return left
}

func (r *reader) and() *node {
	left := r.comparison()
	for r.take("&&", "and") {
		left = branch("and", left, r.comparison())
	}
	return left
}

// comparison reads the operators of one level, from the left. A row of < <= > >= asks for each of
// its neighbours: 0 < amount <= 9 is 0 < amount and amount <= 9.
func (r *reader) comparison() *node {
	left := r.span()
	for {
		switch op := r.peek(); op {
		case "==", "!=", "in", "startsWith", "endsWith":
			r.next()
			left = branch(op, left, r.span())
		case "not":
			r.next()
			left = branch("not", branch(r.next(), left, r.span()))
		case "<", "<=", ">", ">=":
			left = r.row(left)
		default:
			return left
		}
	}
}

func (r *reader) row(left *node) *node {
	var all *node
	for slices.Contains([]string{"<", "<=", ">", ">="}, r.peek()) {
		op := r.next()
		right := r.span()
		if one := branch(op, left, right); all == nil {
			all = one
		} else {
			all = branch("and", all, one)
		}
		left = right
	}
	return all
}

func (r *reader) span() *node {
	left := r.unary()
	if r.take("..") {
		return branch("..", left, r.unary())
	}
	return left
}

func (r *reader) unary() *node {
	if r.take("!", "not") {
		return branch("not", r.unary())
	}
	return r.primary()
}

func (r *reader) primary() *node {
	switch word := r.next(); {
	case word == "(":
		n := r.ternary()
		r.want(")")
		return n
	case word == "[":
		return &node{op: "list", kids: r.items("]")}
	case word[0] == '"' || word[0] == '\'':
		plain := regexp.MustCompile(`\\(.)`).ReplaceAllString(word[1:len(word)-1], "$1")
		return &node{op: "text", word: plain}
	case '0' <= word[0] && word[0] <= '9':
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			panic(err)
		}
		return &node{op: "int", number: number}
	case word == "true" || word == "false":
		return &node{op: "bool", word: word}
	case r.take("("):
		return &node{op: "call", word: word, kids: r.items(")")}
	default:
		return &node{op: "name", word: word}
	}
}

func (r *reader) items(closing string) (items []*node) {
	for !r.take(closing) {
		items = append(items, r.ternary())
		if !r.take(",") {
			r.want(closing)
			break
		}
	}
	return items
}
