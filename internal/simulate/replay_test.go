package simulate

import (
	"compress/gzip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

func TestReplayShiftsInPlaceAndTime(t *testing.T) {
	const file = "lat,lng,datetime,uid\n39.0,116.0,2008-10-23 05:53:05,b\n39.001,116.0,2008-10-23 05:53:10,b\n" +
		"39.002,116.0,2008-10-23 09:53:10,b\n39.001,116.001,1224712385,a\n"
	p, err := ReadReplay(strings.NewReader(file), ReplayOptions{Begin: begin, To: &orb.Point{121.25, 31.38}, MaxGap: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var at []time.Duration
	var points []orb.Point
	for {
		due, more := p.Peek()
		if !more {
			break
		}
		r := p.Next()
		got, at, points = append(got, p.Units()[r.Unit]), append(at, due.Sub(begin)), append(points, r.Pos.Point())
	}
	if diff := cmp.Diff([]string{"b", "a", "b", "b"}, got); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{0, 0, 5 * time.Second, 65 * time.Second}, at); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
	if d := geo.DistanceM(points[0], points[2]); d < 110.9 || d > 111.2 {
		t.Errorf("0.001° of latitude became %.2f m", d)
	}
	if d := geo.DistanceM(points[2], orb.Point{121.25, 31.38}); d > 90 {
		t.Errorf("the middle lies %.0f m off", d)
	}
}

func TestReplayNamesWhatItCannotRead(t *testing.T) {
	for _, tt := range []struct{ name, file, field, text string }{
		{"no column", "unit,time,lon\n", "lat", ""},
		{"no number", "unit,time,lon,lat\na,1700000000,x,31\n", "lon", "line 2"},
		{"out of range", "unit,time,lon,lat\na,1700000000,121,31\na,1700000000,121,91\n", "lat", "line 3"},
		{"no time", "unit,time,lon,lat\na,yesterday,121,31\n", "time", "line 2"},
		{"too few fields", "unit,time,lon,lat\na,1\n", "", "line 2"},
		{"nothing", "", "", "header"},
		{"no rows", "unit,time,lon,lat\n", "", "no fixes"},
	} {
		_, err := ReadReplay(strings.NewReader(tt.file), ReplayOptions{})
		if fault.KindOf(err) != fault.Invalid || fault.FieldOf(err) != tt.field || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestReplayOfRealTracks(t *testing.T) {
	const path = "shared/data/real/geolife/geolife_sample.txt.gz"
	f, err := os.Open("../../../" + path)
	if err != nil {
		f, err = os.Open("../../../../" + path)
	}
	if err != nil {
		t.Skip("no recorded tracks here: geolife_sample.txt.gz")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadReplay(z, ReplayOptions{Begin: begin, To: &orb.Point{121.25, 31.38}, MaxGap: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	x, inside := district(t), 0
	last := time.Time{}
	for n := 0; ; n++ {
		due, more := p.Peek()
		if !more {
			if n != p.Len() || n < 1000 {
				t.Errorf("%d of %d fixes came", n, p.Len())
			}
			break
		}
		if due.Before(last) {
			t.Fatalf("fix %d goes back in time", n)
		}
		last = due
		if _, ok := x.Locate(p.Next().Pos.Point()); ok {
			inside++
		}
	}
	t.Logf("%d fixes of %d units, %d of them in the district", p.Len(), len(p.Units()), inside)
}
