package heat

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// Rising asks where there have lately been more cases than the weeks before
// let expect. Of Query, From is not used: the weeks end at To, each from the
// same weekday and hour to the same.
//
// It is a space–time scan after Kulldorff et al., "A Space–Time Permutation
// Scan Statistic for Disease Outbreak Detection" (PLoS Medicine 2005), with
// squares of cells. For every square around a cell with a recent case, and for
// the last 1 … Weeks weeks, it compares the cases c of the square in those
// weeks with those before; of all its cases n, the share p is expected that
// those weeks have of all cases in the district. So the season of the whole
// district, and places that always have many cases, raise nothing. The measure
// is the logarithm of the likelihood ratio, c·ln(c/np) + (n−c)·ln((n−c)/n(1−p)).
//
// How great the greatest measure is by chance is found by dealing the same
// weeks to the same places anew, Replicas times. P is the part of all dealings,
// the real one included, with a greatest measure not less than the cluster's:
// over everything that was looked at, one false alarm comes in 1/Alpha
// questions, as long as cases are independent of each other. One incident
// reported by ten people is a cluster to it.
type Rising struct {
	Query
	Weeks     int     // that a cluster lasts at most, 1 to 8; 0 is 4
	Reference int     // weeks before those to compare with, 1 to 52; 0 is 8
	Replicas  int     // 19 to 999; 0 is 99
	Alpha     float64 // clusters of a greater P are left out; 0 is 0.05
	Least     int     // cases that a cluster has at least; 0 is 5
	Seed      uint64  // the same seed deals alike
}

// Cluster is where cases rise, since when, and by how much. Overlapping ones
// are left out for the strongest.
type Cluster struct {
	Bound    orb.Bound // of the square
	Center   orb.Point
	SideM    float64 // about
	Grid     string  // that has most of its recent cases
	Since    time.Time
	Weeks    int
	Observed int
	Expected float64
	Ratio    float64 // Observed / Expected
	P        float64
}

// halves are how many cells the squares reach from the middle one: about 300,
// 500, 900 and 1700 m wide.
var halves = [...]int{1, 2, 4, 8}

const week = 7 * 24 * time.Hour

func (q *Rising) complete() error {
	q.Weeks, q.Reference, q.Replicas = cmp.Or(q.Weeks, 4), cmp.Or(q.Reference, 8), cmp.Or(q.Replicas, 99)
	q.Alpha, q.Least = cmp.Or(q.Alpha, 0.05), cmp.Or(q.Least, 5)
	switch {
	case q.Weeks < 1 || q.Weeks > 8:
		return fault.InvalidField("weeks", "%d is not from 1 to 8", q.Weeks)
	case q.Reference < 1 || q.Reference > 52:
		return fault.InvalidField("reference", "%d weeks are not from 1 to 52", q.Reference)
	case q.Replicas < 19 || q.Replicas > 999:
		return fault.InvalidField("replicas", "%d is not from 19 to 999", q.Replicas)
	case !(q.Alpha > 0 && q.Alpha < 1):
		return fault.InvalidField("alpha", "%v is not between 0 and 1", q.Alpha)
	case q.Least < 2:
		return fault.InvalidField("least", "%d cases are no cluster", q.Least)
	}
	q.From = q.To.Add(-time.Duration(q.Weeks+q.Reference) * week)
	return q.check()
}

// event is a case of the scan: its cell, and how many weeks ago it was, at
// most Weeks, which stands for the reference.
type event struct {
	cell uint32
	area uint32
	ago  uint8
}

// Rising finds the clusters, the strongest first. It is Invalid when the
// parameters are out of range. With 70,000 cases in the twelve weeks it takes
// one to two seconds of one core; the index is held only while they are copied.
func (x *Index) Rising(q Rising) ([]Cluster, error) {
	if err := q.complete(); err != nil {
		return nil, err
	}
	to := second(q.To)
	x.mu.RLock()
	s := newScan(x.raster, &q)
	x.each(&q.Query, func(b *block, i int) {
		if int(b.cell[i]) < x.raster.Cells() {
			ago := min((to-1-b.at[i])/uint32(week/time.Second), uint32(q.Weeks))
			s.events = append(s.events, event{b.cell[i], b.area[i], uint8(ago)})
		}
	})
	areas := slices.Clone(x.areas.all)
	x.mu.RUnlock()
	return s.clusters(&q, areas), nil
}

// scan holds the sums of one dealing. sums[d] of a corner are the cases south
// and west of it in the last d+1 weeks; the last one has all.
type scan struct {
	raster Raster
	weeks  int
	least  int
	events []event
	share  []float64 // of the last d+1 weeks in all cases
	stride int
	sums   [][]uint32
	middle []uint32 // cells that squares lie around
}

func newScan(r Raster, q *Rising) *scan {
	s := &scan{raster: r, weeks: q.Weeks, least: q.Least, stride: r.Width + 1, sums: make([][]uint32, q.Weeks+1)}
	for d := range s.sums {
		s.sums[d] = make([]uint32, s.stride*(r.Height+1))
	}
	return s
}

// found is a square and its measure.
type found struct {
	cell, half, weeks int
	c                 uint32
	expected, llr     float64
}

func (s *scan) clusters(q *Rising, areas []area) []Cluster {
	n := len(s.events)
	s.share = make([]float64, s.weeks)
	for _, e := range s.events {
		for d := int(e.ago); d < s.weeks; d++ {
			s.share[d] += 1 / float64(n)
		}
	}
	real := append([]event(nil), s.events...)
	s.deal(real)
	all := s.all()
	if len(all) == 0 {
		return nil
	}
	greatest := make([]float64, q.Replicas)
	dice := rand.New(rand.NewPCG(q.Seed, 1))
	for i := range greatest {
		dice.Shuffle(n, func(i, j int) { s.events[i].ago, s.events[j].ago = s.events[j].ago, s.events[i].ago })
		s.deal(s.events)
		greatest[i] = s.greatest()
	}
	var out []Cluster
	var taken []found
	for _, f := range all {
		p := 1.0
		for _, g := range greatest {
			if g >= f.llr {
				p++
			}
		}
		p /= float64(q.Replicas + 1)
		if p > q.Alpha {
			break
		}
		if slices.ContainsFunc(taken, func(t found) bool { return s.overlap(f, t) }) {
			continue
		}
		taken = append(taken, f)
		out = append(out, s.cluster(q, f, p, real, areas))
	}
	return out
}

// deal sums events up, and finds where squares are worth looking at.
func (s *scan) deal(events []event) {
	for _, sum := range s.sums {
		clear(sum)
	}
	w, stride := s.raster.Width, s.stride
	for _, e := range events {
		at := (int(e.cell)/w+1)*stride + int(e.cell)%w + 1
		s.sums[s.weeks][at]++
		if int(e.ago) < s.weeks {
			s.sums[e.ago][at]++
		}
	}
	recent := s.sums[:s.weeks]
	s.middle = s.middle[:0]
	for cell := range s.raster.Cells() {
		at := (cell/w+1)*stride + cell%w + 1
		total := uint32(0)
		for _, sum := range recent { // weeks → the last d+1 weeks
			total += sum[at]
			sum[at] = total
		}
		if total > 0 {
			s.middle = append(s.middle, uint32(cell))
		}
	}
	for _, sum := range s.sums {
		for y := 1; y <= s.raster.Height; y++ {
			row := uint32(0)
			for at := y*stride + 1; at < (y+1)*stride; at++ {
				row += sum[at]
				sum[at] = row + sum[at-stride]
			}
		}
	}
}

// measure calls f with every square and span whose count is above what is
// expected, at least least, and not sure to measure no more than *floor: a
// logarithm is cheaper not taken, and ln x <= x-1.
func (s *scan) measure(floor *float64, f func(found)) {
	for _, cell := range s.middle {
		x, y := int(cell)%s.raster.Width, int(cell)/s.raster.Width
		for _, half := range halves {
			w, e := max(0, x-half), min(s.raster.Width, x+half+1)
			lo, hi := max(0, y-half)*s.stride, min(s.raster.Height, y+half+1)*s.stride
			in := func(sum []uint32) uint32 { return sum[hi+e] - sum[hi+w] - sum[lo+e] + sum[lo+w] }
			n := float64(in(s.sums[s.weeks]))
			for d := range s.weeks {
				c := in(s.sums[d])
				if expected := n * s.share[d]; int(c) >= s.least && float64(c) > expected && float64(c)*(float64(c)-expected) > *floor*expected {
					f(found{int(cell), half, d + 1, c, expected, ratio(float64(c), n, s.share[d])})
				}
			}
		}
	}
}

// ratio is the logarithm of the likelihood ratio of c of n at a share of p.
func ratio(c, n, p float64) float64 {
	llr := c * math.Log(c/(n*p))
	if c < n {
		llr += (n - c) * math.Log((n-c)/(n*(1-p)))
	}
	return llr
}

func (s *scan) greatest() (most float64) {
	s.measure(&most, func(f found) { most = max(most, f.llr) })
	return most
}

// all are the squares, the strongest first; of equals the smaller and shorter.
func (s *scan) all() []found {
	var out []found
	s.measure(new(float64), func(f found) { out = append(out, f) })
	slices.SortFunc(out, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.llr, a.llr), cmp.Compare(a.half, b.half), cmp.Compare(a.weeks, b.weeks), cmp.Compare(a.cell, b.cell))
	})
	return out
}

func (s *scan) overlap(a, b found) bool {
	dx := a.cell%s.raster.Width - b.cell%s.raster.Width
	dy := a.cell/s.raster.Width - b.cell/s.raster.Width
	return max(dx, -dx, dy, -dy) <= a.half+b.half
}

func (s *scan) cluster(q *Rising, f found, p float64, events []event, areas []area) Cluster {
	x, y := f.cell%s.raster.Width, f.cell/s.raster.Width
	side := 2*f.half + 1
	b := s.raster.boundOf(x-f.half, y-f.half, side, side)
	counts := make([]int, len(areas))
	for _, e := range events {
		ex, ey := int(e.cell)%s.raster.Width-x, int(e.cell)/s.raster.Width-y
		if int(e.ago) < f.weeks && max(ex, -ex, ey, -ey) <= f.half {
			counts[e.area]++
		}
	}
	most := 0
	for i := range counts {
		if counts[i] > counts[most] || counts[i] == counts[most] && areas[i].grid < areas[most].grid {
			most = i
		}
	}
	return Cluster{Bound: b, Center: b.Center(), SideM: float64(side) * math.Round(math.Sqrt(s.raster.CellM2)), Grid: areas[most].grid,
		Since: q.To.Add(-time.Duration(f.weeks) * week), Weeks: f.weeks,
		Observed: int(f.c), Expected: f.expected, Ratio: float64(f.c) / f.expected, P: p}
}
