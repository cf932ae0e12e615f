package requestid_test

import (
	"regexp"
	"strings"
	"testing"

	"gec/api/requestid"
)

func TestNewIsAUUIDOfItsOwn(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 1000 {
		id := requestid.New()
		if !form.MatchString(id) || seen[id] || !requestid.Usable(id) {
			t.Fatalf("%q", id)
		}
		seen[id] = true
	}
}

func TestUsable(t *testing.T) {
	for id, want := range map[string]bool{
		"": false, "a b": true, "x\n": false, "è": false,
		strings.Repeat("x", requestid.BytesMax): true, strings.Repeat("x", requestid.BytesMax+1): false,
	} {
		if got := requestid.Usable(id); got != want {
			t.Errorf("Usable(%q) = %v", id, got)
		}
	}
}
