package locate_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/store"
	"lianqin/internal/store/storetest"
)

// TestIndexesAreThoseInForce publishes three generations, the last of them
// while it is looked on.
func TestIndexesAreThoseInForce(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "grids.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	atlas, err := grid.Open(t.Context(), s.Generations(), nil)
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, grid.Zone) }
	publish := func(seed int, from time.Time) int {
		streets, areas := storetest.District(3, 3, 4, seed)
		r, err := atlas.Import(t.Context(), grid.Import{Streets: streets, Areas: areas, Name: "网格", Author: "李"})
		if err != nil {
			t.Fatal(err)
		}
		base := 0
		if g, ok := atlas.At(from); ok {
			base = g.Number()
		}
		if _, err := atlas.Check(t.Context(), r.Number, base, "王"); err != nil {
			t.Fatal(err)
		}
		if _, err := atlas.Publish(t.Context(), grid.Publication{Number: r.Number, From: from, By: "张"}); err != nil {
			t.Fatal(err)
		}
		return r.Number
	}
	x := locate.NewIndexes(atlas)
	if got := x.At(day(1).UnixMilli()); got != nil {
		t.Errorf("of no generation: %v", got.Generation())
	}
	first, second := publish(0, day(2)), publish(1, day(4))
	number := func(at time.Time) int {
		if i := x.At(at.UnixMilli()); i != nil {
			return i.Generation().Number()
		}
		return 0
	}
	ctx, stop := context.WithCancel(t.Context())
	var looking sync.WaitGroup
	for range 2 {
		looking.Go(func() {
			for ctx.Err() == nil {
				for n := 1; n < 9; n++ {
					number(day(n))
				}
			}
		})
	}
	third := publish(2, day(3))
	stop()
	looking.Wait()
	for n, want := range []int{0, 0, first, third, second, second} {
		if got := number(day(n)); got != want {
			t.Errorf("on day %d: generation %d, want %d", n, got, want)
		}
	}
	if got := number(day(3).Add(-time.Millisecond)); got != first {
		t.Errorf("a millisecond before day 3: generation %d, want %d", got, first)
	}
	g, _ := atlas.At(day(4))
	if x.Of(g) != x.At(day(5).UnixMilli()) || x.Of(g) == x.At(day(3).UnixMilli()) {
		t.Error("an index is made for every question")
	}
}
