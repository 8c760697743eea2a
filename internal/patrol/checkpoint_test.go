package patrol

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lianqin/internal/geo"
)

// reports are an hour of some units that go about, one entry for each second:
// with leaps, late fixes, calls for help and fixes without accuracy.
func reports(seed uint64, units int) [][]byte {
	rnd := rand.New(rand.NewPCG(seed, 2))
	pos := make([][2]float64, units)
	for i := range pos {
		pos[i] = [2]float64{rnd.Float64() * 3 * gridM, rnd.Float64() * 3 * gridM}
	}
	var out [][]byte
	for s := 0.0; s < 2400; s += 10 {
		var b Batch
		for i := range pos {
			pos[i][0] += rnd.Float64()*100 - 50
			pos[i][1] += rnd.Float64()*100 - 50
			f := seen(UnitID(i+1), s, pos[i][0], pos[i][1], float32(rnd.IntN(3)*10))
			switch rnd.IntN(30) {
			case 0:
				f.Pos = geo.Coord{X: f.Pos.X + 1_000_000, Y: f.Pos.Y}
			case 1:
				f.At -= 60_000
			case 2:
				f.Flags = SOS
			case 3:
				continue
			}
			b.Fixes = append(b.Fixes, f)
		}
		if rnd.IntN(10) == 0 {
			b.Refusals = append(b.Refusals, Refusal{Received: at(s), Reason: Malformed, Raw: "x"})
		}
		out = append(out, AppendBatch(nil, &b))
	}
	return out
}

func applying(t testing.TB, units int) *Tracker {
	staff, x := crew(t, units), town(t, 1, 3)
	tr := newTracker(func() *Staff { return staff }, always{x}, Settings{})
	tr.effects = &effects{}
	return tr
}

// TestACheckpointLosesNothing goes on from a checkpoint at any entry: what
// follows, and what is known in the end, are the same.
func TestACheckpointLosesNothing(t *testing.T) {
	const units = 7
	entries := reports(1, units)
	now := time.UnixMilli(at(3600))
	whole := applying(t, units)
	at := make([][]byte, len(entries)) // checkpoints after each entry
	var follows []*effects             // of each entry alone
	for i, e := range entries {
		whole.effects = &effects{}
		whole.apply(uint64(i+1), [][]byte{e})
		follows = append(follows, whole.effects)
		at[i] = whole.checkpoint(now)
	}
	opts := []cmp.Option{cmp.AllowUnexported(effects{}, mark{}), cmpopts.EquateEmpty()}
	for from := 0; from < len(entries)-1; from += 41 {
		again := applying(t, units)
		put, err := again.load(at[from])
		if err != nil || !put.Equal(now) {
			t.Fatalf("entry %d: %v, %v", from, put, err)
		}
		if b := again.checkpoint(now); !slices.Equal(b, at[from]) {
			t.Fatalf("entry %d: loaded, the checkpoint is another", from)
		}
		for i := from + 1; i < len(entries); i++ {
			again.effects = &effects{}
			again.apply(uint64(i+1), [][]byte{entries[i]})
			if diff := cmp.Diff(follows[i], again.effects, opts...); diff != "" {
				t.Fatalf("from entry %d, entry %d: %s", from, i, diff)
			}
		}
		if diff := cmp.Diff(whole.States(now, nil), again.States(now, nil)); diff != "" {
			t.Fatalf("from entry %d: %s", from, diff)
		}
		if diff := cmp.Diff(whole.Coverage(now), again.Coverage(now)); diff != "" {
			t.Fatalf("from entry %d: %s", from, diff)
		}
	}
}

func FuzzLoad(f *testing.F) {
	tr := applying(f, 3)
	f.Add(tr.checkpoint(eight))
	for i, e := range reports(2, 3)[:20] {
		tr.apply(uint64(i+1), [][]byte{e})
	}
	f.Add(tr.checkpoint(eight))
	f.Fuzz(func(t *testing.T, data []byte) {
		tr := newTracker(func() *Staff { return nil }, always{}, Settings{})
		if _, err := tr.load(data); err != nil && len(tr.units) > 0 {
			t.Error("refused, and loaded")
		}
	})
}

// TestEffectsAreCutWhereAnotherProcessEnteredThem cuts after every entry and
// compares with the effects of the rest alone.
func TestEffectsAreCutWhereAnotherProcessEnteredThem(t *testing.T) {
	entries := reports(3, 5)[:60]
	opts := []cmp.Option{cmp.AllowUnexported(effects{}, mark{}), cmpopts.EquateEmpty()}
	for after := range uint64(62) {
		all, rest := applying(t, 5), applying(t, 5)
		for i, e := range entries {
			all.apply(uint64(i+1), [][]byte{e})
			if uint64(i+1) == after {
				rest.effects = &effects{}
			}
			if rest.apply(uint64(i+1), [][]byte{e}); uint64(i+1) == after {
				rest.effects = &effects{}
			}
		}
		all.effects.cut(after)
		if after >= 60 {
			if all.effects.size() > 0 || len(all.effects.marks) > 0 {
				t.Errorf("after the last: %+v", all.effects)
			}
			continue
		}
		if diff := cmp.Diff(rest.effects, all.effects, opts...); diff != "" {
			t.Fatalf("after %d: %s", after, diff)
		}
	}
}

func TestEffectsJoin(t *testing.T) {
	entries := reports(4, 5)[:40]
	opts := []cmp.Option{cmp.AllowUnexported(effects{}, mark{}), cmpopts.EquateEmpty()}
	whole := applying(t, 5)
	for i, e := range entries {
		whole.apply(uint64(i+1), [][]byte{e})
	}
	for _, after := range []int{0, 1, 20, 40} {
		parts := applying(t, 5)
		var first *effects
		for i, e := range entries {
			if i == after {
				first, parts.effects = parts.effects, &effects{}
			}
			parts.apply(uint64(i+1), [][]byte{e})
		}
		if first == nil {
			first, parts.effects = parts.effects, &effects{}
		}
		first.join(parts.effects)
		if diff := cmp.Diff(whole.effects, first, opts...); diff != "" {
			t.Fatalf("after %d: %s", after, diff)
		}
	}
}
