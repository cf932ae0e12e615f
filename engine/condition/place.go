package condition

import "unsafe"

// inPlace returns an interface value whose content is *p: it shows each later change of *p
// without being made anew. p must point into the heap and not be written while a program runs.
//
// Why: expr reads values from a map[string]any, and putting an int above 255 or a string into an
// `any` allocates, on every payment. There is no safe way around it: every conversion copies, as
// does reflect.Value.Interface. How: an interface value is a type word and a pointer to the
// content for all types that are not themselves one pointer (as reflect and runtime assume; a test
// here holds it); this replaces that pointer and keeps the type word that the compiler wrote.
// The garbage collector follows it like any pointer into an object.
func inPlace[T int | bool | string](p *T) any {
	boxed := any(*p)
	words := (*struct{ typ, content unsafe.Pointer })(unsafe.Pointer(&boxed))
	words.content = unsafe.Pointer(p)
	return boxed
}
