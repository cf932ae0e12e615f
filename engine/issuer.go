package engine

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// binDigits is the length that card numbers are brought to before they are looked up (Q10).
const binDigits = 19

// issuers finds the bank that issued a card. It cuts the operator's ranges, which may overlap, into
// segments that do not, so that a look-up is one binary search.
type issuers struct {
	// starts are the first numbers of the segments, ascending; each ends before the next starts.
	starts []int64
	// abis are the segments' ABIs as numbers: none where no range or ranges of different ABIs hold.
	abis []uint32
}

// newIssuers cuts the ranges. Errors name the range at fault.
func newIssuers(ranges []IssuerRange, abis *names) (*issuers, error) {
	edges := make([]int64, 0, 2*len(ranges))
	for i, r := range ranges {
		if r.Low < 0 || r.High < r.Low {
			return nil, fmt.Errorf("issuers[%d]: range %d to %d is empty or below 0", i, r.Low, r.High)
		}
		edges = append(edges, r.Low)
		if r.High < math.MaxInt64 { // no number is above
			edges = append(edges, r.High+1)
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)

	index := &issuers{starts: edges, abis: make([]uint32, len(edges))}
	covered := make([]bool, len(edges))
	for i := range index.abis {
		index.abis[i] = none
	}
	for _, r := range ranges {
		abi := none // a range that names no bank says no more than none
		if r.ABI != "" {
			abi = abis.add(r.ABI)
		}
		first, _ := slices.BinarySearch(edges, r.Low)
		for i := first; i < len(edges) && edges[i] <= r.High; i++ {
			if covered[i] && index.abis[i] != abi {
				index.abis[i] = none
			} else {
				index.abis[i] = abi
			}
			covered[i] = true
		}
	}
	return index, nil
}

// find returns the number of the ABI that issued the card, or none: no BIN, a BIN that is no number
// or too long, no range, ranges of different ABIs (Q10).
func (s *issuers) find(bin string) uint32 {
	number, ok := padBIN(bin)
	if !ok {
		return none
	}
	next := sort.Search(len(s.starts), func(i int) bool { return s.starts[i] > number })
	if next == 0 {
		return none
	}
	return s.abis[next-1]
}

// padBIN reads a BIN, padded right with 0 to 19 digits; ok is false when it is no such number.
func padBIN(bin string) (number int64, ok bool) {
	if bin == "" || len(bin) > binDigits {
		return 0, false
	}
	for i := range binDigits {
		digit := int64(0)
		if i < len(bin) {
			if bin[i] < '0' || bin[i] > '9' {
				return 0, false
			}
			digit = int64(bin[i] - '0')
		}
		if number > (1<<63-1-digit)/10 {
			return 0, false
		}
		number = number*10 + digit
	}
	return number, true
}
