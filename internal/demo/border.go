package demo

import "lianqin/internal/geo"

// course is the manner in which a border wanders from one end to the other.
type course struct {
	stepMM  int64 // between vertices, about
	reachMM int64 // longest wave
	swing   int64 // amplitude of the longest wave, in thousandths of its length
	keep    int64 // share of that ratio that the next shorter wave keeps, in thousandths
	meander int64 // amplitude of the waves of 6 to 20 steps, likewise
}

// roadCourse bends gently; riverCourse meanders.
func roadCourse(stepMM, reachMM int64) course {
	return course{stepMM: stepMM, reachMM: reachMM, swing: 130, keep: 780, meander: 30}
}

func riverCourse(stepMM, reachMM int64) course {
	return course{stepMM: stepMM, reachMM: reachMM, swing: 170, keep: 860, meander: 150}
}

// wander draws a border from a to b: a sum of random waves, each half as long
// as the one before, laid across the straight line. It is the graph of a
// function along that line and so cannot cross itself. Damp, in thousandths,
// scales the waves; at zero the border is straight.
func wander(a, b geo.Coord, c course, seed uint64, damp int64) []geo.Coord {
	d := between(a, b)
	length := d.length()
	n := int(length * (1000 + damp*c.meander/700 + damp*60/1000) / 1000 / c.stepMM)
	path := make([]geo.Coord, 0, n+1)
	path = append(path, a)
	jitter := throw(seed, 1)
	for k := 1; k < n; k++ {
		s := length * int64(k) / int64(n)
		s += length / int64(n) * (jitter.around(220) - 1000) / 1000
		off := int64(0)
		for w, depth := min(length*2/3, c.reachMM), uint64(0); w > 3*c.stepMM; w, depth = w/2, depth+1 {
			off += c.amplitude(w, depth) * wave(mix(seed, 2, depth), s*one/w) / one * taper(s, length, w) / 1000
		}
		off = off * damp / 1000
		path = append(path, shift(a, span{d.X*s/length - d.Y*off/length, d.Y*s/length + d.X*off/length}))
	}
	return append(path, b)
}

// amplitude of the wave of length w, in millimetres.
func (c course) amplitude(w int64, depth uint64) int64 {
	ratio := c.swing
	for range depth {
		ratio = ratio * c.keep / 1000
	}
	if w >= 6*c.stepMM && w < 20*c.stepMM {
		ratio = max(ratio, c.meander)
	}
	return w * ratio / 1000
}

// taper brings the wave of length w to rest at both ends of the line.
func taper(s, length, w int64) int64 { return min(1000, min(s, length-s)*1600/w) }
