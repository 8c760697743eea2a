package partition

import (
	"fmt"
	"math"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// DefaultToleranceM is the width below which a gap or an overlap is taken for
// a slip of the pen.
const DefaultToleranceM = 3

// MaxToleranceM is the greatest tolerance that Check and Clean accept.
const MaxToleranceM = 100

// CheckOptions are the measures of Check; zero values are the defaults.
type CheckOptions struct {
	// ToleranceM is below which width a gap or an overlap is a Sliver;
	// DefaultToleranceM when 0.
	ToleranceM float64
	// GapM is below which width a long gap is a Gap, and from which on it is
	// Uncovered, as a compact hole of any width above the tolerance is; four
	// times the tolerance when 0.
	GapM float64
}

func (o CheckOptions) withDefaults() (CheckOptions, error) {
	if o.ToleranceM == 0 {
		o.ToleranceM = DefaultToleranceM
	}
	if !(o.ToleranceM > 0 && o.ToleranceM <= MaxToleranceM) {
		return o, fault.InvalidField("tolerance", "%v m is not between 0 and %v m", o.ToleranceM, MaxToleranceM)
	}
	if o.GapM == 0 {
		o.GapM = 4 * o.ToleranceM
	}
	if math.IsNaN(o.GapM) || o.GapM < 0 {
		return o, fault.InvalidField("gap", "%v m is no width", o.GapM)
	}
	return o, nil
}

// Check lists what keeps shapes from being a partition: invalid rings,
// overlaps, gaps and slivers, and apart from them the uncovered places. The
// borders are cut exactly where they meet, with no tolerance; the tolerance
// only names what is found. A place belongs to a face whose rings wind round
// it (non-zero rule). Shapes of one ID are one face.
func Check(shapes []Shape, opt CheckOptions) *Report {
	opt, err := opt.withDefaults()
	if err != nil {
		return &Report{Err: err}
	}
	s, err := takeSurvey(shapes, opt)
	if err != nil {
		return &Report{Err: err}
	}
	return s.report
}

// survey is shapes cut into cells, with the report of what they show.
type survey struct {
	*subdivision
	opt     CheckOptions
	noded   []line // of the subdivision, with those that bound nothing
	list    []region
	of      []int32    // the region of each cell
	widthM  []float64  // of each region that has not just one owner
	bridged *allotment // with bridges, nothing given yet; nil when there are none
	report  *Report
	touches int
}

func takeSurvey(shapes []Shape, opt CheckOptions) (*survey, error) {
	faces, lines, err := gather(shapes)
	if err != nil {
		return nil, err
	}
	s := &survey{opt: opt, report: &Report{Totals: map[DefectKind]Total{}}}
	if s.noded, s.touches, err = node(lines); err != nil {
		return nil, err
	}
	if s.subdivision, err = subdivide(faces, s.noded); err != nil {
		return nil, err
	}
	s.list, s.of = s.regions()
	s.findOverlapsAndGaps()
	if err := s.findSlits(); err != nil {
		return nil, err
	}
	s.findBadWindings()
	s.findRetraced()
	s.findEmptyFaces(shapes)
	r := s.report
	r.CoveredM2 = s.coveredM2()
	if r.CoveredM2 > 0 {
		r.Share = (r.GapM2 + r.OverlapM2) / r.CoveredM2
	}
	r.Unmatched = s.touches + r.Hairlines.Count
	if r.Unmatched == 0 && r.OverlapM2 == 0 && r.Totals[InvalidRing].Count == 0 && r.Totals[Sliver].Count == 0 {
		_, err := New(shapes)
		r.Exact = err == nil
	}
	r.sort()
	return s, nil
}

// coveredM2 is the area inside the outline of all faces.
func (s *survey) coveredM2() float64 {
	var outline []int32
	for h, c := range s.cell {
		if s.owners(c) != 0 && s.owners(s.cell[h^1]) == 0 {
			outline = append(outline, int32(h))
		}
	}
	return s.areaOf(outline)
}

// findOverlapsAndGaps reports each region that has not just one owner.
func (s *survey) findOverlapsAndGaps() {
	s.widthM = make([]float64, len(s.list))
	for i := range s.list {
		r := &s.list[i]
		owners := len(s.ownerSet(r.owners))
		if i == 0 || owners == 1 {
			continue
		}
		s.measure(r)
		b := s.breadthOf(r, s.opt.ToleranceM)
		s.widthM[i] = b.widthM
		d := Defect{Owners: owners, At: b.at, AreaM2: r.areaM2, WidthM: b.widthM}
		if owners == 0 {
			d.Faces, d.Kind, d.Msg = s.facesAround(r), s.kindOfGap(r, b.widthM), "claimed by none"
		} else {
			d.Faces, d.Kind, d.Msg = s.idsOf(r.owners), Overlap, fmt.Sprintf("claimed by %d faces", owners)
		}
		if owners > 0 {
			s.report.OverlapM2 += r.areaM2
		} else if d.Kind != Uncovered {
			s.report.GapM2 += r.areaM2
		}
		switch {
		case b.widthM < hairlineM:
			s.report.Hairlines.Count++
			s.report.Hairlines.AreaM2 += r.areaM2
			continue
		case b.widthM < s.opt.ToleranceM:
			d.Kind = Sliver
		}
		s.report.add(d)
	}
}

// findSlits reports the narrow gaps that are open at an end, to the outside or
// to a wide gap.
func (s *survey) findSlits() error {
	spans := s.bridges()
	if spans == nil {
		return nil
	}
	noded, _, err := node(spans)
	if err != nil {
		return err
	}
	sub, err := subdivide(s.faces, noded)
	if err != nil {
		return err
	}
	a := newAllotment(sub, s.opt.ToleranceM)
	s.bridged = a
	for _, slit := range a.slits {
		d := Defect{Kind: Sliver, Msg: "claimed by none, open at an end"}
		for _, i := range slit.plots {
			r := &a.plots[i]
			b := a.breadthOf(r, s.opt.ToleranceM)
			if b.widthM > d.WidthM {
				d.At, d.WidthM = b.at, b.widthM
			}
			d.AreaM2 += r.areaM2
			d.Faces = append(d.Faces, a.facesAround(r)...)
		}
		slices.Sort(d.Faces)
		d.Faces = slices.Compact(d.Faces)
		s.report.GapM2 += d.AreaM2
		if d.WidthM < hairlineM {
			s.report.Hairlines.Count++
			s.report.Hairlines.AreaM2 += d.AreaM2
			continue
		}
		s.report.add(d)
	}
	return nil
}

// kindOfGap tells a strip that was forgotten between two borders from a place
// that is left out: the strip is narrow, and ten times as long.
func (s *survey) kindOfGap(r *region, widthM float64) DefectKind {
	switch {
	case widthM < s.opt.ToleranceM:
		return Sliver
	case widthM < s.opt.GapM && r.perimeterM/2 > 10*widthM:
		return Gap
	}
	return Uncovered
}

// facesAround are the faces that border on r, ascending.
func (s *subdivision) facesAround(r *region) []FaceID {
	var out []FaceID
	last := int32(-1)
	for _, h := range r.border {
		if o := s.owners(s.cell[h^1]); o != last {
			out = append(out, s.idsOf(o)...)
			last = o
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// findBadWindings reports the places round which a face's rings do not wind
// exactly once, counter-clockwise: loops of a ring that crosses itself, parts
// that lie on one another, rings that run the wrong way round.
func (s *survey) findBadWindings() {
	bad := make([]bool, len(s.table.states))
	any := false
	for i, state := range s.table.states {
		for _, w := range state {
			bad[i] = bad[i] || w.turns != 1
		}
		any = any || bad[i]
	}
	if !any {
		return
	}
	u := newUnion(s.cells)
	for i := range s.lines {
		if l, r := s.cell[2*i], s.cell[2*i+1]; s.state[l] == s.state[r] {
			u.join(l, r)
		}
	}
	borders := make(map[int32][]int32)
	for h, c := range s.cell {
		if bad[s.state[c]] && u.find(c) != u.find(s.cell[h^1]) {
			borders[u.find(c)] = append(borders[u.find(c)], int32(h))
		}
	}
	for c := range int32(s.cells) {
		if len(borders[c]) == 0 {
			continue
		}
		r := region{border: borders[c]}
		s.measure(&r)
		b := s.breadthOf(&r, s.opt.ToleranceM)
		if b.widthM < hairlineM {
			s.touches++ // what rounding does to a vertex next to its own ring
			continue
		}
		for _, w := range s.table.states[s.state[c]] {
			if w.turns == 1 {
				continue
			}
			msg := fmt.Sprintf("its rings wind %d times round the place", w.turns)
			if w.turns < 0 {
				msg = "a ring runs the wrong way round the place"
			}
			s.report.add(Defect{Kind: InvalidRing, Faces: []FaceID{s.faces[w.face]}, Owners: 1, At: b.at, AreaM2: r.areaM2, WidthM: b.widthM, Msg: msg})
		}
	}
}

// findRetraced reports each connected stretch along which the rings of one
// face run there and back: spikes, and two parts that should be one.
func (s *survey) findRetraced() {
	type stretch struct {
		face int32
		line *line
	}
	var all []stretch
	at := make(map[struct {
		face int32
		at   geo.Coord
	}]int32)
	var joins [][2]int32
	for i := range s.noded {
		for _, c := range s.noded[i].claims {
			if c.up == 0 || c.down == 0 {
				continue
			}
			n := int32(len(all))
			all = append(all, stretch{c.face, &s.noded[i]})
			for _, v := range [...]geo.Coord{s.noded[i].a, s.noded[i].b} {
				k := struct {
					face int32
					at   geo.Coord
				}{c.face, v}
				if m, ok := at[k]; ok {
					joins = append(joins, [2]int32{m, n})
				} else {
					at[k] = n
				}
			}
		}
	}
	u := newUnion(len(all))
	for _, j := range joins {
		u.join(j[0], j[1])
	}
	length := make([]float64, len(all))
	for i, t := range all {
		length[u.find(int32(i))] += geo.DistanceM(t.line.a.Point(), t.line.b.Point())
	}
	for i, t := range all {
		switch {
		case u.find(int32(i)) != int32(i):
		case length[i] < 2*hairlineM:
			s.touches++
		default:
			s.report.add(Defect{Kind: InvalidRing, Faces: []FaceID{s.faces[t.face]}, Owners: 1, At: t.line.a,
				Msg: fmt.Sprintf("runs %.2f m along itself and back", length[i])})
		}
	}
}

// findEmptyFaces reports faces whose rings enclose nothing.
func (s *survey) findEmptyFaces(shapes []Shape) {
	has := make([]bool, len(s.faces))
	for _, r := range s.list {
		for _, f := range s.ownerSet(r.owners) {
			has[f] = true
		}
	}
	for _, shape := range shapes {
		f := s.index(shape.ID)
		if has[f] {
			continue
		}
		has[f] = true
		d := Defect{Kind: InvalidRing, Faces: []FaceID{shape.ID}, Msg: "encloses nothing"}
		for _, r := range shape.Rings {
			if len(r) > 0 {
				d.At = r[0]
			}
		}
		s.report.add(d)
	}
}
