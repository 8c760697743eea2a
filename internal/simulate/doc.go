// Package simulate is patrols that know where they truly are: they walk and
// drive along the borders and streets of a generation on their shifts, carry
// devices that err as real ones do, and send what those report over any of the
// protocols to any server. Since it knows the truth, it says what the server
// got wrong.
//
// The same seed, generation and beginning make the same patrols, the same
// faults and the same reports, whoever receives them and however fast. It
// takes no part in the service: it encodes what it sends by the formats'
// documentation alone, and shares no code with what decodes it.
package simulate

import (
	"math/rand/v2"
)

// dice are random numbers that depend on their keys alone.
func dice(seed uint64, keys ...uint64) *rand.Rand {
	h := scramble(seed)
	for _, k := range keys {
		h = scramble(h ^ k + 0x9e3779b97f4a7c15)
	}
	return rand.New(rand.NewPCG(h, scramble(h)))
}

// scramble is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// between is a random number in [lo, hi).
func between(d *rand.Rand, lo, hi float64) float64 { return lo + d.Float64()*(hi-lo) }

// chance is true with probability p.
func chance(d *rand.Rand, p float64) bool { return d.Float64() < p }
