package patrol

import (
	"math"
	"math/rand/v2"
	"testing"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// TestSentinel lets guards do their rounds, each in a grid of its own, and has
// it find the devices that send GCJ-02, and no other, whatever a round is.
func TestSentinel(t *testing.T) {
	x := town(t, 1, 5)
	const home = grid.ID(13) // in the middle
	west, south := 2*gridM, 2*townSide/geo.UnitsPerDegree*townScale.YM
	heightM := townSide / geo.UnitsPerDegree * townScale.YM
	for _, tt := range []struct {
		name  string
		round func(second float64) (eastM, northM float64) // within the grid
		honest,
		gcj02 bool // is a device suspected that is honest, or sends GCJ-02?
	}{
		{"all over the grid", func(s float64) (float64, float64) {
			return gridM * (0.5 + 0.45*math.Sin(s/400)), heightM * (0.5 + 0.45*math.Sin(s/277))
		}, false, true},
		{"along its borders", func(s float64) (float64, float64) {
			side, along := math.Mod(s/900, 4), math.Mod(s/900, 1)
			return []float64{gridM * along, gridM, gridM * (1 - along), 0}[int(side)], []float64{0, heightM * along, heightM, heightM * (1 - along)}[int(side)]
		}, false, true},
		{"one street in the west of it", func(s float64) (float64, float64) {
			return gridM * 0.1, heightM * (0.5 + 0.45*math.Sin(s/400))
		}, false, true},
		{"one street in the east of it", func(s float64) (float64, float64) {
			return gridM * 0.8, heightM * (0.5 + 0.45*math.Sin(s/400))
		}, false, true},
		{"a post just outside, on the side to which GCJ-02 leads", func(s float64) (float64, float64) {
			return gridM + 100, heightM * 0.5
		}, false, false},
		{"in the grid next to it for a fifth of the time", func(s float64) (float64, float64) {
			away := 0.0
			if math.Mod(s, 3000) > 2400 {
				away = gridM
			}
			return away + gridM*(0.5+0.45*math.Sin(s/400)), heightM * (0.5 + 0.45*math.Sin(s/277))
		}, false, true},
	} {
		for _, sends := range []struct {
			name  string
			datum geo.Datum
			want  bool
		}{{"honest", geo.WGS84, tt.honest}, {"GCJ-02", geo.GCJ02, tt.gcj02}} {
			rnd := rand.New(rand.NewPCG(1, 2))
			var s sentinel
			arose := 0
			for second := 0.0; second < 4*3600; second += 5 {
				e, n := tt.round(second)
				f := seen(1, second, west+e+rnd.NormFloat64()*8, south+n+rnd.NormFloat64()*8, 8)
				pos, err := geo.Quantise(sends.datum.FromWGS84(f.Pos.Point()))
				if err != nil {
					t.Fatal(err)
				}
				f.Pos = pos
				if s.sample(x, []grid.ID{home}, &f) {
					arose++
				}
			}
			want := 0
			if sends.want {
				want = 1
			}
			if s.suspects != sends.want || arose != want {
				t.Errorf("%s, %s: suspected %v, which arose %d times; %d samples, %d as sent, %d as GCJ-02", tt.name, sends.name, s.suspects, arose, s.samples, s.asSent, s.asGCJ02)
			}
		}
	}
}

func TestSentinelForgetsOnceTheDeviceIsSetRight(t *testing.T) {
	x := town(t, 1, 5)
	heightM := townSide / geo.UnitsPerDegree * townScale.YM
	var s sentinel
	second := 0.0
	walk := func(datum geo.Datum, hours float64) {
		for end := second + hours*3600; second < end; second += 10 {
			f := seen(1, second, gridM*(2.5+0.45*math.Sin(second/400)), heightM*(2.5+0.45*math.Sin(second/277)), 8)
			pos, err := geo.Quantise(datum.FromWGS84(f.Pos.Point()))
			if err != nil {
				t.Fatal(err)
			}
			f.Pos = pos
			s.sample(x, []grid.ID{13}, &f)
		}
	}
	walk(geo.GCJ02, 1)
	if !s.suspects {
		t.Error("not suspected")
	}
	walk(geo.WGS84, 3)
	if s.suspects {
		t.Errorf("still suspected: %d samples, %d as sent, %d as GCJ-02", s.samples, s.asSent, s.asGCJ02)
	}
}
