package heat

import (
	"cmp"
	"math"
	"slices"
	"time"

	"lianqin/internal/fault"
)

const (
	maxSteps = 1000
	// maxFrameCells bounds a Series with cells: 256 MB.
	maxFrameCells = 64 << 20
)

// Series is a Query cut into steps, for a slider. Step i begins i·Step after
// From, ends where the next begins, and the last one ends with the window.
type Series struct {
	Raster Raster
	From   time.Time
	Step   time.Duration
	Totals []int      // by step
	Grids  []GridRow  // those with a case, by grid
	Cells  [][]uint32 // by step, then by cell; nil unless asked for
}

// GridRow is a grid's counts by step.
type GridRow struct {
	Grid   string
	Counts []uint32
}

// Series counts by steps of whole seconds. It is Invalid when the window is
// empty, there would be more than a thousand steps, or, with cells, more of
// them than memory should be spent on.
func (x *Index) Series(q Query, step time.Duration, cells bool) (*Series, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if step < time.Second || step%time.Second != 0 {
		return nil, fault.InvalidField("step", "%s is not a number of whole seconds", step)
	}
	if q.From.Unix() < 0 || q.To.Unix() > math.MaxUint32 {
		return nil, fault.InvalidField("from", "the window from %s to %s is not between 1970 and 2105", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339))
	}
	from, each := second(q.From), uint32(min(step/time.Second, math.MaxUint32))
	steps := (int(second(q.To)-from) + int(each) - 1) / int(each)
	if steps > maxSteps {
		return nil, fault.InvalidField("step", "%s makes %d steps of the window, more than %d", step, steps, maxSteps)
	}
	if cells && steps*x.raster.Cells() > maxFrameCells {
		return nil, fault.InvalidField("step", "%d steps of %d cells are too many", steps, x.raster.Cells())
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := &Series{Raster: x.raster, From: q.From, Step: step, Totals: make([]int, steps)}
	if cells {
		s.Cells = make([][]uint32, steps)
		for i := range s.Cells {
			s.Cells[i] = make([]uint32, x.raster.Cells())
		}
	}
	rows := make([][]uint32, len(x.areas.all))
	outside := uint32(x.raster.Cells())
	x.each(&q, func(b *block, i int) {
		at := (b.at[i] - from) / each
		s.Totals[at]++
		if rows[b.area[i]] == nil {
			rows[b.area[i]] = make([]uint32, steps)
		}
		rows[b.area[i]][at]++
		if cells && b.cell[i] != outside {
			s.Cells[at][b.cell[i]]++
		}
	})
	at := map[string]int{}
	for n, counts := range rows {
		if counts == nil {
			continue
		}
		code := x.areas.all[n].grid
		i, ok := at[code]
		if !ok {
			at[code] = len(s.Grids)
			s.Grids = append(s.Grids, GridRow{code, counts})
			continue
		}
		for step, n := range counts {
			s.Grids[i].Counts[step] += n
		}
	}
	slices.SortFunc(s.Grids, func(a, b GridRow) int { return cmp.Compare(a.Grid, b.Grid) })
	return s, nil
}

// Textures are the steps' cells as bytes, all by the same measure: 255 stands
// for full cases or more, and 0 takes the greatest count that one filled cell
// in a hundred of some step exceeds.
func (s *Series) Textures(full uint32) []Texture {
	maps := make([]Map, len(s.Cells))
	for i, cells := range s.Cells {
		maps[i] = Map{Raster: s.Raster, Cells: cells}
	}
	if full == 0 {
		for i := range maps {
			full = max(full, maps[i].bright())
		}
	}
	out := make([]Texture, len(maps))
	for i := range maps {
		out[i] = maps[i].Texture(full)
	}
	return out
}
