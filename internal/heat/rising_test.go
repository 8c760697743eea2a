package heat

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/geo"
)

var (
	town  = orb.Bound{Min: orb.Point{121.2, 31.35}, Max: orb.Point{121.23, 31.38}}
	today = newYear.AddDate(0, 6, 3)
)

// quiet fills an index with cases that have places and seasons, and nothing
// that joins the two: some corners have ten times the cases of others, and the
// town has half as many again in the later weeks.
func quiet(t testing.TB, r *rand.Rand, n int) *Index {
	x := newIndex(t, town)
	for id := range n {
		spot := geo.Coord{X: 1_212_000_000 + r.Int32N(300_000), Y: 313_500_000 + r.Int32N(300_000)}
		if r.IntN(3) == 0 { // the busy corner
			spot.X, spot.Y = 1_212_000_000+r.Int32N(60_000), 313_500_000+r.Int32N(60_000)
		}
		ago := time.Duration(r.Float64() * r.Float64() * float64(12*week))
		put(t, x, Case{ID: int64(id), At: today.Add(-time.Second - ago), Where: spot, Grid: []string{"west", "east"}[spot.X/150_000%2]})
	}
	return x
}

// TestFalseAlarms measures how often a town where nothing rises is said to
// have a cluster: as often as Alpha says. Over 600 towns at 0.05, 30 alarms are
// expected; fewer than 15 or more than 46 come by chance once in three hundred
// times, were the rate right.
func TestFalseAlarms(t *testing.T) {
	if testing.Short() {
		t.Skip("600 towns")
	}
	r := rand.New(rand.NewPCG(7, 8))
	alarms := 0
	const towns = 600
	for i := range towns {
		got, err := quiet(t, r, 600).Rising(Rising{Query: Query{To: today}, Replicas: 19, Seed: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 0 {
			alarms++
		}
	}
	t.Logf("%d false alarms in %d quiet towns: %.1f %%", alarms, towns, 100*float64(alarms)/towns)
	if alarms < 15 || alarms > 46 {
		t.Errorf("%d alarms in %d, expected about %d", alarms, towns, towns/20)
	}
}

// TestAClusterIsFound: in the last two weeks eighty cases more within 400 m,
// where a quiet fortnight has about seventeen.
func TestAClusterIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	x := quiet(t, r, 3000)
	at := geo.Coord{X: 1_212_200_000, Y: 313_700_000}
	for id := range 80 {
		put(t, x, Case{ID: int64(10_000 + id), At: today.Add(-time.Second - time.Duration(r.Int64N(int64(2*week)))),
			Where: geo.Coord{X: at.X + r.Int32N(42_000) - 21_000, Y: at.Y + r.Int32N(36_000) - 18_000}, Grid: "east"})
	}
	q := Rising{Query: Query{To: today}, Seed: 1}
	got, err := x.Rising(q)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) == 0 {
		t.Fatal("none found")
	}
	c := got[0]
	if c.P != 0.01 || geo.DistanceM(c.Center, at.Point()) > 300 || c.Weeks != 2 || !c.Since.Equal(today.Add(-2*week)) || c.Observed < 75 || c.Grid != "east" ||
		math.Abs(c.Ratio-float64(c.Observed)/c.Expected) > 1e-9 || c.Ratio < 1.5 {
		t.Errorf("got %+v", c)
	}
	for i, a := range got {
		for _, b := range got[:i] {
			if a.Bound.Intersects(b.Bound) {
				t.Errorf("%v and %v overlap", a.Bound, b.Bound)
			}
		}
	}
	again, err := x.Rising(q)
	if err != nil || !reflect.DeepEqual(got, again) {
		t.Error("the same seed deals otherwise")
	}
	// What is filtered away raises nothing.
	q.Grids = []string{"west"}
	if got, err := x.Rising(q); err != nil || len(got) > 0 {
		t.Errorf("among others: %+v, %v", got, err)
	}
}

// TestNothingToCompare: neither no cases nor a single one is a cluster.
func TestNothingToCompare(t *testing.T) {
	x := newIndex(t, town)
	for n := range 8 {
		if got, err := x.Rising(Rising{Query: Query{To: today}}); err != nil || got != nil {
			t.Errorf("%d cases in one place: %+v, %v", n, got, err)
		}
		put(t, x, Case{ID: int64(n), At: today.Add(-time.Hour), Where: geo.Coord{X: 1_212_200_000, Y: 313_700_000}})
	}
}
