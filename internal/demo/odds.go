package demo

import "sort"

// odds draw places by their weights.
type odds []int // sums up to and with each place

func oddsOf(weights []int) odds {
	out, sum := make(odds, len(weights)), 0
	for i, w := range weights {
		sum += w
		out[i] = sum
	}
	return out
}

func (o odds) draw(d *dice) int { return sort.SearchInts(o, d.below(o[len(o)-1])+1) }

// apportion divides total in the proportions of weights, by cumulated
// rounding.
func apportion(total int, weights []int) []int {
	out := make([]int, len(weights))
	sums := oddsOf(weights)
	given := 0
	for i, sum := range sums {
		out[i] = sum*total/max(1, sums[len(sums)-1]) - given
		given += out[i]
	}
	return out
}
