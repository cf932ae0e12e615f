package access_test

import (
	"crypto/rand"
	"encoding/base64"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"gec/api/access"
)

// TestHostileTiming looks for what the time of a refusal tells about keys (goal 27): guesses that share all but
// their end with a key, against guesses that share nothing. It is run by `make hostile` alone, which gives it
// GEC_TEST_TIMING guesses of each kind: it measures, so other work on the machine can fail it.
func TestHostileTiming(t *testing.T) {
	guesses, err := strconv.Atoi(os.Getenv("GEC_TEST_TIMING"))
	if err != nil || guesses < 1000 {
		t.Skip("GEC_TEST_TIMING says how many guesses: use make hostile")
	}
	f := newOffice(t, access.Options{})
	_, secret := f.key(access.Key{Name: "platform", Roles: []access.Role{access.RoleQuotes}})
	shared := [2]int{len("gec_"), len(secret) - 4}
	var times [2][]float64
	for range 2 * guesses {
		kind := mathrand.IntN(2)                                            // in no order that anything else could follow
		guess := secret[:shared[kind]] + random(len(secret))[shared[kind]:] // as much work for both
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set(access.KeyHeader, guess)
		began := time.Now()
		_, err := f.HTTP(r, "getFees")
		took := time.Since(began)
		if err == nil {
			t.Fatal("a guess is taken")
		}
		times[kind] = append(times[kind], float64(took))
	}
	value := welch(trimmed(times[0]), trimmed(times[1]))
	t.Logf("t = %.2f of %d guesses", value, 2*guesses)
	if math.Abs(value) > 4.5 {
		t.Errorf("refusing a guess near a key takes another time than one far from it: t = %.2f", value)
	}
}

// random returns so many characters of the alphabet of secrets.
func random(characters int) string {
	text := make([]byte, characters)
	_, _ = rand.Read(text)
	return base64.RawURLEncoding.EncodeToString(text)[:characters]
}

// trimmed leaves out the slowest tenth, in which the machine did something else.
func trimmed(times []float64) []float64 {
	slices.Sort(times)
	return times[:len(times)*9/10]
}

// welch is Welch's t of two samples.
func welch(a, b []float64) float64 {
	moments := func(x []float64) (mean, variance float64) {
		for _, v := range x {
			mean += v / float64(len(x))
		}
		for _, v := range x {
			variance += (v - mean) * (v - mean) / float64(len(x)-1)
		}
		return mean, variance
	}
	meanA, varianceA := moments(a)
	meanB, varianceB := moments(b)
	return (meanA - meanB) / math.Sqrt(varianceA/float64(len(a))+varianceB/float64(len(b)))
}
