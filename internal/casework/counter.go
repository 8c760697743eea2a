package casework

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"time"
)

// Tally computes all figures from all facts there are.
func Tally(q Query, facts iter.Seq[*Fact]) (*Figures, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	n, named := newCounter(q), &naming{}
	for f := range facts {
		if q.Filter.passes(f) {
			k := named.keys(f)
			n.add(&f.Instants, &k, f.Cycle == 1)
		}
	}
	return n.figures(named), nil
}

// keys are the places of a fact's values in the names of their dimensions, by
// place in Dimensions. Those of the district and of spans of time are not
// used; a topic's are its item's.
type keys [8]uint32

// Places in Dimensions and in keys.
const (
	itemwise  = 4
	topicwise = 7
)

// names numbers the values of a dimension as they come.
type names struct {
	all []string
	at  map[string]uint32
}

func (n *names) number(s string) uint32 {
	i, ok := n.at[s]
	if !ok {
		if n.at == nil {
			n.at = map[string]uint32{}
		}
		i = uint32(len(n.all))
		n.all, n.at[s] = append(n.all, s), i
	}
	return i
}

// naming are the names of all dimensions, by place in Dimensions.
type naming [7]names

func (n *naming) keys(f *Fact) keys {
	item := n[itemwise].number(f.Item)
	return keys{0, n[1].number(f.Street), n[2].number(f.Grid), n[3].number(f.Department), item, n[5].number(f.Major), n[6].number(string(f.Channel)), item}
}

// counter counts facts that are alike, for each dimension and key; what they
// count in is worked out at the end.
type counter struct {
	q              Query
	from, to, asOf int64
	hour           int64 // -1 for any
	by             []breakdown
	kinds          []kind
	numbers        map[uint64]int32 // of kinds, by traits and bases
	last           uint64           // looked up last, and its number
	lastNumber     int32
	firstDay       int64
	months         []uint32 // of the days of the window, as year × 12 + month
}

// kind is what facts that are alike have in common.
type kind struct {
	traits trait
	bases  uint8        // on which they are in the window
	alone  [bases]int32 // the kind with one of these bases only, for spans of time; 0 is not known, or a number plus 1
}

// breakdown counts for one dimension, or a pair.
type breakdown struct {
	name   Dimension
	parts  [2]int // places in Dimensions; -1 for no second
	timed  bool
	plain  [][]int32          // of one dimension: by key less origin, then by kind
	origin uint64             // the window's first span of time
	sparse map[uint64][]int32 // of a pair by both keys; and of one what lies outside of plain
}

// mostPlain bounds the keys of plain: those of ten years of days.
const mostPlain = 1 << 12

func newCounter(q Query) *counter {
	n := &counter{q: q, from: q.From.UnixMilli(), to: q.To.UnixMilli(), asOf: q.AsOf.UnixMilli(), hour: -1, numbers: map[uint64]int32{}, last: ^uint64(0)}
	if h := q.Filter.Hour; h != "" {
		n.hour = int64(h[0]-'0')*10 + int64(h[1]-'0')
	}
	for _, d := range q.By {
		first, second := d.Parts()
		b := breakdown{name: d, parts: [2]int{slices.Index(Dimensions, first), slices.Index(Dimensions, second)}, timed: first.inTime() || second.inTime(),
			sparse: map[uint64][]int32{}}
		switch first {
		case PerMonth:
			b.origin = monthOf(dayOf(n.from))
		case PerDay:
			b.origin = uint64(dayOf(n.from))
		}
		n.by = append(n.by, b)
	}
	n.firstDay = dayOf(n.from)
	for day := n.firstDay; day <= dayOf(n.to); day++ {
		n.months = append(n.months, uint32(monthOf(day)))
	}
	return n
}

// judge is what f has, on which bases it is in the window, and when.
func (n *counter) judge(f *Instants, first bool) (trait, uint8, [bases]int64) {
	traits, at := f.judge(n.asOf, first)
	var in uint8
	for i, t := range at {
		if t != 0 && t <= n.asOf && (t >= n.from && t < n.to || basis(i) == atAsOf) && (n.hour < 0 || hourOf(t) == n.hour) {
			in |= 1 << i
		}
	}
	return traits, in, at
}

func (n *counter) number(traits trait, in uint8) int32 {
	key := uint64(traits)<<8 | uint64(in)
	if key == n.last {
		return n.lastNumber
	}
	i, ok := n.numbers[key]
	if !ok {
		i = int32(len(n.kinds))
		n.kinds = append(n.kinds, kind{traits: traits, bases: in})
		n.numbers[key] = i
	}
	n.last, n.lastNumber = key, i
	return i
}

func (n *counter) add(f *Instants, k *keys, first bool) {
	traits, in, at := n.judge(f, first)
	if in == 0 {
		return
	}
	number := n.number(traits, in)
	timed := false
	for i := range n.by {
		b := &n.by[i]
		if b.timed {
			timed = true
		} else {
			b.count(b.key(0, k), b.key(1, k), number)
		}
	}
	if !timed {
		return
	}
	for rest := in; rest != 0; rest &= rest - 1 {
		basis := bits.TrailingZeros8(rest)
		alone, day := n.alone(number, basis), dayOf(at[basis])
		spans := [...]uint64{n.month(day), uint64(day), uint64(hourOf(at[basis]))}
		for i := range n.by {
			b := &n.by[i]
			if !b.timed {
				continue
			}
			key := [2]uint64{}
			for part, dimension := range b.parts {
				if dimension > topicwise {
					key[part] = spans[dimension-topicwise-1]
				} else {
					key[part] = b.key(part, k)
				}
			}
			b.count(key[0], key[1], alone)
		}
	}
}

// alone is kind number with one of its bases.
func (n *counter) alone(number int32, basis int) int32 {
	if i := n.kinds[number].alone[basis]; i > 0 {
		return i - 1
	}
	i := n.number(n.kinds[number].traits, 1<<basis)
	n.kinds[number].alone[basis] = i + 1
	return i
}

// key is that of a part that is not of time, 0 for none.
func (b *breakdown) key(part int, k *keys) uint64 {
	if b.parts[part] < 0 {
		return 0
	}
	return uint64(k[b.parts[part]])
}

// month is monthOf a day, looked up where the window has it.
func (n *counter) month(day int64) uint64 {
	if i := day - n.firstDay; i >= 0 && i < int64(len(n.months)) {
		return uint64(n.months[i])
	}
	return monthOf(day)
}

const (
	zoneMillis = 8 * 3_600_000 // grid.Zone, which has no other time in summer
	dayMillis  = 24 * 3_600_000
)

func hourOf(at int64) int64 { return (at + zoneMillis) / 3_600_000 % 24 }
func dayOf(at int64) int64  { return (at + zoneMillis) / dayMillis }

// monthOf is the month that a day is of, as year × 12 + month from 0.
func monthOf(day int64) uint64 {
	y, m, _ := time.UnixMilli(day * dayMillis).UTC().Date()
	return uint64(y*12 + int(m) - 1)
}

func (b *breakdown) count(key, also uint64, number int32) {
	if i := key - b.origin; b.parts[1] < 0 && i < mostPlain {
		if i >= uint64(len(b.plain)) {
			b.plain = append(b.plain, make([][]int32, i+1-uint64(len(b.plain)))...)
		}
		tick(&b.plain[i], number)
		return
	}
	at := key<<32 | also
	c := b.sparse[at]
	before := len(c)
	if tick(&c, number); len(c) != before {
		b.sparse[at] = c
	}
}

func tick(c *[]int32, number int32) {
	if int(number) >= len(*c) {
		*c = append(*c, make([]int32, int(number)+1-len(*c))...)
	}
	(*c)[number]++
}

// nameOf is what a key of the pair's part is called.
func (b *breakdown) nameOf(part int, key uint64, named *naming) string {
	at := b.parts[part]
	if at <= 0 {
		return ""
	}
	switch Dimensions[at] {
	case PerMonth:
		return fmt.Sprintf("%04d-%02d", key/12, key%12+1)
	case PerDay:
		return time.UnixMilli(int64(key) * dayMillis).UTC().Format(time.DateOnly)
	case PerHour:
		return fmt.Sprintf("%02d", key)
	case PerTopic:
		at = itemwise
	}
	return named[at].all[key]
}

func (n *counter) figures(named *naming) *Figures {
	out := &Figures{From: n.q.From, To: n.q.To, AsOf: n.q.AsOf, Rules: IndicatorRules, By: map[Dimension][]Line{}}
	parts := n.countedIn()
	for i := range n.by {
		b := &n.by[i]
		cells := map[[2]string][]int32{}
		if b.name == WholeDistrict {
			cells[[2]string{}] = nil // even if there is nothing to tell
		}
		enter := func(key, also uint64, c []int32) {
			if len(c) == 0 {
				return
			}
			at := [2]string{b.nameOf(0, key, named), b.nameOf(1, also, named)}
			for part := range at {
				if b.parts[part] != topicwise {
					continue
				}
				for _, t := range n.q.Topics {
					if slices.Contains(t.Items, at[part]) {
						of := at
						of[part] = t.Code
						cells[of] = together(cells[of], c)
					}
				}
				return
			}
			cells[at] = together(cells[at], c)
		}
		for key, c := range b.plain {
			enter(uint64(key)+b.origin, 0, c)
		}
		for key, c := range b.sparse {
			enter(key>>32, key&(1<<32-1), c)
		}
		lines := make([]Line, 0, len(cells))
		for at, c := range cells {
			lines = append(lines, Line{Key: at[0], Also: at[1], Figures: n.figuresOf(c, parts)})
		}
		slices.SortFunc(lines, byKey)
		out.By[b.name] = lines
	}
	return out
}

func together(sum, c []int32) []int32 {
	if len(c) > len(sum) {
		sum = append(sum, make([]int32, len(c)-len(sum))...)
	}
	for i, n := range c {
		sum[i] += n
	}
	return sum
}

// countedIn says of each kind in which denominators it counts and in which
// numerators, a bit for each indicator; a count counts in both.
func (n *counter) countedIn() [][2]uint32 {
	out := make([][2]uint32, len(n.kinds))
	for i, k := range n.kinds {
		out[i][0], out[i][1] = countedIn(k.traits, k.bases)
	}
	return out
}

func countedIn(traits trait, in uint8) (den, num uint32) {
	for i := range Indicators {
		d := &Indicators[i]
		if in>>d.on&1 != 0 && traits&d.of == d.of {
			den |= 1 << i
			if traits&d.num == d.num {
				num |= 1 << i
			}
		}
	}
	return den, num
}

func (n *counter) figuresOf(c []int32, parts [][2]uint32) []Figure {
	out := make([]Figure, len(Indicators))
	for i, d := range Indicators {
		f := Figure{Indicator: d.Code, AsOf: n.q.AsOf, Rules: IndicatorRules}
		for number, times := range c {
			f.Denominator += int64(times) * int64(parts[number][0]>>i&1)
			f.Numerator += int64(times) * int64(parts[number][1]>>i&1)
		}
		if d.Count {
			f.Denominator = 0
		}
		out[i] = f
	}
	return out
}
