package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/patrol"
	"lianqin/internal/store"
)

// A watch reads a stream as a wall does and notes how old what it shows is:
// from when a fix was acknowledged to when its frame was read.
type watch struct {
	ages *latencies

	mu      sync.Mutex
	answers map[patrol.UnitID]map[int64]time.Time // by the time of the fix, in ms
	columns []string
}

func newWatch(l *latencies) *watch {
	return &watch{ages: l, answers: make(map[patrol.UnitID]map[int64]time.Time)}
}

// acked notes an answer. Units were entered in order, so that their numbers
// are their places, from 1.
func (w *watch) acked(first, n int, at time.Time) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range n {
		id := patrol.UnitID(first + i + 1)
		if w.answers[id] == nil {
			w.answers[id] = make(map[int64]time.Time)
		}
		w.answers[id][at.UnixMilli()] = now
	}
}

func (w *watch) frame(data []byte) {
	now := time.Now()
	var f struct {
		At      int64               `json:"at"`
		Columns map[string][]string `json:"columns"`
		Units   []int64             `json:"units"`
	}
	if json.Unmarshal(data, &f) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := f.Columns["units"]; c != nil {
		w.columns = c
	}
	unit, age := -1, -1
	for i, name := range w.columns {
		switch name {
		case "unit":
			unit = i
		case "age":
			age = i
		}
	}
	if unit < 0 || age < 0 {
		return
	}
	var ages []float64
	for n := len(w.columns); len(f.Units) >= n; f.Units = f.Units[n:] {
		of := w.answers[patrol.UnitID(f.Units[unit])]
		at := f.At - f.Units[age]
		if answered, ok := of[at]; ok {
			ages = append(ages, float64(now.Sub(answered).Microseconds())/1000)
			delete(of, at)
		}
	}
	w.ages.add(ages...)
}

// frameTime is the moment that a frame shows, in Unix ms.
func frameTime(data []byte) int64 {
	var f struct {
		At int64 `json:"at"`
	}
	_ = json.Unmarshal(data, &f) // a frame without one shows nothing
	return f.At
}

// enterPast enters fixes of n units at 1 Hz during [from, to) through the
// store, as the tracker does, ten minutes at a time.
func enterPast(ctx context.Context, st *store.Store, d *district, n int, from, to time.Time) error {
	tracks := st.Tracks()
	_, _, applied, err := tracks.Checkpoint(ctx)
	if err != nil {
		return err
	}
	for at := from; at.Before(to); at = at.Add(10 * time.Second) {
		e := patrol.Effects{First: applied + 1, Last: applied + 1}
		applied++
		for s := range 10 {
			second := at.Add(time.Duration(s) * time.Second)
			for i := range n {
				p, err := geo.Quantise(d.track[(i*8000+int(second.Unix()))%len(d.track)])
				if err != nil {
					return err
				}
				e.Kept = append(e.Kept, patrol.Fix{Unit: patrol.UnitID(i + 1), At: second.UnixMilli() + int64(i%1000), Received: second.UnixMilli() + 1000,
					Pos: p, AccuracyM: 8, SpeedMPS: 1.4, HeadingDeg: 90, BatteryPct: 70, Source: patrol.FromAPI})
			}
		}
		if _, err := tracks.Save(ctx, &e); err != nil {
			return err
		}
	}
	return nil
}
