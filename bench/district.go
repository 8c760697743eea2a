package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
)

// district is a demonstration district and points to resolve in it.
type district struct {
	gen    *grid.Generation
	index  *locate.Index
	random []orb.Point // evenly all over the district
	box    []orb.Point // evenly all over the box around it
	track  []orb.Point // of a walk in steps of 5 to 15 m
}

// pointCount is a power of two so large that no branch predictor knows the
// points by heart.
const pointCount = 1 << 20

func (b *bench) district(scale int) (*district, error) {
	if d, ok := b.districts[scale]; ok {
		return d, nil
	}
	began := time.Now()
	gen, err := demonstration(scale)
	if err != nil {
		return nil, err
	}
	d := &district{gen: gen, index: locate.New(gen)}
	rnd := rand.New(rand.NewPCG(uint64(scale), 1))
	d.box, d.random = d.scatter(rnd, pointCount)
	d.track = d.walk(rnd, pointCount)
	fmt.Fprintf(os.Stderr, "district of %d grids made in %s\n", len(gen.Grids()), time.Since(began).Round(time.Second/10))
	b.districts[scale] = d
	return d, nil
}

// edges is the number of border edges, each counted once.
func (d *district) edges() int {
	n := 0
	for _, a := range d.gen.Partition().Arcs() {
		n += len(a.Points) - 1
	}
	return n
}

// scatter strews points evenly over the box around the district: the first n,
// and the first n that lie in the district.
func (d *district) scatter(rnd *rand.Rand, n int) (box, inside []orb.Point) {
	b := d.gen.Bound()
	for len(inside) < n {
		p := orb.Point{b.Min[0] + rnd.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + rnd.Float64()*(b.Max[1]-b.Min[1])}
		if len(box) < n {
			box = append(box, p)
		}
		if _, in := d.index.Locate(p); in {
			inside = append(inside, p)
		}
	}
	return box, inside
}

// walk goes from the middle of one grid to that of another, chosen at random,
// and on to the next, a little unsteadily.
func (d *district) walk(rnd *rand.Rand, n int) []orb.Point {
	grids := d.gen.Grids()
	at := grids[rnd.IntN(len(grids))].Label
	to := at
	out := make([]orb.Point, n)
	for i := range out {
		out[i] = at
		s := geo.ScaleAt(at[1])
		for s.DistanceM(at, to) < 20 {
			to = grids[rnd.IntN(len(grids))].Label
		}
		step := 5 + 10*rnd.Float64()
		way := math.Atan2((to[1]-at[1])*s.YM, (to[0]-at[0])*s.XM) + rnd.NormFloat64()*0.3
		at = orb.Point{at[0] + step*math.Cos(way)/s.XM, at[1] + step*math.Sin(way)/s.YM}
	}
	return out
}

// recorded is a person's real track, moved so that its middle is that of the
// district, without the points that then lie beyond it. Nil when the recording
// is not there.
func (d *district) recorded() ([]orb.Point, error) {
	f, err := os.Open("../../shared/data/real/geolife/geolife_sample.txt.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var all []orb.Point
	for in := bufio.NewScanner(z); in.Scan(); {
		lat, rest, _ := strings.Cut(in.Text(), ",")
		lon, _, _ := strings.Cut(rest, ",")
		y, err1 := strconv.ParseFloat(lat, 64)
		x, err2 := strconv.ParseFloat(lon, 64)
		if err1 != nil || err2 != nil {
			continue // the header
		}
		all = append(all, orb.Point{x, y})
	}
	if len(all) == 0 {
		return nil, errors.New("geolife_sample.txt.gz: no points")
	}
	mid, box := middle(all), d.gen.Bound()
	home := box.Center()
	var out []orb.Point
	for _, p := range all {
		if p = (orb.Point{p[0] - mid[0] + home[0], p[1] - mid[1] + home[1]}); box.Contains(p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// middle is the median longitude and latitude.
func middle(pts []orb.Point) orb.Point {
	var m orb.Point
	for axis := range m {
		v := make(sample, len(pts))
		for i, p := range pts {
			v[i] = p[axis]
		}
		m[axis] = v.median()
	}
	return m
}
