package partition

import (
	"math"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// DefaultMaxNoise is the share of the covered area that Clean repairs without
// a word: 0.1 %.
const DefaultMaxNoise = 0.001

// OverlapRule says who keeps an overlap that is too wide to be a slip of the
// pen.
type OverlapRule string

const (
	// RefuseOverlaps leaves the decision to a person: Clean refuses.
	RefuseOverlaps OverlapRule = ""
	// OverlapsToFirst gives them to the shape that comes first.
	OverlapsToFirst OverlapRule = "first"
	// OverlapsToLarger gives them to the face that claims the larger area in
	// all, of equal ones to the first.
	OverlapsToLarger OverlapRule = "larger"
)

// CleanOptions are the measures of Clean; zero values are the defaults.
type CleanOptions struct {
	// ToleranceM is below which width gaps and overlaps are repaired, and about
	// how far a border may move; DefaultToleranceM when 0.
	ToleranceM float64
	// MaxNoise is the share of the covered area up to which gaps and overlaps
	// are repaired; DefaultMaxNoise when 0.
	MaxNoise float64
	// Overlaps says who keeps what is claimed by several and not narrow.
	Overlaps OverlapRule
}

func (o CleanOptions) withDefaults() (CleanOptions, error) {
	if o.MaxNoise == 0 {
		o.MaxNoise = DefaultMaxNoise
	}
	if !(o.MaxNoise > 0 && o.MaxNoise <= 1) {
		return o, fault.InvalidField("max-noise", "%v is no share between 0 and 1", o.MaxNoise)
	}
	switch o.Overlaps {
	case RefuseOverlaps, OverlapsToFirst, OverlapsToLarger:
		return o, nil
	}
	return o, fault.InvalidField("overlaps", "%q is not one of first, larger", o.Overlaps)
}

// Clean makes a partition of shapes that almost are one, and proves it with
// New. No vertex is moved: where the borders of two faces do not agree, one of
// the two lines is kept. Gaps and overlaps narrower than the tolerance go to
// the neighbour with the longest border, between two that are as good as equal
// so that the line of the lower face stays; slits between two faces that are
// open at their end are closed; rings that cross themselves are untangled.
// Wider gaps stay uncovered. Shapes that are a partition already, without such
// gaps, come back as they are, vertex for vertex; so does everything away from
// the defects.
//
// The error is a *Refused, with the report of what was found, when repairing
// would take more than MaxNoise of the area, when an overlap is too wide or
// would bring a border more than twice the tolerance from where it was and no rule says who
// keeps it, or when a face would be left with nothing. It is Invalid for shapes that cannot be looked
// at. The report is nil only when the options are Invalid. Same shapes, same
// result: only the order of the shapes matters, and only to OverlapsToFirst.
func Clean(shapes []Shape, opt CleanOptions) (*Partition, *Report, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	check, err := CheckOptions{ToleranceM: opt.ToleranceM}.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	opt.ToleranceM = check.ToleranceM
	s, err := takeSurvey(shapes, check)
	if err != nil {
		return nil, &Report{Err: err}, err
	}
	rep := s.report
	rep.Repairs = &Repairs{}
	if rep.Exact {
		p, err := New(shapes)
		return p, rep, err
	}
	if err := s.mayClean(opt); err != nil {
		return nil, rep, err
	}
	a, err := s.allot(shapes, opt)
	if err != nil {
		return nil, rep, err
	}
	original := verticesOf(shapes)
	p, err := a.assemble(original)
	if err != nil {
		return nil, rep, err
	}
	if err := s.measureMoves(original, p, opt); err != nil {
		return nil, rep, err
	}
	return p, rep, nil
}

// mayClean refuses what can be seen to be hopeless before any repair.
func (s *survey) mayClean(opt CleanOptions) error {
	rep := s.report
	if t := rep.Totals[Overlap]; t.Count > 0 && opt.Overlaps == RefuseOverlaps {
		return refuse(rep, "%d overlaps (%.0f m²) are wider than %v m", t.Count, t.AreaM2, opt.ToleranceM)
	}
	if noise := (rep.Totals[Sliver].AreaM2 + rep.Hairlines.AreaM2) / rep.CoveredM2; rep.CoveredM2 > 0 && noise > opt.MaxNoise {
		return refuse(rep, "narrow gaps and overlaps take %.3f %% of the area, more than %.3f %%", 100*noise, 100*opt.MaxNoise)
	}
	return nil
}

// allot gives every plot to one face or to nobody.
func (s *survey) allot(shapes []Shape, opt CleanOptions) (*allotment, error) {
	a := s.bridged
	if a == nil {
		a = newAllotment(s.subdivision, opt.ToleranceM)
	}
	pick := s.rule(shapes, opt.Overlaps)
	a.giveWide(pick)
	a.settle()
	rep := s.report
	stuck := Total{}
	for i := range a.plots {
		r := &a.plots[i]
		if a.owner[i] != undecided {
			continue
		}
		a.owner[i] = nobody
		d := Defect{Kind: Sliver, Owners: len(a.ownerSet(r.owners)), AreaM2: r.areaM2}
		if d.Owners == 0 {
			b := a.breadthOf(r, opt.ToleranceM)
			d.At, d.WidthM, d.Faces, d.Msg = b.at, b.widthM, a.facesAround(r), "left open: filling it would move a border too far"
			rep.Repairs.Left = append(rep.Repairs.Left, d)
			continue
		}
		if opt.Overlaps != RefuseOverlaps {
			a.owner[i] = pick(a.ownerSet(r.owners))
			continue
		}
		stuck.Count++
		stuck.AreaM2 += r.areaM2
	}
	if stuck.Count > 0 {
		return nil, refuse(rep, "%d overlaps (%.0f m²) are narrow, but giving them to one face would move a border much further than %v m", stuck.Count, stuck.AreaM2, opt.ToleranceM)
	}
	return a, a.account(rep, opt)
}

// rule is who of several owners keeps a wide overlap.
func (s *survey) rule(shapes []Shape, rule OverlapRule) func(owners []int32) int32 {
	rank := make([]float64, len(s.faces)) // the least wins
	for i := range rank {
		rank[i] = math.Inf(1)
	}
	for i, shape := range shapes {
		f := s.index(shape.ID)
		switch rule {
		case OverlapsToFirst:
			rank[f] = min(rank[f], float64(i))
		case OverlapsToLarger:
			if math.IsInf(rank[f], 1) {
				rank[f] = 0
			}
			for _, r := range shape.Rings {
				rank[f] -= geo.RingAreaM2(r)
			}
		}
	}
	return func(owners []int32) int32 {
		best := owners[0]
		for _, f := range owners[1:] {
			if rank[f] < rank[best] {
				best = f
			}
		}
		return best
	}
}
