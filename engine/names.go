package engine

import (
	"maps"
	"strings"
	"unicode/utf8"
)

// none is the number of a name that a dictionary does not hold. No bundle has it.
const none = ^uint32(0)

// names numbers strings from 0 up, ignoring case unless they are exact. A number never changes its meaning from one
// snapshot to those derived from it, so that rows and blocks are shared between them.
type names struct {
	numbers map[string]uint32
	// shared says that another snapshot reads the map: it is cloned before a name is added.
	shared bool
	// exact names differ by case (taxonomy codes do).
	exact bool
}

func newNames() *names { return &names{numbers: map[string]uint32{}} }

func newExactNames() *names { return &names{numbers: map[string]uint32{}, exact: true} }

// fork returns names that start as n and may be added to without n seeing it.
func (n *names) fork() *names { return &names{numbers: n.numbers, shared: true, exact: n.exact} }

// add returns the number of a name, giving it the next one when it is new.
func (n *names) add(name string) uint32 {
	if !n.exact {
		name = fold(name)
	}
	if number, ok := n.numbers[name]; ok {
		return number
	}
	if n.shared {
		n.numbers, n.shared = maps.Clone(n.numbers), false
	}
	number := uint32(len(n.numbers))
	n.numbers[strings.Clone(name)] = number
	return number
}

// find returns the number of a name, or none. It does not allocate for names of ASCII letters up to
// 64 bytes, as all of the domain are.
func (n *names) find(name string) uint32 {
	if number, ok := n.numbers[name]; ok {
		return number
	}
	if n.exact {
		return none
	}
	var folded [64]byte
	if len(name) > len(folded) {
		return n.findFolded(fold(name))
	}
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return n.findFolded(fold(name))
		}
		folded[i] = upper(name[i])
	}
	if number, ok := n.numbers[string(folded[:len(name)])]; ok {
		return number
	}
	return none
}

func (n *names) findFolded(folded string) uint32 {
	if number, ok := n.numbers[folded]; ok {
		return number
	}
	return none
}

// name returns the folded name of a number, the slow way round.
func (n *names) name(number uint32) string {
	for name, m := range n.numbers {
		if m == number {
			return name
		}
	}
	return ""
}

// fold brings a name to the form in which names are compared ignoring case.
func fold(name string) string { return strings.ToUpper(name) }

// sameName reports whether two names are equal ignoring case. It does not allocate for ASCII.
func sameName(a, b string) bool {
	if a == b {
		return true
	}
	for i := range min(len(a), len(b)) {
		if a[i] >= utf8.RuneSelf || b[i] >= utf8.RuneSelf {
			return fold(a) == fold(b)
		}
		if upper(a[i]) != upper(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}
