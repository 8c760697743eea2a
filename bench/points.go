package main

import (
	"context"
	"fmt"

	"github.com/paulmach/orb"
)

// points is the figure of one lookup among 417 grids.
func points(_ context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	recorded, err := d.recorded()
	if err != nil {
		return err
	}
	if err := b.lookups(d, "random points in the district", d.random, 35, 35); err != nil {
		return err
	}
	// Where the district is not, a peer has no polygon to test.
	if err := b.lookups(d, "random points in the box around the district", d.box, 35, 0); err != nil {
		return err
	}
	if err := b.lookups(d, "along a walk, steps of 5–15 m", d.track, 20, 0); err != nil {
		return err
	}
	if recorded == nil {
		fmt.Println("\nNo recorded track is there to measure.")
		return nil
	}
	return b.lookups(d, "along a recorded track", recorded, 20, 0)
}

// scale is the figure of random lookups in greater districts.
func scale(_ context.Context, b *bench) error {
	for _, size := range []struct {
		scale  int
		target float64
	}{{4, 110}, {16, 170}} {
		if size.scale > 4 && !b.large {
			continue
		}
		d, err := b.district(size.scale)
		if err != nil {
			return err
		}
		if err := b.lookups(d, "random points in the district", d.random, size.target, 0); err != nil {
			return err
		}
		if size.scale > 4 { // some gigabytes
			delete(b.districts, size.scale)
		}
	}
	return nil
}

// explainedM is how far from a border a peer may differ from us: S2 draws
// borders as great circles, tzf rounds them to float32, and the others hold a
// point that we round to 1e-7 degree.
const explainedM = 1

// lookups prints one table. Ours is to take at most targetNS and, unless times
// is zero, to be so many times as fast as the best peer.
func (b *bench) lookups(d *district, where string, pts []orb.Point, targetNS, times float64) error {
	n := len(d.gen.Grids())
	t := table{
		title: fmt.Sprintf("Point lookup, %s grids of %d vertices, %s, one thread", number(float64(n)), 2*d.edges()/n, where),
		head:  []string{"", "ns, median", "ns, least", "target", "ours is faster", "same answers"},
	}
	ours := b.timeFinder(oursOf(d), pts)
	t.row(peers[0].name, number(ours.median()), number(ours.min()), atMost(ours.median(), targetNS))
	all := b.timeFinder(batch{d.index}, pts)
	t.row("Lianqin, LocateAll", number(all.median()), number(all.min()), "", "", agree(d.index, oursOf(d), pts, len(pts)).String())
	var medians []float64
	for _, p := range peers[1:] {
		if n > p.limit {
			continue
		}
		f, err := p.build(d.gen)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		a := agree(d.index, f, pts, 100_000)
		if err := a.tooFar(p.name, explainedM); err != nil {
			return err
		}
		s := b.timeFinder(f, pts)
		medians = append(medians, s.median())
		t.row(p.name, number(s.median()), number(s.min()), "", number(s.median()/ours.median())+" ×", a.String())
	}
	ratio := number(best(medians)/ours.median()) + " × the best peer"
	if times > 0 {
		ratio += ", " + atLeast(best(medians)/ours.median(), times)
	}
	t.rows[0] = append(t.rows[0], ratio)
	t.note("Processor time of the process, %d rounds. Each index is given the points one by one, LocateAll all at once.", 3*b.rounds)
	t.print()
	return nil
}

func oursOf(d *district) finder { return ours{d.index} }

// build is the figure of making the index and of what it holds.
func build(_ context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	t := table{
		title: fmt.Sprintf("Building the index of %d grids", len(d.gen.Grids())),
		head:  []string{"", "ms, median", "ms, least", "target", "MB held", "target"},
	}
	for i, p := range peers {
		s, err := processor(b.rounds, 1, func() error { _, err := p.build(d.gen); return err })
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		_, bytes, err := heap(func() (finder, error) { return p.build(d.gen) })
		if err != nil {
			return err
		}
		ms, least, mb := s.median()/1e6, s.min()/1e6, float64(bytes)/1e6
		if i == 0 {
			t.row(p.name, number(ms), number(least), atMost(ms, 30), number(mb), atMost(mb, 2))
		} else {
			t.row(p.name, number(ms), number(least), "", number(mb), "")
		}
	}
	t.note("Processor time; MB: growth of the heap by building. What a peer keeps of polygons that the generation already holds (orb's rings) is not counted twice.")
	t.print()
	return nil
}
