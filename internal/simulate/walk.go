package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// How patrols move. Walking speeds are those of adults on errands; the
// greatest driving speed is what a town street allows.
const (
	slowWalkMPS, fastWalkMPS   = 1.2, 1.6
	slowDriveMPS, fastDriveMPS = 5.0, 14.0

	// Who walks along a border keeps to one of its pavements, who drives to
	// the right-hand lanes: metres from the border, which runs in the middle
	// of the street.
	nearPavementM, farPavementM = 8.0, 20.0
	nearLaneM, farLaneM         = 3.0, 12.0

	// At each vertex of a border, about every 36 m.
	crossOver = 0.04 // out of the own grid over the street
	crossBack = 0.15
	stopWalk  = 0.02 // to look at something
	stopDrive = 0.004
	// At each end of a border: through the own grid to another one.
	cutThrough = 0.25
)

// Unit is whoever carries a device.
type Unit struct {
	Code   string
	Street string    // code; where it drives when it has no beat
	Grids  []grid.ID // its beat; none goes everywhere in its street
	Drives bool
	// Duty is the first shift that ends after an instant.
	Duty func(after time.Time) Shift
}

// Shift is a time on duty, [From, To). Who is Stationed stays around the seat
// of the street.
type Shift struct {
	From, To  time.Time
	Stationed bool
}

// Always is the Duty of a unit that is on duty from then on, for good.
func Always(from time.Time) func(time.Time) Shift {
	return func(time.Time) Shift { return Shift{From: from, To: from.AddDate(10, 0, 0)} }
}

// leg is a straight move, or a stay, during [from, to) in Unix milliseconds.
type leg struct {
	from, to int64
	a, b     geo.Coord
	speed    float64 // metres a second
	heading  float64 // degrees, clockwise from north
}

// at is the true position at ms, rounded to whole units: by integers alone.
func (l *leg) at(ms int64) geo.Coord {
	n, d := ms-l.from, l.to-l.from
	return geo.Coord{X: l.a.X + part(l.b.X-l.a.X, n, d), Y: l.a.Y + part(l.b.Y-l.a.Y, n, d)}
}

func part(v int32, n, d int64) int32 {
	p := 2*int64(v)*n + d
	q := p / (2 * d)
	if p%(2*d) < 0 {
		q--
	}
	return int32(q)
}

// step is one thing to do next.
type step struct {
	to    spot
	speed float64
	wait  time.Duration // instead of moving
}

// walker is one unit on one shift: an endless row of legs.
type walker struct {
	roads *Roads
	dice  *rand.Rand
	unit  *Unit
	shift Shift
	leg   leg
	here  spot
	todo  []step
	way   way     // along which it goes
	beat  grid.ID // around which it walks; None when it drives
	side  float64 // metres to the left of the way: negative is over the street
	speed float64
}

// newWalker puts a unit where its shift begins, which depends on nothing but
// the seed, the unit and the shift.
func newWalker(r *Roads, u *Unit, seed, key uint64, sh Shift) *walker {
	w := &walker{roads: r, unit: u, shift: sh, dice: dice(seed, 1, key, uint64(sh.From.UnixMilli()))}
	w.here = w.start()
	c := r.coord(w.here)
	w.leg = leg{from: sh.From.UnixMilli(), to: sh.From.UnixMilli(), a: c, b: c}
	w.next()
	return w
}

func (w *walker) start() spot {
	home, hasHome := w.roads.homes[w.unit.Street]
	ways := w.roads.by[w.unit.Street]
	switch {
	case w.shift.Stationed && hasHome:
		return home
	case len(w.unit.Grids) > 0 && len(w.roads.sides[w.unit.Grids[0]]) > 0:
		w.beat = w.unit.Grids[w.dice.IntN(len(w.unit.Grids))]
		ways = w.roads.sides[w.beat]
	case len(ways) == 0:
		w.way = way{int32(w.dice.IntN(len(w.roads.arcs))), false}
		return w.beginning()
	}
	w.way = ways[w.dice.IntN(len(ways))]
	return w.beginning()
}

// beginning chooses the side and pace for the way and is where it begins.
func (w *walker) beginning() spot {
	w.pace()
	return w.roads.beside(w.way, 0, w.side)
}

func (w *walker) pace() {
	if w.unit.Drives {
		w.side = -between(w.dice, nearLaneM, farLaneM)
		w.speed = between(w.dice, slowDriveMPS, fastDriveMPS)
		return
	}
	w.side = between(w.dice, nearPavementM, farPavementM)
	w.speed = between(w.dice, slowWalkMPS, fastWalkMPS)
}

// next goes on to the next leg.
func (w *walker) next() {
	for {
		for len(w.todo) == 0 {
			w.plan()
		}
		s := w.todo[0]
		w.todo = w.todo[1:]
		l := leg{from: w.leg.to, a: w.leg.b, b: w.leg.b, heading: w.leg.heading}
		if s.wait > 0 {
			l.to = l.from + s.wait.Milliseconds()
			w.leg = l
			return
		}
		d := w.here.distance(s.to)
		// Rounded up, so that no leg is faster than it says.
		if ms := int64(math.Ceil(d / s.speed * 1000)); ms > 0 {
			l.b, l.to, l.speed = w.roads.coord(s.to), l.from+ms, s.speed
			l.heading = math.Mod(math.Atan2(s.to.x-w.here.x, s.to.y-w.here.y)*180/math.Pi+360, 360)
			w.leg, w.here = l, s.to
			return
		}
	}
}

// plan thinks of something to do.
func (w *walker) plan() {
	switch {
	case w.shift.Stationed:
		w.stayAround()
	case w.beat != grid.None:
		w.walkRound()
	default:
		w.driveOn()
	}
}

// stayAround strolls about the seat.
func (w *walker) stayAround() {
	home, ok := w.roads.homes[w.unit.Street]
	if !ok {
		home = w.here
	}
	to := home.offset(w.dice.NormFloat64()*40, w.dice.NormFloat64()*40)
	w.todo = append(w.todo, step{to: to, speed: slowWalkMPS}, step{wait: time.Duration(between(w.dice, 2, 20) * float64(time.Minute))})
}

// walkRound walks along one border of the beat, now and then on the far side of
// the street, then around the corner or through the beat to another.
func (w *walker) walkRound() {
	inside := w.side
	for i := range w.roads.len(w.way) {
		w.todo = append(w.todo, step{to: w.roads.beside(w.way, i, w.side), speed: w.speed})
		switch {
		case chance(w.dice, stopWalk):
			w.todo = append(w.todo, step{wait: time.Duration(between(w.dice, 20, 240) * float64(time.Second))})
		case w.side > 0 && chance(w.dice, crossOver):
			w.side = -between(w.dice, nearPavementM, farPavementM)
		case w.side < 0 && chance(w.dice, crossBack):
			w.side = inside
		}
	}
	around, ok := w.roads.rings[w.beat][w.roads.at(w.way, w.roads.len(w.way)-1)]
	w.pace()
	if !ok || chance(w.dice, cutThrough) {
		w.cut()
		return
	}
	w.way = around
}

// cut goes through the beat, or a neighbouring part of it, to the beginning
// of another of its borders.
func (w *walker) cut() {
	if n := len(w.unit.Grids); n > 1 {
		if next := w.unit.Grids[w.dice.IntN(n)]; len(w.roads.sides[next]) > 0 {
			w.beat = next
		}
	}
	core := w.roads.cores[w.beat]
	ways := w.roads.sides[w.beat]
	w.way = ways[w.dice.IntN(len(ways))]
	w.todo = append(w.todo,
		step{to: core.offset(w.dice.NormFloat64()*60, w.dice.NormFloat64()*60), speed: w.speed},
		step{wait: time.Duration(between(w.dice, 5, 120) * float64(time.Second))})
}

// driveOn drives along one border, then into another of the street that meets
// it, seldom back.
func (w *walker) driveOn() {
	r := w.roads
	for i := range r.len(w.way) {
		w.todo = append(w.todo, step{to: r.beside(w.way, i, w.side), speed: w.speed})
		if chance(w.dice, stopDrive) {
			kerb := -between(w.dice, nearPavementM, farLaneM+2)
			w.todo = append(w.todo, step{to: r.beside(w.way, i, kerb), speed: slowDriveMPS}, step{wait: time.Duration(between(w.dice, 0.5, 10) * float64(time.Minute))})
		}
	}
	w.pace()
	ways := r.leaving(w.way)
	reverse := way{w.way.arc, !w.way.back}
	// Any of them, but rather one of the own street, and rather not back.
	best, bestScore := reverse, -1.0
	for _, next := range ways {
		score := w.dice.Float64()
		if r.touches(next, w.unit.Street) {
			score += 2
		}
		if next == reverse {
			score -= 1
		}
		if score > bestScore {
			best, bestScore = next, score
		}
	}
	w.way = best
}
