package demo

// dice are random numbers that depend on nothing but their keys, so that a
// part of the district comes out the same in whatever order parts are made.
type dice struct{ state uint64 }

func throw(keys ...uint64) *dice { return &dice{mix(keys...)} }

// mix folds keys into one by the finaliser of SplitMix64 (Steele, Lea and
// Flood 2014).
func mix(keys ...uint64) uint64 {
	h := uint64(0)
	for _, k := range keys {
		h = scramble(h ^ k + 0x9e3779b97f4a7c15)
	}
	return h
}

func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return scramble(d.state)
}

// below is one of 0 … n-1.
func (d *dice) below(n int) int { return int(d.next() >> 1 % uint64(n)) }

// around is one of 1000-spread … 1000+spread: a factor in thousandths.
func (d *dice) around(spread int) int64 { return int64(1000 - spread + d.below(2*spread+1)) }

// one is 1 in the fixed point of wave.
const one = 1 << 16

// wave is a smooth random function of t, both in sixteenths of 2^-16: it takes
// a random value in [-one, one] at each whole t and runs between them as a
// Catmull–Rom spline, so it may leave that range by an eighth.
func wave(seed uint64, t int64) int64 {
	i, f := t>>16, t&(one-1)
	at := func(i int64) int64 { return int64(mix(seed, uint64(i))&(2*one-1)) - one }
	p0, p1, p2, p3 := at(i-1), at(i), at(i+1), at(i+2)
	v := 3*p1 - p0 - 3*p2 + p3
	v = v*f>>16 + 2*p0 - 5*p1 + 4*p2 - p3
	v = v*f>>16 + p2 - p0
	return (v*f>>16 + 2*p1) / 2
}
