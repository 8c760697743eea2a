package partition

import (
	"cmp"
	"fmt"
	"slices"

	"lianqin/internal/fault"
)

// Total is how often something occurs and how much area it takes.
type Total struct {
	Count  int
	AreaM2 float64
}

// Report is what Check finds in shapes and what Clean does to them. It is the
// caller's to keep.
type Report struct {
	// Defects are all defects and, last, the uncovered places: by kind, then
	// the largest first.
	Defects []Defect
	// Totals sums up Defects by kind.
	Totals map[DefectKind]Total
	// Unmatched is how many vertices of one border have no counterpart on the
	// border beside it, but lie on its line or within a unit or two of it.
	// Nobody sees the difference and it is no defect; but it takes Clean to make
	// an exact partition of the shapes.
	Unmatched int
	// Hairlines are the gaps and overlaps of Unmatched, thinner than 2.2 cm.
	Hairlines Total
	// Exact says that the shapes are a partition to the last unit, without a
	// gap narrower than the tolerance: New takes them as they are, and so does
	// Clean.
	Exact bool

	CoveredM2 float64 // claimed by one face at least
	GapM2     float64 // gaps, slivers and hairlines that no face claims
	OverlapM2 float64 // claimed by two faces or more, counted once
	// Share is (GapM2+OverlapM2)/CoveredM2.
	Share float64

	// Repairs is what Clean did; nil from Check.
	Repairs *Repairs
	// Err is why the shapes could not be looked at, a fault of kind Invalid
	// (unusable shapes, or lines too tangled to be boundaries); nothing else is
	// then set.
	Err error
}

// OK reports whether there is no defect. Uncovered places and unmatched
// vertices are none.
func (r *Report) OK() bool {
	return r.Err == nil && len(r.Defects) == r.Totals[Uncovered].Count
}

// Of are the defects of one kind.
func (r *Report) Of(kind DefectKind) []Defect {
	var out []Defect
	for _, d := range r.Defects {
		if d.Kind == kind {
			out = append(out, d)
		}
	}
	return out
}

func (r *Report) add(d Defect) {
	r.Defects = append(r.Defects, d)
	t := r.Totals[d.Kind]
	r.Totals[d.Kind] = Total{t.Count + 1, t.AreaM2 + d.AreaM2}
}

var kindOrder = []DefectKind{InvalidRing, Crossing, Overlap, Gap, Sliver, Uncovered}

func (r *Report) sort() {
	slices.SortStableFunc(r.Defects, func(a, b Defect) int {
		return cmp.Or(cmp.Compare(slices.Index(kindOrder, a.Kind), slices.Index(kindOrder, b.Kind)),
			cmp.Compare(b.AreaM2, a.AreaM2), cmp.Compare(a.At.Y, b.At.Y), cmp.Compare(a.At.X, b.At.X))
	})
}

// Refused is Clean's answer to shapes that it would have to guess about. It is
// a fault of kind Invalid.
type Refused struct {
	Why    string
	Report *Report
}

func (e *Refused) Error() string {
	msg := "not cleaned: " + e.Why
	if len(e.Report.Defects) > 0 {
		msg += ", the first defect: " + e.Report.Defects[0].String()
	}
	return msg
}

// Unwrap makes a Refused a fault of kind Invalid.
func (e *Refused) Unwrap() error { return fault.New(fault.Invalid, "%s", e.Why) }

func refuse(r *Report, format string, args ...any) error {
	return &Refused{Why: fmt.Sprintf(format, args...), Report: r}
}
