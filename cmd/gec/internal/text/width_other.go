//go:build !unix

package text

import "os"

// Width returns the number of columns of the terminal that f is; 0 when it is none or, as here, when
// the system is not asked.
func Width(*os.File) int { return 0 }
