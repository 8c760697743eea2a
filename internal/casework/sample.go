package casework

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Sample draws n of the cases for inspection: the same cases, in whatever
// order they come, and the same seed give the same sample, and who adds a case
// to the rest displaces at most one of it. Each case has the same chance. The
// sample is in order of its cases; all of them when there are no more than n.
func Sample(seed string, n int, cases []int64) []int64 {
	type drawn struct {
		lot [sha256.Size]byte
		id  int64
	}
	all := make([]drawn, len(cases))
	for i, id := range cases {
		all[i] = drawn{sha256.Sum256(binary.BigEndian.AppendUint64([]byte(seed+"\x00"), uint64(id))), id}
	}
	slices.SortFunc(all, func(a, b drawn) int {
		return cmp.Or(slices.Compare(a.lot[:], b.lot[:]), cmp.Compare(a.id, b.id))
	})
	all = slices.CompactFunc(all, func(a, b drawn) bool { return a.id == b.id })
	out := make([]int64, 0, max(min(n, len(all)), 0))
	for _, d := range all[:cap(out)] {
		out = append(out, d.id)
	}
	slices.Sort(out)
	return out
}
