package bundles

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of texts in characters, except ids, which are part of store keys and so are in bytes.
const (
	idBytesMax          = 255
	partyMax            = 35 // PSP, channel, broker, ABI, names of touchpoints and payment types
	nameMax             = 255
	descriptionMax      = 4096
	urlMax              = 2048
	transferCategoryMax = 255
)

// id checks an identifier that becomes part of the key of a store's row and of the path of a URL.
func (c *checker) id(path, value string) {
	const fix = "use 1 to 255 letters, digits and signs other than / \\ ? #"
	switch {
	case value == "":
		c.contradiction(path, "is missing", "give it an id that nothing else has")
	case len(value) > idBytesMax:
		c.contradiction(path, fmt.Sprintf("is %d bytes long", len(value)), fix)
	case strings.ContainsAny(value, `/\?#`) || flawOfText(value) != "" || strings.TrimSpace(value) != value:
		c.contradiction(path, Excerpt(value)+" is no id", fix)
	}
}

// party checks the id of a participant or a registered name; a missing one is reported as severity says.
func (c *checker) party(path, value string, severity func(path, reason, fix string)) {
	if value == "" {
		severity(path, "is missing", "it is mandatory")
		return
	}
	c.text(path, value, partyMax)
	if strings.TrimSpace(value) != value {
		c.flaw(path, Excerpt(value)+" has spaces around it", "write it without")
	}
}

// text checks a text that may be empty: its length, and that it can be shown as it is.
func (c *checker) text(path, value string, runesMax int) {
	if len(value) > runesMax {
		if n := utf8.RuneCountInString(value); n > runesMax {
			c.flaw(path, fmt.Sprintf("is %d characters long", n), fmt.Sprintf("use at most %d", runesMax))
		}
	}
	switch reason := flawOfText(value); {
	case reason == "":
	case reason == notUTF8 || strings.ContainsRune(value, 0):
		c.contradiction(path, reason, "write plain UTF-8 text")
	default:
		c.flaw(path, reason, "leave the character out")
	}
}

const notUTF8 = "is not valid UTF-8"

// flawOfText says why a text cannot be shown as it is: bytes that are no text, control characters, and
// those that change the direction or the lines of the text around them. It is empty for a good text.
func flawOfText(value string) string {
	plain := true
	for i := 0; i < len(value) && plain; i++ {
		plain = ' ' <= value[i] && value[i] <= '~'
	}
	if plain {
		return ""
	}
	if !utf8.ValidString(value) {
		return notUTF8
	}
	for _, r := range value {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			return fmt.Sprintf("holds the control character %U", r)
		}
	}
	return ""
}

// visible reports whether a text shows anything: spaces do not, nor do characters without width.
func visible(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.In(r, unicode.Zs, unicode.Cf, unicode.Mn, unicode.Me)
	})
}

// webAddress checks a URL that pages link to; it may be empty. One with a user name is refused: it shows the name
// of one site and leads to another.
func (c *checker) webAddress(path, value string) {
	if value == "" {
		return
	}
	c.text(path, value, urlMax)
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.ContainsFunc(value, unicode.IsSpace) {
		c.flaw(path, Excerpt(value)+" is no web address", "write it in full, as in https://www.example.it/fees")
	}
}

// registered checks a name against those that the operator has registered.
func (c *checker) registered(path, kind, value string, folded map[string]bool, names []string) {
	c.party(path, value, c.flaw)
	if value == "" || folded[fold(value)] {
		return
	}
	c.flaw(path, fmt.Sprintf("%s is not a registered %s", Excerpt(value), kind), suggestion(value, names))
}

// namesListed is how many names a suggestion lists where none is near.
const namesListed = 12

// suggestion words which of the names would be right: the nearest one, else the first of them.
func suggestion(value string, names []string) string {
	if nearest := Nearest(value, names); nearest != "" {
		return "the nearest one is " + nearest
	}
	switch {
	case len(names) == 0:
		return "none is registered: an operator registers it, or a catalogue in the native format lists it"
	case len(names) > namesListed:
		return fmt.Sprintf("use one of %s and %d others", strings.Join(names[:namesListed], ", "), len(names)-namesListed)
	}
	return "use one of " + strings.Join(names, ", ")
}
