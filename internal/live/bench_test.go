package live_test

import (
	"fmt"
	"testing"

	"lianqin/internal/live"
	"lianqin/internal/live/livetest"
)

// BenchmarkFrame makes one frame of the district's and of four streets' in
// which every unit has moved.
func BenchmarkFrame(b *testing.B) {
	for _, n := range []int{1283, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tw := livetest.New(n)
			h, now := newHub(tw)
			for _, s := range []live.Scope{{}, {Street: "S0"}, {Street: "S1"}, {Street: "S2"}, {Street: "S3"}} {
				mustRead(b, h, s, "")
			}
			for b.Loop() {
				b.StopTimer()
				tw.Stir(now.Time, 1)
				b.StartTimer()
				now.next(h, tw, 0)
			}
			last := h.Last(live.Scope{})
			b.ReportMetric(float64(len(last.Bytes())), "bytes/frame")
			b.ReportMetric(float64(len(last.Deflated())), "deflated/frame")
		})
	}
}

// BenchmarkSnapshot is what the first reader after an idle hour waits for.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{1283, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tw := livetest.New(n)
			h, now := newHub(tw)
			tw.Stir(now.Time, 1)
			for b.Loop() {
				h.Forget()
				frames, err := mustRead(b, h, live.Scope{}, "").Next(b.Context(), 0)
				if err != nil {
					b.Fatal(err)
				}
				frames[0].Bytes()
			}
		})
	}
}

// BenchmarkDeflate is what readers who accept gzip cost, once a frame.
func BenchmarkDeflate(b *testing.B) {
	tw := livetest.New(1283)
	h, now := newHub(tw)
	tw.Stir(now.Time, 1)
	frames, err := mustRead(b, h, live.Scope{}, "").Next(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		live.Deflate(frames[0].Bytes())
	}
}
