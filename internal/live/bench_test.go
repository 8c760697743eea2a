package live

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkFrame makes one frame of the district's and of four streets' in
// which every unit has moved.
func BenchmarkFrame(b *testing.B) {
	for _, n := range []int{1283, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tw := newTown(n)
			h := newTestHub(tw.look)
			for _, s := range []Scope{{}, {Street: "S0"}, {Street: "S1"}, {Street: "S2"}, {Street: "S3"}} {
				mustRead(b, h, s, "")
			}
			now := start()
			for b.Loop() {
				b.StopTimer()
				now = now.Add(time.Second)
				tw.stir(now, 1)
				b.StartTimer()
				h.tick(now)
			}
			for s, f := range h.feeds {
				if s == (Scope{}) {
					last := f.frames[len(f.frames)-1]
					b.ReportMetric(float64(len(last.Bytes())), "bytes/frame")
					b.ReportMetric(float64(len(last.Deflated())), "deflated/frame")
				}
			}
		})
	}
}

// BenchmarkSnapshot is what the first reader after an idle hour waits for.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{1283, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tw := newTown(n)
			tw.stir(start(), 1)
			h := newTestHub(tw.look)
			for b.Loop() {
				clear(h.feeds)
				frames, err := mustRead(b, h, Scope{}, "").Next(b.Context(), 0)
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
	tw := newTown(1283)
	tw.stir(start(), 1)
	frames, err := mustRead(b, newTestHub(tw.look), Scope{}, "").Next(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		deflate(frames[0].Bytes())
	}
}
