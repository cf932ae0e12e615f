package format

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"gec/bundles"
)

// Locate fills in line and column of the faults that have a path but no place, by looking the path up
// in the text that the document was read from: those of bundles.CheckDocument, and all others whose
// paths are those of the native format. A fault of a field that is not there gets the place of what it
// is missing from. Faults keep their order; a text that cannot be read leaves them as they are.
func Locate(name Name, data []byte, faults []bundles.Fault) {
	if name == CDI || name == CSV {
		readRows(name, data, ReadOptions{Past: true}).locate(faults)
		return
	}
	root := &wanted{}
	for i := range faults {
		if faults[i].Line == 0 && faults[i].Path != "" {
			root.add(pathSteps(faults[i].Path), i)
		}
	}
	if len(root.below) == 0 {
		return
	}
	src, fault := open(name, data)
	if fault != nil {
		return
	}
	l := locator{source: src, names: nativeNames(name), marks: make([]mark, len(faults))}
	l.value(root)
	l.fill(root, 0)

	order := make([]int, 0, len(faults))
	for i := range faults {
		if l.marks[i] != 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(min(max(l.marks[a]-l.marks[b], -1), 1)) })
	sorted := make([]mark, len(order))
	for i, at := range order {
		sorted[i] = l.marks[at] - 1
	}
	for i, p := range src.places(sorted) {
		faults[order[i]].Line, faults[order[i]].Column = p.line, p.column
	}
}

// wanted is a tree of the paths that are looked for.
type wanted struct {
	below  map[string]*wanted
	faults []int // whose path ends here
	at     mark  // 1 more than the place that was found, 0 if none was
}

func (w *wanted) add(steps []string, fault int) {
	for _, s := range steps {
		if w.below == nil {
			w.below = map[string]*wanted{}
		}
		next := w.below[s]
		if next == nil {
			next = &wanted{}
			w.below[s] = next
		}
		w = next
	}
	w.faults = append(w.faults, fault)
}

// pathSteps splits "bundles[12].fee.steps[0]" into bundles, [12], fee, steps, [0].
func pathSteps(path string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(path, "[", ".["), func(r rune) bool { return r == '.' })
}

type locator struct {
	source
	names map[string]string
	marks []mark // by fault, 1 more than the place
}

// value walks the next value as far as something below w is wanted.
func (l *locator) value(w *wanted) {
	k, at := l.peek()
	w.at = at + 1
	switch {
	case len(w.below) == 0:
		l.skip()
	case k == object:
		l.source.open()
		for {
			name, _, more := l.field()
			if !more {
				return
			}
			l.child(w, renamed(string(name), l.names))
		}
	case k == list:
		l.source.open()
		for i := 0; l.element(); i++ {
			l.child(w, "["+strconv.Itoa(i)+"]")
		}
	default:
		l.skip()
	}
}

func (l *locator) child(w *wanted, name string) {
	if next := w.below[name]; next != nil && next.at == 0 {
		l.value(next)
		return
	}
	l.skip()
}

// fill gives every fault the place of its path, or of the longest part of it that is there.
func (l *locator) fill(w *wanted, above mark) {
	if w.at == 0 {
		w.at = above
	}
	for _, fault := range w.faults {
		l.marks[fault] = w.at
	}
	for _, next := range w.below {
		l.fill(next, w.at)
	}
}

// nativeNames are the fields of a format that the native format calls otherwise.
func nativeNames(format Name) map[string]string {
	switch format {
	case Snapshot:
		return map[string]string{"ciBundleList": "subscriptions"}
	case FeeList:
		return map[string]string{
			"content": "bundles", "psp_id": "idPsp", "psp_rag_soc": "pspBusinessName", "codice_abi": "abi",
			"nome_servizio": "name", "inf_desc_serv": "description", "url_informazioni_psp": "urlPolicyPsp",
			"importo_minimo": "minPaymentAmount", "importo_massimo": "maxPaymentAmount", "costo_fisso": "paymentAmount",
			"tipo_vers_cod": "paymentType", "on_us": "onUs",
		}
	}
	return nil
}

// renamed returns the path with fields renamed.
func renamed(path string, names map[string]string) string {
	if len(names) == 0 {
		return path
	}
	fields := strings.Split(path, ".")
	for i, f := range fields {
		name, index, indexed := strings.Cut(f, "[")
		if other, found := names[name]; found {
			fields[i] = other
			if indexed {
				fields[i] += "[" + index
			}
		}
	}
	return strings.Join(fields, ".")
}

// fileNames is nativeNames the other way round.
func fileNames(format Name) map[string]string {
	names := map[string]string{}
	for file, native := range nativeNames(format) {
		names[native] = file
	}
	return names
}

// apart returns those of more whose path neither leads to a value that already has a fault nor passes
// through one: what could not be read cannot be judged. The paths of more are native ones, those of
// known of the format.
func apart(format Name, more, known bundles.Faults) bundles.Faults {
	names := nativeNames(format)
	faulty, above := map[string]bool{}, map[string]bool{}
	for _, k := range known {
		path := renamed(k.Path, names)
		faulty[path] = true
		for outer := range outerPaths(path) {
			above[outer] = true
		}
	}
	return slices.DeleteFunc(more, func(f bundles.Fault) bool {
		if faulty[f.Path] || above[f.Path] {
			return true
		}
		for outer := range outerPaths(f.Path) {
			if faulty[outer] {
				return true
			}
		}
		return false
	})
}

// outerPaths yields the paths that lead to a path: of "bundles[3].name" they are "", "bundles" and
// "bundles[3]".
func outerPaths(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if path == "" || !yield("") {
			return
		}
		for i := 1; i < len(path); i++ {
			if (path[i] == '.' || path[i] == '[') && !yield(path[:i]) {
				return
			}
		}
	}
}
