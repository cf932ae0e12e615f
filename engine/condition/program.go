package condition

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// The bounds of an authored condition (E3). They hold for what authors write in `when`; canonical
// programs, which package engine generates from bundles that were checked, have larger ones.
const (
	// LanguageVersion is recorded with every stored condition (E5). It changes when a condition
	// may mean something else than before, or no longer compile.
	LanguageVersion = 1
	// SourceBytesMax bounds the source, in bytes of UTF-8.
	SourceBytesMax = 2 << 10
	// NestingMax bounds how deep brackets, ! and not, and ? : stand in one another.
	NestingMax = 16
	// NodesMax bounds the names, literals and operators, items of lists included.
	NodesMax = 512
	// ListItemsMax bounds the items of one list.
	ListItemsMax = 256
)

// The bounds of a canonical program, which wraps an authored condition and adds all else that the
// bundle asks of a payment (E4).
const (
	canonicalSourceBytesMax = 1 << 20
	canonicalNestingMax     = 64
	canonicalNodesMax       = 64 << 10
)

// Program is a compiled condition. It never changes and may be run by many goroutines at once,
// each with its own Evaluator.
type Program struct {
	source   string
	compiled *vm.Program
}

// Quote writes s as a text literal, for generated sources. What no text may hold (control and
// invisible characters, E3) is kept, so that the compiler refuses the literal.
func Quote(s string) string {
	if strings.ContainsAny(s, `"\`) {
		s = strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`)
	}
	return `"` + s + `"`
}

// Source gives the text that the program was compiled from, which is its meaning (E5).
func (p *Program) Source() string { return p.source }

// Compile checks and compiles a condition that an author wrote (`when`, E1–E3). Every refusal is
// an *Error and costs less than 20 ms and 4 MiB whatever the source. A program that it returns
// has run on sample payments.
func Compile(source string) (*Program, error) {
	program, err := compile(source, limits{sourceBytes: SourceBytesMax, nesting: NestingMax, nodes: NodesMax, listItems: ListItemsMax})
	if err == nil {
		err = tryOut(program)
	}
	if err != nil {
		return nil, err
	}
	return program, nil
}

// CompileCanonical compiles the program that package engine generated for a checked bundle (E4).
// It knows more names than Compile (see Facts) and has larger bounds: 1 MiB, 65 536 nodes, nesting
// 64, lists as long as the nodes allow. Every refusal is an *Error.
func CompileCanonical(source string) (*Program, error) {
	program, err := compile(source, limits{sourceBytes: canonicalSourceBytesMax, nesting: canonicalNestingMax,
		nodes: canonicalNodesMax, listItems: canonicalNodesMax, canonical: true})
	if err != nil {
		return nil, err
	}
	return program, nil
}

// compile runs the layers in their order (E3): the scanner, expr's parser, the checker, expr's
// compiler. A panic of the library is a refusal too: an author's text must not end a process.
func compile(source string, bounds limits) (program *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			program, err = nil, failure(fmt.Sprintf("the expression library failed: %v", r))
		}
	}()
	if refusal := scan(source, bounds); refusal != nil {
		return nil, refusal
	}
	config := configuration(bounds)
	tree, err := parser.ParseWithConfig(source, config)
	if err != nil {
		return nil, libraryError(err, source, bounds)
	}
	if refusal := check(tree.Node, bounds); refusal != nil {
		return nil, refusal
	}
	ast.Walk(&tree.Node, lowering{})
	if _, err = checker.Check(tree, config); err == nil {
		err = optimizer.Optimize(&tree.Node, config)
	}
	if err != nil {
		return nil, libraryError(err, source, bounds)
	}
	compiled, err := compiler.Compile(tree, config)
	if err != nil {
		return nil, libraryError(err, source, bounds)
	}
	return &Program{source: source, compiled: stripped(compiled)}, nil
}

// stripped keeps of a compiled program what running it takes. The tree, with a type on each node,
// and the place of each instruction are three quarters of its size, and many programs are held at
// once. Accepted programs have neither variables nor functions of their own. Without the source a
// failure's message is one line and does not repeat it.
func stripped(p *vm.Program) *vm.Program {
	return vm.NewProgram(file.Source{}, nil, nil, 0, slices.Clone(p.Constants),
		slices.Clone(p.Bytecode), slices.Clone(p.Arguments), nil, nil, nil)
}

// configuration is what expr.Compile would build from Env, AsBool, DisableAllBuiltins, MaxNodes
// and Optimize. Its steps are taken one by one here so that the tree that was checked is the tree
// that is compiled, and because filling and emptying expr's tables of builtins would cost more
// than all the rest. The optimizer is needed: it turns lists into sets and ranges into
// comparisons, so that nothing is built at run time.
func configuration(bounds limits) *conf.Config {
	config := &conf.Config{
		Expect:            reflect.Bool,
		Optimize:          true,
		ShortCircuit:      true,
		MaxNodes:          uint(bounds.nodes),
		DisableIfOperator: true,
	}
	config.WithEnv(NewEvaluator().environment)
	return config
}

// lowering replaces the literal arguments of a call by the constant that prepare makes of them, so
// that a run neither parses nor allocates: expr calls func(any) bool without reflection. It brings
// the literals that texts are compared with to upper case, in which the facts are, so that names
// are compared ignoring case here as in all other rules (Q2, Q3).
type lowering struct{}

// Visit is called for each node, children first; twice for one that the tree holds twice.
func (lowering) Visit(node *ast.Node) {
	if comparison, ok := (*node).(*ast.BinaryNode); ok {
		switch comparison.Operator {
		case "&&", "and", "||", "or":
		default:
			toUpper(comparison.Left)
			toUpper(comparison.Right)
		}
		return
	}
	call, ok := (*node).(*ast.CallNode)
	if !ok || len(call.Arguments) == 0 {
		return
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	if !ok {
		return
	}
	called, known := lookup(callee.Value, true)
	arguments, stranger := literalTexts(call)
	if !known || called.prepare == nil || stranger != nil {
		return
	}
	constant, refusal := called.prepare(arguments)
	if refusal.reason != "" {
		return
	}
	ast.Patch(node, &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: callee.Value},
		Arguments: []ast.Node{&ast.ConstantNode{Value: constant}},
	})
}

// toUpper brings the literals of an operand to upper case: the operand itself, the items of a list, and
// both results of a choice.
func toUpper(operand ast.Node) {
	switch n := operand.(type) {
	case *ast.StringNode:
		n.Value = strings.ToUpper(n.Value)
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			toUpper(item)
		}
	case *ast.ConditionalNode:
		toUpper(n.Exp1)
		toUpper(n.Exp2)
	}
}

// libraryError turns an error of expr into one of ours.
func libraryError(err error, source string, bounds limits) *Error {
	var located *file.Error
	if !errors.As(err, &located) {
		return failure(err.Error())
	}
	runes := []rune(source)
	from := min(max(located.From, 0), len(runes))
	to := min(max(located.To, from), len(runes))
	switch {
	case strings.Contains(located.Message, "exceeds maximum allowed nodes"):
		return tooManyNodes(from+1, bounds)
	case strings.Contains(located.Message, "unexpected token EOF"):
		return &Error{Column: from + 1, Reason: "the condition ends before it is complete",
			Fix: "write what is missing after it, such as a number or a text to compare with"}
	case strings.Contains(located.Message, "unexpected token"):
		return &Error{Column: from + 1, Reason: oneLine(string(runes[from:to])) + " cannot stand here",
			Fix: "write comparisons joined with && or ||, such as amount <= 5000 && onUs"}
	}
	return &Error{Column: from + 1, Reason: oneLine(located.Message), Fix: "write comparisons joined with && or ||, such as amount <= 5000 && onUs"}
}

// failure is for what the checks before should have made impossible: a fault of this package or
// of the library, which the author can only avoid.
func failure(message string) *Error {
	return &Error{Column: 1, Reason: oneLine(message), Fix: "write the condition in another way, and report this one"}
}
