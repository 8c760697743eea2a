package partition

import (
	"encoding/binary"
	"slices"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// maxStates bounds the sum of the sizes of all different states: faces that
// lie on top of one another, place by place.
const maxStates = 1_000_000

// wind is how often the rings of a face wind round a place.
type wind struct{ face, turns int32 }

// subdivision is the plane cut into cells by noded lines. Each cell has a
// state, the windings of all faces round it. A place belongs to a face whose
// rings wind round it, either way (the non-zero rule): so the loops of a ring
// that crosses itself belong to it, and a hole is a hole because it runs
// against its outer ring.
type subdivision struct {
	faces []FaceID
	lines []line
	fan   *fan
	cell  []int32 // on the left of each half-edge
	cycle []int32 // one half-edge of each boundary of a cell
	cells int     // cell 0 is the unbounded one
	state []int32 // of each cell
	table stateTable
}

// subdivide cuts the plane by noded lines. Lines that bound nothing for any
// face, because a ring runs along them and back, are left out; bridges stay.
func subdivide(faces []FaceID, lines []line) (*subdivision, error) {
	kept := make([]line, 0, len(lines))
	for _, l := range lines {
		bounds := len(l.claims) == 0
		for _, c := range l.claims {
			bounds = bounds || c.up != c.down
		}
		if bounds {
			kept = append(kept, l)
		}
	}
	edges := make([]edge, len(kept))
	for i, l := range kept {
		edges[i] = edge{a: l.a, b: l.b}
	}
	s := &subdivision{faces: faces, lines: kept, fan: newFan(edges)}
	if err := s.findCells(); err != nil {
		return nil, err
	}
	return s, s.findStates()
}

// findCells walks the boundaries of the cells and joins those that bound one
// cell from within and without.
func (s *subdivision) findCells() error {
	n := 2 * len(s.lines)
	of := make([]int32, n) // the cycle of each half-edge, plus one; cycle 0 lies at infinity
	s.cycle = []int32{-1}
	for _, start := range s.fan.halfs {
		if of[start] != 0 {
			continue
		}
		id := int32(len(s.cycle))
		s.cycle = append(s.cycle, start)
		for h := start; of[h] == 0; h = s.fan.next(h) {
			of[h] = id
		}
	}
	joined := newUnion(len(s.cycle))
	if err := s.joinOuter(of, joined); err != nil {
		return err
	}
	number := make([]int32, len(s.cycle))
	for i := range number {
		if r := joined.find(int32(i)); r == int32(i) {
			number[i] = int32(s.cells)
			s.cells++
		} else {
			number[i] = number[r]
		}
	}
	s.cell = of
	for h := range s.cell {
		s.cell[h] = number[s.cell[h]]
	}
	s.cycle = s.cycle[1:]
	return nil
}

// joinOuter finds, for each connected group of lines, the cell round it: that
// on the near side of the first line west of the group's lowest vertex.
func (s *subdivision) joinOuter(of []int32, joined union) error {
	group := s.fan.groups()
	t := newTree(len(s.lines), func(i int32) box { return boxOf(s.lines[i].a, s.lines[i].b) })
	seen := make([]bool, s.fan.vertices())
	var near []int32
	for v := range s.fan.vertices() { // upwards, so a group's lowest vertex comes first
		if seen[group[v]] {
			continue
		}
		seen[group[v]] = true
		out := s.fan.around(v)
		p := s.fan.from(out[0])
		near = t.search(box{-1 << 31, p.Y, p.X, p.Y}, near[:0])
		if t.work += len(near); t.work > maxWork(len(s.lines)) {
			return fault.New(fault.Invalid, "too many separate pieces to be boundaries, near %v", p.Point())
		}
		around := int32(0)
		var first *line
		for _, i := range near {
			l := &s.lines[i]
			if l.a.Y <= p.Y && p.Y < l.b.Y && geo.Cross(l.a, l.b, p) < 0 && group[s.fan.vert[2*i]] != group[v] &&
				(first == nil || eastOf(l, first)) {
				first, around = l, of[2*i+1]
			}
		}
		joined.join(of[out[len(out)-1]], around)
	}
	return nil
}

// eastOf reports whether e lies east of f. They do not cross and some parallel
// meets both, below their upper ends.
func eastOf(e, f *line) bool {
	if e.a.Y > f.a.Y || e.a == f.a {
		if c := geo.Cross(f.a, f.b, e.a); c != 0 {
			return c < 0
		}
		return geo.Cross(f.a, f.b, e.b) < 0
	}
	if c := geo.Cross(e.a, e.b, f.a); c != 0 {
		return c > 0
	}
	return geo.Cross(e.a, e.b, f.b) > 0
}

// findStates carries the windings from the unbounded cell across the lines.
func (s *subdivision) findStates() error {
	s.table = newStateTable()
	s.state = make([]int32, s.cells)
	for c := range s.state {
		s.state[c] = -1
	}
	s.state[0] = 0
	start, halfs := s.byCell()
	queue := append(make([]int32, 0, s.cells), 0)
	for len(queue) > 0 {
		c := queue[0]
		queue = queue[1:]
		for _, h := range halfs[start[c]:start[c+1]] {
			d := s.cell[h^1]
			if s.state[d] >= 0 {
				continue
			}
			// h has c on its left; its twin is entered from the right.
			s.state[d] = s.table.step(s.state[c], s.lines[h>>1].claims, h&1 == 1)
			queue = append(queue, d)
		}
		if s.table.size > maxStates {
			return fault.New(fault.Invalid, "too many shapes lie on top of one another")
		}
	}
	return nil
}

// byCell sorts the half-edges by the cell on their left.
func (s *subdivision) byCell() (start, halfs []int32) {
	start = make([]int32, s.cells+1)
	for _, c := range s.cell {
		start[c+1]++
	}
	for c := range s.cells {
		start[c+1] += start[c]
	}
	halfs = make([]int32, len(s.cell))
	fill := slices.Clone(start)
	for h, c := range s.cell {
		halfs[fill[c]] = int32(h)
		fill[c]++
	}
	return start, halfs
}

// owners is the number of the owner set of cell c, 0 where nobody owns.
func (s *subdivision) owners(c int32) int32 { return s.table.owners[s.state[c]] }

// ownerSet are the indexes of the faces in an owner set, ascending.
func (s *subdivision) ownerSet(o int32) []int32 { return s.table.sets[o] }

// idsOf are the faces in an owner set, ascending.
func (s *subdivision) idsOf(o int32) []FaceID {
	set := s.table.sets[o]
	ids := make([]FaceID, len(set))
	for i, f := range set {
		ids[i] = s.faces[f]
	}
	return ids
}

// index is the place of face id in faces.
func (s *subdivision) index(id FaceID) int32 {
	i, _ := slices.BinarySearch(s.faces, id)
	return int32(i)
}

// stateTable numbers the different states and the different sets of owners.
type stateTable struct {
	index    map[string]int32
	states   [][]wind
	owners   []int32 // of each state, the number of its owner set
	setIndex map[string]int32
	sets     [][]int32
	size     int
	key      []byte
	next     []wind
}

func newStateTable() stateTable {
	return stateTable{
		index: map[string]int32{"": 0}, states: [][]wind{nil}, owners: []int32{0},
		setIndex: map[string]int32{"": 0}, sets: [][]int32{nil},
	}
}

// step is the state across a line from state from: to its left when toLeft,
// else to its right.
func (t *stateTable) step(from int32, claims []claim, toLeft bool) int32 {
	old := t.states[from]
	t.next = t.next[:0]
	for _, c := range claims {
		for len(old) > 0 && old[0].face < c.face {
			t.next, old = append(t.next, old[0]), old[1:]
		}
		turns := c.up - c.down
		if !toLeft {
			turns = -turns
		}
		if len(old) > 0 && old[0].face == c.face {
			turns, old = turns+old[0].turns, old[1:]
		}
		if turns != 0 {
			t.next = append(t.next, wind{c.face, turns})
		}
	}
	t.next = append(t.next, old...)
	t.key = t.key[:0]
	for _, w := range t.next {
		t.key = binary.LittleEndian.AppendUint32(t.key, uint32(w.face))
		t.key = binary.LittleEndian.AppendUint32(t.key, uint32(w.turns))
	}
	id, ok := t.index[string(t.key)]
	if !ok {
		id = int32(len(t.states))
		t.index[string(t.key)] = id
		t.states = append(t.states, slices.Clone(t.next))
		t.size += 1 + len(t.next)
		t.owners = append(t.owners, t.setOf(t.next))
	}
	return id
}

// setOf is the number of the owner set of a state.
func (t *stateTable) setOf(state []wind) int32 {
	t.key = t.key[:0]
	for _, w := range state {
		t.key = binary.LittleEndian.AppendUint32(t.key, uint32(w.face))
	}
	id, ok := t.setIndex[string(t.key)]
	if !ok {
		id = int32(len(t.sets))
		set := make([]int32, len(state))
		for i, w := range state {
			set[i] = w.face
		}
		t.setIndex[string(t.key)] = id
		t.sets = append(t.sets, set)
	}
	return id
}

// union is a set of disjoint sets; each is known by its least member.
type union []int32

func newUnion(n int) union {
	u := make(union, n)
	for i := range u {
		u[i] = int32(i)
	}
	return u
}

func (u union) find(i int32) int32 {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

func (u union) join(i, j int32) {
	i, j = u.find(i), u.find(j)
	u[max(i, j)] = min(i, j)
}
