package geo

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
)

// TestToWGS84UndoesFromWGS84 sweeps China: within 1 cm everywhere.
func TestToWGS84UndoesFromWGS84(t *testing.T) {
	for _, d := range []Datum{WGS84, GCJ02, BD09} {
		worst := 0.0
		for lon := 73.66; lon < 135.1; lon += 0.137 {
			for lat := 18.1; lat < 53.6; lat += 0.119 {
				p := orb.Point{lon, lat}
				worst = max(worst, DistanceM(p, d.ToWGS84(d.FromWGS84(p))))
			}
		}
		if worst > 0.01 {
			t.Errorf("%s: %.4f m off at worst, want 0.01", d, worst)
		}
	}
}

// TestKnownOffsets holds the forward forms against positions published with
// their offsets, and against the measured size of the offset in Jiading.
func TestKnownOffsets(t *testing.T) {
	seat := orb.Point{121.247, 31.383}
	g := GCJ02.FromWGS84(seat)
	if d := DistanceM(seat, g); d < 473 || d > 487 {
		t.Errorf("GCJ-02 is %.1f m off in Jiading, want 473 to 487", d)
	}
	s := ScaleAt(seat[1])
	bearing := math.Mod(math.Atan2((g[0]-seat[0])*s.XM, (g[1]-seat[1])*s.YM)*180/math.Pi+360, 360)
	if math.Abs(bearing-117) > 2 {
		t.Errorf("the offset points to %.1f°, want about 117°", bearing)
	}
	// Tiananmen in the three datums, as map providers' documentation has it.
	wgs, gcj, bd := orb.Point{116.391349, 39.907375}, orb.Point{116.397593, 39.908776}, orb.Point{116.403969, 39.915117}
	if d := DistanceM(GCJ02.FromWGS84(wgs), gcj); d > 2 {
		t.Errorf("GCJ-02 of Tiananmen is %.2f m off", d)
	}
	if d := DistanceM(BD09.ToWGS84(BD09.FromWGS84(wgs)), wgs); d > 0.01 {
		t.Errorf("BD-09 of Tiananmen comes back %.3f m off", d)
	}
	if d := DistanceM(gcjToBD(gcj), bd); d > 5 {
		t.Errorf("BD-09 of Tiananmen is %.2f m off", d)
	}
}

func TestOutsideChinaNothingMoves(t *testing.T) {
	p := orb.Point{-76.6, 39.3}
	if got := GCJ02.ToWGS84(p); got != p {
		t.Errorf("got %v", got)
	}
}

func TestParseDatum(t *testing.T) {
	for in, want := range map[string]Datum{"": WGS84, "wgs84": WGS84, "cgcs2000": WGS84, "gcj02": GCJ02, "bd09": BD09} {
		if got, err := ParseDatum(in); got != want || err != nil {
			t.Errorf("%q: got %v, %v", in, got, err)
		}
	}
	if _, err := ParseDatum("wgs-84"); err == nil {
		t.Error("wgs-84 was accepted")
	}
}
