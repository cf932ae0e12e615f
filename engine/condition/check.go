package condition

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
)

// allowList walks a parsed condition and lets through a list of node kinds, each with the types it
// may have (E2). A kind that is not listed is refused, so that what a later expr adds is refused
// until someone has thought about it.
type allowList struct {
	limits limits
	nodes  int
}

// check checks the whole tree: allowed nodes, types, and their number (E3).
func check(root ast.Node, bounds limits) *Error {
	c := &allowList{limits: bounds}
	k, err := c.expression(root)
	if err != nil {
		return err
	}
	if k != boolean {
		return refuseNode(root, fmt.Sprintf("this is %s and must be true or false", k), "compare it with something")
	}
	return nil
}

// column gives a node's column. A ternary carries the place of its end, so that its question's is
// taken.
func column(n ast.Node) int {
	for {
		ternary, ok := n.(*ast.ConditionalNode)
		if !ok {
			return n.Location().From + 1
		}
		n = ternary.Cond
	}
}

func refuseNode(n ast.Node, reason, fix string) *Error {
	return &Error{Column: column(n), Reason: reason, Fix: fix}
}

// count counts nodes as they are met, so that a tree whose parser shares parts (0 < amount < 9
// holds amount twice) is bounded by what running it costs, not by what holding it does.
func (c *allowList) count(n ast.Node, nodes int) *Error {
	c.nodes += nodes
	if c.nodes > c.limits.nodes {
		return tooManyNodes(column(n), c.limits)
	}
	return nil
}

func tooManyNodes(column int, bounds limits) *Error {
	return &Error{Column: column, Reason: fmt.Sprintf("a condition has at most %d names, literals and operators", bounds.nodes),
		Fix: "shorten it, for instance with in and a list, or split the bundle"}
}

// expression checks one expression and gives its kind.
func (c *allowList) expression(n ast.Node) (kind, *Error) {
	if err := c.count(n, 1); err != nil {
		return 0, err
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		return boolean, nil
	case *ast.IntegerNode:
		return integer, nil
	case *ast.StringNode:
		return text, nil
	case *ast.IdentifierNode:
		return c.name(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.ternary(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.ArrayNode:
		return 0, refuseNode(n, "a list stands only after in", `write touchpoint in ["CHECKOUT", "PSP"]`)
	case *ast.MemberNode, *ast.SliceNode:
		return 0, refuseNode(n, "no value has parts that [ ] could take", "write the name alone")
	}
	return 0, refuseNode(n, fmt.Sprintf("%T is not in the language", n), "use the names, comparisons and functions of conditions")
}

func (c *allowList) name(n *ast.IdentifierNode) (kind, *Error) {
	found, known := lookup(n.Value, c.limits.canonical)
	if !known {
		reason, fix := unknownName(n.Value, false, c.limits.canonical)
		return 0, refuseNode(n, reason, fix)
	}
	if found.kind == function {
		return 0, refuseNode(n, n.Value+" is a function", "write "+found.usage)
	}
	return found.kind, nil
}

func (c *allowList) unary(n *ast.UnaryNode) (kind, *Error) {
	if n.Operator != "!" && n.Operator != "not" {
		return 0, refuseNode(n, "conditions do not calculate", "compare with a number from 0 upwards")
	}
	operand, err := c.expression(n.Node)
	if err != nil {
		return 0, err
	}
	if operand != boolean {
		return 0, refuseNode(n, fmt.Sprintf("%s wants a condition and gets %s", n.Operator, operand),
			"it binds tighter than a comparison: write "+n.Operator+" (amount > 5000)")
	}
	return boolean, nil
}

func (c *allowList) binary(n *ast.BinaryNode) (kind, *Error) {
	switch n.Operator {
	case "in":
		return c.membership(n)
	case "..":
		return 0, refuseNode(n, "a range stands only after in", "write amount in 1..5000")
	}
	left, err := c.expression(n.Left)
	if err != nil {
		return 0, err
	}
	right, err := c.expression(n.Right)
	if err != nil {
		return 0, err
	}
	switch n.Operator {
	case "&&", "and", "||", "or":
		return c.logic(n, left, right)
	case "==", "!=":
		return c.comparison(n, left, right, true)
	case "<", "<=", ">", ">=":
		return c.comparison(n, left, right, false)
	case "startsWith", "endsWith":
		if left != text || right != text {
			return 0, refuseNode(n, fmt.Sprintf("%s wants two texts and gets %s and %s", n.Operator, left, right),
				"write touchpoint "+n.Operator+` "CHECK"`)
		}
		return boolean, nil
	}
	return 0, refuseNode(n, n.Operator+" is not in the language", "use a comparison, && or ||")
}

func (c *allowList) logic(n *ast.BinaryNode, left, right kind) (kind, *Error) {
	if left != boolean || right != boolean {
		return 0, refuseNode(n, fmt.Sprintf("%s joins two conditions and gets %s and %s", n.Operator, left, right),
			"compare each side with something before joining them")
	}
	return boolean, nil
}

func (c *allowList) comparison(n *ast.BinaryNode, left, right kind, equality bool) (kind, *Error) {
	if left != right {
		return 0, refuseNode(n, fmt.Sprintf("%s compares %s with %s", n.Operator, left, right),
			"compare two whole numbers, such as amount <= 5000, or two texts, such as touchpoint == \"CHECKOUT\"")
	}
	if left == boolean && !equality {
		return 0, refuseNode(n, n.Operator+" does not order true and false", "write == or !=, or join them with && or ||")
	}
	if err := checkDates(n.Left, n.Right); err != nil {
		return 0, err
	}
	return boolean, checkDates(n.Right, n.Left)
}

// checkDates refuses a literal compared with `date` that is no date: such a condition would
// compile, and silently mean something else.
func checkDates(name ast.Node, literals ...ast.Node) *Error {
	if identifier, ok := name.(*ast.IdentifierNode); !ok || identifier.Value != "date" {
		return nil
	}
	for _, literal := range literals {
		if s, ok := literal.(*ast.StringNode); ok && !isDate(s.Value) {
			return refuseNode(s, quoted(s.Value)+" is no date", `write year, month and day as in "2026-11-21"`)
		}
	}
	return nil
}

// membership checks `name in list` and `name in from..to`. Only a name may stand on the left:
// expr copies it to both ends of a range, which nested expressions would double at each level.
func (c *allowList) membership(n *ast.BinaryNode) (kind, *Error) {
	if err := refuseCount(n); err != nil {
		return 0, err
	}
	name, ok := n.Left.(*ast.IdentifierNode)
	if !ok {
		fix := "write a name, such as weekday in 1..5"
		if _, negated := n.Left.(*ast.UnaryNode); negated {
			fix = "not binds tighter than in: write weekday not in 1..5"
		}
		return 0, refuseNode(n, "in wants a name alone on its left", fix)
	}
	if err := c.count(name, 1); err != nil {
		return 0, err
	}
	left, err := c.name(name)
	if err != nil {
		return 0, err
	}
	switch right := n.Right.(type) {
	case *ast.ArrayNode:
		return c.list(name, left, right)
	case *ast.BinaryNode:
		if right.Operator == ".." {
			return c.numberRange(left, right)
		}
	}
	return 0, refuseNode(n, "in wants a list or a range of literals on its right", `write touchpoint in ["CHECKOUT", "PSP"] or weekday in 1..5`)
}

// refuseCount catches `"77777777777" in ecs`: ecs and categories are counts here.
func refuseCount(n *ast.BinaryNode) *Error {
	name, ok := n.Right.(*ast.IdentifierNode)
	if !ok {
		return nil
	}
	switch name.Value {
	case "ecs":
		return refuseNode(name, "ecs is how many ECs there are, not which", `write ec("77777777777")`)
	case "categories":
		return refuseNode(name, "categories is how many codes there are, not which", `write category("0102100SA")`)
	}
	return nil
}

func (c *allowList) list(name *ast.IdentifierNode, left kind, list *ast.ArrayNode) (kind, *Error) {
	switch items := len(list.Nodes); {
	case items == 0:
		return 0, refuseNode(list, "nothing is in an empty list", "write at least one item")
	case items > c.limits.listItems:
		return 0, refuseNode(list, fmt.Sprintf("a list has at most %d items and this has %d", c.limits.listItems, items), "split the list, joined with ||")
	}
	if err := c.count(list, 1+len(list.Nodes)); err != nil {
		return 0, err
	}
	if left == boolean {
		return 0, refuseNode(name, name.Value+" is true or false already", "write "+name.Value+" or not "+name.Value)
	}
	for _, item := range list.Nodes {
		if k := literalKind(item); k != left {
			return 0, refuseNode(item, fmt.Sprintf("%s is %s, and this item is not a literal of that kind", name.Value, left), "write only such literals in the list")
		}
	}
	return boolean, checkDates(name, list.Nodes...)
}

func literalKind(n ast.Node) kind {
	switch n.(type) {
	case *ast.IntegerNode:
		return integer
	case *ast.StringNode:
		return text
	}
	return 0
}

func (c *allowList) numberRange(left kind, n *ast.BinaryNode) (kind, *Error) {
	from, fromOK := n.Left.(*ast.IntegerNode)
	to, toOK := n.Right.(*ast.IntegerNode)
	if !fromOK || !toOK || left != integer {
		return 0, refuseNode(n, "a range is of whole numbers", "write weekday in 1..5")
	}
	if from.Value > to.Value {
		return 0, refuseNode(n, "nothing is in a range that ends before it begins", fmt.Sprintf("write %d..%d", to.Value, from.Value))
	}
	// expr turns the range into two comparisons, each with a copy of the name.
	return boolean, c.count(n, 5)
}

func (c *allowList) ternary(n *ast.ConditionalNode) (kind, *Error) {
	question, err := c.expression(n.Cond)
	if err != nil {
		return 0, err
	}
	yes, err := c.expression(n.Exp1)
	if err != nil {
		return 0, err
	}
	no, err := c.expression(n.Exp2)
	switch {
	case err != nil:
		return 0, err
	case question != boolean:
		return 0, refuseNode(n, fmt.Sprintf("what stands before ? is %s, not a condition", question), "compare it with something")
	case yes != no:
		return 0, refuseNode(n.Exp2, fmt.Sprintf("one side of : is %s and the other %s", yes, no), "write the same kind on both sides")
	}
	return yes, nil
}

func (c *allowList) call(n *ast.CallNode) (kind, *Error) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return 0, refuseNode(n, "there are no methods", "call one of "+functionNames(c.limits.canonical)+" by name")
	}
	found, known := lookup(callee.Value, c.limits.canonical)
	if !known {
		reason, fix := unknownName(callee.Value, true, c.limits.canonical)
		return 0, refuseNode(n, reason, fix)
	}
	if found.kind != function {
		return 0, refuseNode(n, found.name+" is a value, not a function", "write "+found.name+" without brackets")
	}
	if err := c.count(n, 1+len(n.Arguments)); err != nil {
		return 0, err
	}
	return boolean, checkArguments(n, found)
}

// checkArguments checks that a call's arguments are literals that its function takes.
func checkArguments(n *ast.CallNode, called symbol) *Error {
	arguments, stranger := literalTexts(n)
	if stranger != nil {
		return refuseNode(stranger, "the arguments of "+called.name+" are texts in quotes", "write "+called.usage)
	}
	if called.prepare == nil {
		if len(arguments) > 0 {
			return refuseNode(n.Arguments[0], called.name+" takes no arguments", "write "+called.usage)
		}
		return nil
	}
	if len(arguments) == 0 {
		return refuseNode(n, called.name+" needs its arguments", "write "+called.usage)
	}
	if _, refusal := called.prepare(arguments); refusal.reason != "" {
		return refuseNode(n.Arguments[refusal.argument], refusal.reason, refusal.fix)
	}
	return nil
}

// literalTexts gives a call's arguments, or the first that is no literal text.
func literalTexts(n *ast.CallNode) (arguments []string, stranger ast.Node) {
	for _, argument := range n.Arguments {
		literal, ok := argument.(*ast.StringNode)
		if !ok {
			return nil, argument
		}
		arguments = append(arguments, literal.Value)
	}
	return arguments, nil
}
