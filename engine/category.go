package engine

import "strings"

// BareCategory returns the bare form of a taxonomy code: the published form "9/0102100SA/" becomes
// "0102100SA", anything else is returned as it is (Q5). The result shares the bytes of the argument.
func BareCategory(code string) string {
	if slash := strings.IndexByte(code, '/'); slash >= 0 && strings.HasSuffix(code, "/") && digits(code[:slash]) && slash < len(code)-1 {
		return code[slash+1 : len(code)-1]
	}
	return code
}

// WellFormedCategory reports whether the code, in either form, has the parts of a taxonomy code:
// entity type (2 digits), macro-area (2 digits), service (3 digits), legal reason (2 letters).
func WellFormedCategory(code string) bool {
	bare := BareCategory(code)
	if len(bare) != 9 || !digits(bare[:7]) {
		return false
	}
	for _, letter := range []byte(bare[7:]) {
		if letter < 'A' || letter > 'Z' {
			return false
		}
	}
	return true
}
