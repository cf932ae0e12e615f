package format

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gec/bundles"
)

// The bounds of a CDI. All PSPs of the platform together have a fifth of the elements.
const (
	cdiElementsMax = 500_000
	// cdiTagBytesMax bounds one tag with its attributes, of which CDIs have next to none.
	cdiTagBytesMax = 4 << 10
	// cdiTextBytesMax is how much of a text is kept; the longest that the schema allows is 255
	// characters.
	cdiTextBytesMax = 4 << 10
)

// cdiNode is an element as it was read. Texts are there where they are well formed only.
type cdiNode struct {
	name     string
	at       mark
	text     string
	parent   *cdiNode
	index    int // among those of its name, -1 where there can be one only
	children []*cdiNode
	// flawed says that it, or something in it, is not as the schema has it.
	flawed bool
}

// child returns the first child of that name; nil where there is none, or no n.
func (n *cdiNode) child(name string) *cdiNode {
	for _, c := range n.all(name) {
		return c
	}
	return nil
}

func (n *cdiNode) all(name string) (found []*cdiNode) {
	if n != nil {
		for _, c := range n.children {
			if c.name == name {
				found = append(found, c)
			}
		}
	}
	return found
}

// value returns the text of a child, empty where there is none.
func (n *cdiNode) value(name string) string {
	if c := n.child(name); c != nil {
		return c.text
	}
	return ""
}

// path spells where a node is, with indexes from 0. Elements above it that only hold a list are left out:
// informativaPSP[0].informativaDetail[2].costiServizio.fasciaCostoServizio[1].costoFisso.
func (n *cdiNode) path() string {
	if n == nil {
		return ""
	}
	above := n.parent
	for above != nil && strings.HasPrefix(above.name, "lista") {
		above = above.parent
	}
	path := strings.TrimPrefix(above.path()+"."+n.name, ".")
	if n.index >= 0 {
		path += "[" + strconv.Itoa(n.index) + "]"
	}
	return path
}

// cdiReader reads one CDI.
type cdiReader struct {
	*decoder
	xml      *xml.Decoder
	options  ReadOptions
	elements int
	depth    int
	stopped  bool // the rest of the document is not read
	made     cdiMapping
}

// readCDI reads a CDI.
func readCDI(data []byte, o ReadOptions) reading {
	text, fault := textCDI(data)
	if fault != nil {
		return reading{faults: bundles.Faults{*fault}, locate: func([]bundles.Fault) {}}
	}
	r := &cdiReader{decoder: &decoder{source: textPlaces{data: text}, name: CDI}, options: o, xml: xml.NewDecoder(bytes.NewReader(text))}
	r.xml.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil } // textCDI made it UTF-8
	r.document()
	return reading{
		document: bundles.Document{Bundles: r.made.all}, faults: r.report(), warnings: r.warnings,
		locate: func(faults []bundles.Fault) { r.made.locate(text, faults) },
	}
}

// document reads the root element and requires that it is the only one.
func (r *cdiReader) document() {
	root := false
	for !r.stopped {
		token, at := r.next()
		switch token := token.(type) {
		case xml.StartElement:
			if root {
				r.stop(at, "has a second root element", "write one document per file")
				return
			}
			root = true
			r.root(token, at)
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				r.stop(at, "has text outside its root element", "")
			}
		case nil:
			if !root && !r.stopped {
				r.stop(at, "has no root element", "begin with listaInformativePSP or informativaPSP")
			}
			return
		}
	}
}

func (r *cdiReader) root(start xml.StartElement, at mark) {
	roots := cdiSchema()
	i := slices.IndexFunc(roots, func(c cdiChild) bool { return start.Name == xml.Name{Local: c.name} })
	if i < 0 {
		r.stop(at, "is no CDI: its root element is "+bundles.Excerpt(start.Name.Local), "begin with listaInformativePSP or informativaPSP, in no namespace")
		return
	}
	n := &cdiNode{name: roots[i].name, at: at, index: -1}
	if n.name == cdiPSPElement {
		n.index = 0
	}
	r.attributes(n, start)
	r.read(n, roots[i].of)
	if n.name == cdiPSPElement {
		r.psp(n)
	}
}

// next returns the next token that says something, nil at the end or when reading must stop. A token's
// bytes are valid until the next call.
func (r *cdiReader) next() (xml.Token, mark) {
	for {
		at := mark(r.xml.InputOffset())
		if r.full() {
			r.stopped = true
			return nil, at
		}
		token, err := r.xml.Token()
		var syntax *xml.SyntaxError
		switch {
		case errors.Is(err, io.EOF):
			return nil, at
		case errors.As(err, &syntax):
			r.stop(mark(r.xml.InputOffset()), "is not well formed XML: "+syntax.Msg, "")
			return nil, at
		case err != nil:
			r.stop(mark(r.xml.InputOffset()), "cannot be read: "+err.Error(), "")
			return nil, at
		}
		switch token := token.(type) {
		case xml.Directive:
			r.stop(at, "has a document type declaration or another directive", "leave it out: a CDI needs none, and entities are not read")
			return nil, at
		case xml.ProcInst:
			if token.Target != "xml" || at != 0 {
				r.stop(at, "has a processing instruction", "leave it out")
				return nil, at
			}
		case xml.Comment:
		case xml.StartElement:
			if r.depth++; r.depth > DepthMax {
				r.stop(at, fmt.Sprintf("has elements nested deeper than %d", DepthMax), "")
				return nil, at
			}
			return token, at
		case xml.EndElement:
			r.depth--
			return token, at
		default:
			return token, at
		}
	}
}

// stop notes why the document is not read any further.
func (r *cdiReader) stop(at mark, reason, fix string) {
	r.stopped = true
	r.faultBelow("", at, "the document "+reason, fix)
}

// flaw notes a fault of a node, or of one that is missing from it.
func (r *cdiReader) flaw(n *cdiNode, below string, at mark, reason, fix string) {
	for up := n; up != nil; up = up.parent {
		up.flawed = true
	}
	path := n.path()
	if below != "" {
		path = strings.TrimPrefix(path+"."+below, ".")
	}
	r.faultBelow(path, at, reason, fix)
}

// read reads what an element holds up to its end.
func (r *cdiReader) read(n *cdiNode, of *cdiElement) {
	if r.elements++; r.elements > cdiElementsMax {
		r.stop(n.at, fmt.Sprintf("has more than %d elements", cdiElementsMax), "split it")
		return
	}
	if of.text != nil {
		r.readText(n, of.text)
		return
	}
	counts := make([]int, len(of.children))
	for !r.stopped {
		token, at := r.next()
		switch token := token.(type) {
		case xml.StartElement:
			r.readChild(n, of, token, at, counts)
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				r.flaw(n, "", at, "has text between its elements", "leave it out")
			}
		case xml.EndElement:
			r.require(n, of, counts)
			return
		case nil:
			return
		}
	}
}

// require notes the children that an element lacks.
func (r *cdiReader) require(n *cdiNode, of *cdiElement, counts []int) {
	for i, c := range of.children {
		if counts[i] < c.least {
			r.flaw(n, c.name, n.at, "is missing", "it is mandatory")
		}
	}
}

func (r *cdiReader) readChild(n *cdiNode, of *cdiElement, start xml.StartElement, at mark, counts []int) {
	i := slices.IndexFunc(of.children, func(c cdiChild) bool { return start.Name == xml.Name{Local: c.name} })
	if i < 0 {
		names := make([]string, len(of.children))
		for i, c := range of.children {
			names[i] = c.name
		}
		fix := "leave it out"
		if start.Name.Space != "" {
			fix = "a CDI is in no namespace"
		} else if nearest := bundles.Nearest(start.Name.Local, names); nearest != "" {
			fix = "the nearest element is " + nearest
		}
		r.flaw(n, fieldText(start.Name.Local), at, "is not an element of the schema here", fix)
		r.skipElement()
		return
	}
	c := of.children[i]
	child := &cdiNode{name: c.name, at: at, parent: n, index: -1}
	if c.most != 1 {
		child.index = counts[i]
	}
	counts[i]++
	if c.most > 0 && counts[i] > c.most {
		r.flaw(n, c.name, at, fmt.Sprintf("is one too many: %d may be here", c.most), "leave it out")
		r.skipElement()
		return
	}
	r.attributes(child, start)
	if n.parent == nil && c.name == cdiPSPElement { // a PSP of a list: made into bundles and let go
		r.read(child, c.of)
		r.psp(child)
		return
	}
	n.children = append(n.children, child)
	r.read(child, c.of)
}

// attributes refuses all but those of namespaces and of schema instances.
func (r *cdiReader) attributes(n *cdiNode, start xml.StartElement) {
	for _, a := range start.Attr {
		switch {
		case a.Name.Space == "xmlns", a.Name.Local == "xmlns" && a.Name.Space == "":
		case a.Name.Space == "http://www.w3.org/2001/XMLSchema-instance":
		default:
			r.flaw(n, "", n.at, "has the attribute "+bundles.Excerpt(a.Name.Local), "a CDI has no attributes: leave it out")
		}
	}
}

// readText reads an element that holds a text.
func (r *cdiReader) readText(n *cdiNode, of *cdiText) {
	var text []byte
	tooLong, flawed := false, false
	for !r.stopped {
		token, at := r.next()
		switch token := token.(type) {
		case xml.StartElement:
			flawed = true
			r.flaw(n, fieldText(token.Name.Local), at, "is an element where text is due", of.fix)
			r.skipElement()
		case xml.CharData:
			switch {
			case of.logo:
				if !flawed && !isBase64(token) {
					flawed = true
					r.flaw(n, "", n.at, "is no base64", of.fix)
				}
			case len(text)+len(token) > cdiTextBytesMax:
				tooLong = true
			default:
				text = append(text, token...)
			}
		case xml.EndElement:
			if !flawed && !of.logo {
				r.settleText(n, of, string(text), tooLong)
			}
			return
		case nil:
			return
		}
	}
}

// settleText checks a text as a whole.
func (r *cdiReader) settleText(n *cdiNode, of *cdiText, text string, tooLong bool) {
	if of.collapse {
		text = strings.Trim(text, " \t\r\n")
	}
	if text == "" {
		text = of.preset
	}
	switch {
	case tooLong:
		r.flaw(n, "", n.at, "is too long", of.fix)
	case !of.ok(text) && text == "":
		r.flaw(n, "", n.at, "is empty", of.fix)
	case !of.ok(text):
		r.flaw(n, "", n.at, bundles.Excerpt(text)+" is not what the schema has", of.fix)
	default:
		n.text = text
	}
}

// skipElement passes over the rest of the element that was entered last.
func (r *cdiReader) skipElement() {
	for depth := r.depth; r.depth >= depth && !r.stopped; {
		if token, _ := r.next(); token == nil {
			return
		}
	}
}

// cdiDeclared finds the encoding that an XML declaration states.
var cdiDeclared = regexp.MustCompile(`^<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)["']`)

// textCDI returns the document as UTF-8 without byte order mark. UTF-8 and ISO-8859-1 are read.
func textCDI(data []byte) ([]byte, *bundles.Fault) {
	const fix = "save the document as UTF-8, or as ISO-8859-1 with an XML declaration that says so"
	text := bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	marked, nul := len(text) < len(data), bytes.IndexByte(text, 0)
	encoding := "UTF-8"
	if declared := cdiDeclared.FindSubmatch(text[:min(len(text), 1<<10)]); declared != nil {
		encoding = strings.ToUpper(string(declared[1]))
	}
	isLatin1 := slices.Contains([]string{"ISO-8859-1", "ISO8859-1", "ISO_8859-1", "LATIN1", "LATIN-1", "L1"}, encoding)
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, &bundles.Fault{Reason: "the file is empty", Fix: "begin with listaInformativePSP or informativaPSP"}
	case bytes.HasPrefix(text, []byte("\xFE\xFF")), bytes.HasPrefix(text, []byte("\xFF\xFE")), nul >= 0 && nul < 4:
		return nil, &bundles.Fault{Line: 1, Column: 1, Reason: "the document is UTF-16 or UTF-32", Fix: fix}
	case nul >= 0:
		return nil, faultAt(text, nul, "the document holds a NUL character", fix)
	case !isLatin1 && encoding != "UTF-8" && encoding != "UTF8":
		return nil, &bundles.Fault{Line: 1, Column: 1, Reason: "the encoding " + bundles.Excerpt(encoding) + " is not read", Fix: fix}
	case isLatin1 && marked:
		return nil, &bundles.Fault{Line: 1, Column: 1, Reason: "the document declares ISO-8859-1, but begins with the mark of UTF-8", Fix: fix}
	case !isLatin1 && !utf8.Valid(text):
		return nil, faultAt(text, invalidAt(text), "the document is not valid UTF-8", fix)
	}
	if isLatin1 {
		var control int
		if text, control = fromLatin1(text); control >= 0 {
			return nil, faultAt(text, len(text), "the document has a byte that is no character of ISO-8859-1", "save the document as UTF-8: it seems to be Windows-1252")
		}
	}
	if at := longTag(text); at >= 0 {
		return nil, faultAt(text, at, fmt.Sprintf("the document has a tag of more than %d bytes", cdiTagBytesMax), "")
	}
	return text, nil
}

// fromLatin1 returns the text as UTF-8; up to the first byte that is none of its printable characters,
// whose offset it returns, if there is one.
func fromLatin1(data []byte) (text []byte, control int) {
	text = make([]byte, 0, len(data)+len(data)/8)
	for i, b := range data {
		if 0x80 <= b && b < 0xA0 {
			return text, i
		}
		text = utf8.AppendRune(text, rune(b))
	}
	return text, -1
}

// longTag returns the offset of a tag that is too long, -1 if there is none: the XML reader holds all
// attributes of a tag at once, a hundred bytes for each, before anybody can refuse them.
func longTag(text []byte) int {
	for at := 0; ; {
		next := bytes.IndexByte(text[at:], '<')
		if next < 0 {
			return -1
		}
		at += next
		end := []byte(">")
		switch rest := text[at:]; {
		case bytes.HasPrefix(rest, []byte("<!--")):
			end = []byte("-->")
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			end = []byte("]]>")
		}
		length := bytes.Index(text[at:], end)
		if len(end) == 1 && (length > cdiTagBytesMax || length < 0 && len(text)-at > cdiTagBytesMax) {
			return at
		}
		if length < 0 {
			return -1 // the XML reader says what is wrong with it
		}
		at += length + len(end)
	}
}
