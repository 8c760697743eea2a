package patrol

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/geo"
)

// stroll is n fixes of a unit at 1 Hz as phones send them.
func stroll(r *rand.Rand, unit UnitID, n int) []Fix {
	f := Fix{Unit: unit, At: 1_790_000_000_000, Pos: geo.Coord{X: 1212500000, Y: 313800000}, SpeedMPS: 1.2, HeadingDeg: 90, AccuracyM: 5, BatteryPct: 80, Source: FromOsmAnd}
	out := make([]Fix, 0, n)
	for range n {
		f.At += 1000
		f.Received = f.At + 300 + r.Int64N(400)
		f.Pos.X += 120 + r.Int32N(60) - 30
		f.Pos.Y += r.Int32N(60) - 30
		f.HeadingDeg = float32(math.Mod(float64(f.HeadingDeg)+r.Float64()*10-5+360, 360))
		f.SpeedMPS = float32(1.2 + r.Float64()*0.4)
		out = append(out, f.Quantised())
	}
	return out
}

func TestQuantisedOnceIsQuantisedForEver(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		name      string
		give      Fix
		accuracyM float32
		speed     float32
		heading   float32
		altitude  float32
	}{
		{"zero", Fix{}, 0, 0, 0, 0},
		{"rounded", Fix{AccuracyM: 12.34, SpeedMPS: 1.234, HeadingDeg: 123.46, AltitudeM: -3.26}, 12.3, 1.23, 123.5, -3.3},
		{"unknown", Fix{SpeedMPS: -1, HeadingDeg: -1}, 0, -1, -1, 0},
		{"unknown is any negative number", Fix{AccuracyM: -5, SpeedMPS: -0.001, HeadingDeg: -200}, 0, -1, -1, 0},
		{"north from below", Fix{HeadingDeg: 359.99}, 0, 0, 0, 0},
		{"a known accuracy stays known", Fix{AccuracyM: 0.01}, 0.1, 0, 0, 0},
		{"no number", Fix{AccuracyM: nan, SpeedMPS: nan, HeadingDeg: nan, AltitudeM: nan}, 0, -1, -1, 0},
		{"infinite", Fix{AccuracyM: inf, SpeedMPS: inf, HeadingDeg: 0, AltitudeM: -inf}, 1e6, 1e5, 0, -1e6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.give.Quantised()
			want := Fix{AccuracyM: tt.accuracyM, SpeedMPS: tt.speed, HeadingDeg: tt.heading, AltitudeM: tt.altitude}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if again := got.Quantised(); again != got {
				t.Errorf("quantised twice %+v, once %+v", again, got)
			}
		})
	}
	for q := int32(0); q < maxQuanta; q += 997 {
		f := Fix{AccuracyM: float32(float64(q) / accuracyPerM), SpeedMPS: float32(float64(q) / speedPerMPS), AltitudeM: -float32(float64(q) / altitudePerM)}
		if g := f.Quantised(); g != f {
			t.Fatalf("%+v becomes %+v", f, g)
		}
	}
}

func TestTrackReadsAsItWasWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	want := stroll(r, 7, 600)
	want[100].Flags, want[100].BatteryPct = SOS|Charging, -1
	want[200].Pos = geo.Coord{X: math.MinInt32, Y: math.MaxInt32}
	want[201].Pos = geo.Coord{X: math.MaxInt32, Y: math.MinInt32}
	b := AppendTrack(nil, want)
	got, err := DecodeTrack(nil, 7, b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if perFix := len(b) / len(want); perFix > 14 {
		t.Errorf("%d bytes a fix", perFix)
	}
	if got, err = DecodeTrack(nil, 8, b); err != nil || got[0].Unit != 8 {
		t.Errorf("as another unit's: %v, %v", got[:1], err)
	}
	if got, err = DecodeTrack(nil, 8, AppendTrack(nil, nil)); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
}

func sampleBatch() Batch {
	r := rand.New(rand.NewPCG(3, 4))
	fix := stroll(r, 3, 1)[0]
	b := Batch{Fixes: append(stroll(r, 9, 3), stroll(r, 2, 2)...)}
	b.Refusals = []Refusal{
		{Unit: 3, Device: "t1", Source: FromMQTT, At: fix.At, Received: fix.Received, Reason: InFuture, Detail: "6 min", Fix: &fix},
		{Source: FromJT808, Received: 5, Reason: Malformed, Raw: "7e\x00\xff"},
	}
	return b
}

func TestBatchReadsAsItWasWritten(t *testing.T) {
	want := sampleBatch()
	data := AppendBatch(nil, &want)
	got, err := DecodeBatch(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for n := range data {
		if _, err := DecodeBatch(data[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are taken for a batch", n, len(data))
		}
	}
	if _, err := DecodeBatch(append(data, 0)); err == nil {
		t.Error("a byte more is taken for a batch")
	}
}

func FuzzDecodeBatch(f *testing.F) {
	b := sampleBatch()
	f.Add(AppendBatch(nil, &b))
	f.Add([]byte{batchVersion, 0, 0})
	f.Add([]byte{batchVersion, 1, 0, allBits, 2, 2, 2, 2, 2, 2, 2, 2, 80, 0, 1, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := DecodeBatch(data)
		if err != nil {
			return
		}
		again, err := DecodeBatch(AppendBatch(nil, &got))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzDecodeTrack(f *testing.F) {
	f.Add(AppendTrack(nil, stroll(rand.New(rand.NewPCG(1, 2)), 1, 5)))
	f.Add([]byte{trackVersion, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := DecodeTrack(nil, 5, data)
		if err != nil {
			return
		}
		again, err := DecodeTrack(nil, 5, AppendTrack(nil, got))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Error(diff)
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	batch := Batch{Fixes: stroll(rand.New(rand.NewPCG(1, 2)), 1, 100)}
	data := AppendBatch(nil, &batch)
	b.Run("append", func(b *testing.B) {
		for b.Loop() {
			data = AppendBatch(data[:0], &batch)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/fix")
		b.ReportMetric(float64(len(data))/100, "B/fix")
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if err := decodeBatch(data, &batch); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/fix")
	})
}
