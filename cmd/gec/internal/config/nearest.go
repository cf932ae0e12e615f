package config

import (
	"fmt"

	"gec/bundles"
)

// DidYouMean returns a question with the name nearest to a mistyped one, ready to be put behind an
// error, or nothing when none is near.
func DidYouMean(typed string, known []string) string {
	if name := bundles.Nearest(typed, known); name != "" {
		return fmt.Sprintf(": did you mean %q?", name)
	}
	return ""
}
