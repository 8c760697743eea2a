package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

// TestDistanceAgainstVincenty takes Vincenty's inverse formula, good to under a
// millimetre, as the judge.
func TestDistanceAgainstVincenty(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for reach, tolerance := range map[float64]float64{0.0001: 0.001, 0.01: 0.001, 0.3: 0.001, 4: 0.001, 50: 0.006} { // degrees
		for range 2000 {
			a := orb.Point{121.2 + rnd.Float64()*0.2, 31.2 + rnd.Float64()*0.3}
			b := orb.Point{a[0] + (rnd.Float64()-0.5)*reach, a[1] + (rnd.Float64()-0.5)*reach}
			want := vincenty(a, b)
			if got := DistanceM(a, b); math.Abs(got-want) > want*tolerance+1e-6 {
				t.Fatalf("%v to %v: got %.4f m, want %.4f m", a, b, got, want)
			}
		}
	}
}

func TestDistanceAroundTheEarth(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b orb.Point
		want float64
	}{
		{"pole to pole", orb.Point{0, -90}, orb.Point{0, 90}, 20_004e3},
		{"to the South Pole", orb.Point{121.25, 31.4}, orb.Point{-180, -90}, 13_477e3},
		{"across the date line", orb.Point{179, 0}, orb.Point{-179, 0}, 222.6e3},
	} {
		if got := DistanceM(tt.a, tt.b); math.Abs(got-tt.want) > 0.006*tt.want {
			t.Errorf("%s: got %.0f m, want %.0f", tt.name, got, tt.want)
		}
	}
}

// TestAreaAgainstIntegration sums the ellipsoid's surface element over boxes of
// district size and takes a triangle as half of one.
func TestAreaAgainstIntegration(t *testing.T) {
	for _, tt := range []struct{ lon, lat, w, h float64 }{
		{121.1, 31.2, 0.3, 0.3}, {121.1, 31.2, 0.01, 0.01}, {-77, 39, 0.2, 0.1}, {10, 69, 0.5, 0.2}, {0, -0.1, 0.2, 0.2},
	} {
		want := 0.0
		const n = 2000
		for i := range n {
			lat := tt.lat + (float64(i)+0.5)*tt.h/n
			s := ScaleAt(lat)
			want += s.XM * tt.w * s.YM * tt.h / n
		}
		c := func(lon, lat float64) Coord {
			q, err := Quantise(orb.Point{lon, lat})
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		box := []Coord{c(tt.lon, tt.lat), c(tt.lon+tt.w, tt.lat), c(tt.lon+tt.w, tt.lat+tt.h), c(tt.lon, tt.lat+tt.h)}
		if got := RingAreaM2(box); math.Abs(got-want) > want*1e-4 {
			t.Errorf("%v: got %.1f m², want %.1f", tt, got, want)
		}
		back := []Coord{box[3], box[2], box[1], box[0], box[3]}
		if got := RingAreaM2(back); math.Abs(got+want) > want*1e-4 {
			t.Errorf("%v clockwise: got %.1f m², want %.1f", tt, got, -want)
		}
		if got := RingAreaM2(box[:3]); math.Abs(got-want/2) > want*0.002 {
			t.Errorf("%v, half of it: got %.1f m², want about %.1f", tt, got, want/2)
		}
	}
}

func vincenty(p, q orb.Point) float64 {
	if p == q {
		return 0
	}
	const rad = math.Pi / 180
	b := semiMajorM * (1 - flattening)
	u1, u2 := math.Atan((1-flattening)*math.Tan(p[1]*rad)), math.Atan((1-flattening)*math.Tan(q[1]*rad))
	l := (q[0] - p[0]) * rad
	lambda := l
	var sigma, sinSigma, cosSigma, cos2A, cos2M float64
	for range 100 {
		sl, cl := math.Sincos(lambda)
		sinSigma = math.Hypot(math.Cos(u2)*sl, math.Cos(u1)*math.Sin(u2)-math.Sin(u1)*math.Cos(u2)*cl)
		cosSigma = math.Sin(u1)*math.Sin(u2) + math.Cos(u1)*math.Cos(u2)*cl
		sigma = math.Atan2(sinSigma, cosSigma)
		sinA := math.Cos(u1) * math.Cos(u2) * sl / sinSigma
		cos2A = 1 - sinA*sinA
		cos2M = cosSigma - 2*math.Sin(u1)*math.Sin(u2)/cos2A
		c := flattening / 16 * cos2A * (4 + flattening*(4-3*cos2A))
		next := l + (1-c)*flattening*sinA*(sigma+c*sinSigma*(cos2M+c*cosSigma*(2*cos2M*cos2M-1)))
		if math.Abs(next-lambda) < 1e-13 {
			break
		}
		lambda = next
	}
	uu := cos2A * (semiMajorM*semiMajorM - b*b) / (b * b)
	ka := 1 + uu/16384*(4096+uu*(-768+uu*(320-175*uu)))
	kb := uu / 1024 * (256 + uu*(-128+uu*(74-47*uu)))
	ds := kb * sinSigma * (cos2M + kb/4*(cosSigma*(2*cos2M*cos2M-1)-kb/6*cos2M*(4*sinSigma*sinSigma-3)*(4*cos2M*cos2M-3)))
	return b * ka * (sigma - ds)
}
