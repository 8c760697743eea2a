package httpapi

import (
	"testing"

	"lianqin/internal/locate"
)

// BenchmarkDemonstration is what the demonstration district costs: to be
// ready, to have all its tiles, to have its documents.
func BenchmarkDemonstration(b *testing.B) {
	index := locate.New(demonstration(b))
	b.Run("ready", func(b *testing.B) {
		for b.Loop() {
			d := newDistrict(index, 64<<20)
			b.StopTimer()
			d.tiles.close()
			b.StartTimer()
		}
	})
	b.Run("all tiles", func(b *testing.B) {
		for b.Loop() {
			d := newDistrict(index, 64<<20)
			<-d.tiles.warm(64 << 20).done
			tiles, plain, sent := 0, 0, 0
			d.tiles.kept.Range(func(_, v any) bool {
				if doc := v.(*document); doc != nil {
					tiles++
					plain += len(doc.plain.body)
					if sent += len(doc.gzipped.body); doc.gzipped.body == nil {
						sent += len(doc.plain.body)
					}
				}
				return true
			})
			b.ReportMetric(float64(tiles), "tiles")
			b.ReportMetric(float64(plain)/1e6, "MB-plain")
			b.ReportMetric(float64(sent)/1e6, "MB-sent")
		}
	})
	b.Run("documents", func(b *testing.B) {
		for b.Loop() {
			d := newDistrict(index, 64<<20)
			d.tiles.close()
			b.ReportMetric(float64(len(d.geojson().gzipped.body))/1e3, "kB-geojson-gz")
			b.ReportMetric(float64(len(d.topojson().gzipped.body))/1e3, "kB-topojson-gz")
		}
	})
}
