package patrol

import "time"

// backlog is a unit whose late fixes wait for its past to be run again.
type backlog struct {
	from, to    int64 // Unix milliseconds: the first and the last of the late fixes
	first, last int64 // when they were received
	fixes       int   // how many are late, but for those that the track had
	forced      bool  // run again, whatever the track had
}

const (
	// quietFor is how long a unit sends nothing late before its past is run
	// again: a backlog comes in many batches.
	quietFor = 2 * time.Second
	// waitAtMost is how long its past waits.
	waitAtMost = 30 * time.Second
)

// postpone notes that the past of a unit from a fix to another has to be run
// again.
func (t *Tracker) postpone(unit UnitID, from, to, received int64, forced bool) {
	if t.effects == nil {
		return
	}
	b := t.late[unit]
	if b == nil {
		b = &backlog{from: from, to: to, first: received}
		t.late[unit] = b
	}
	b.from, b.to, b.last = min(b.from, from), max(b.to, to), max(b.last, received)
	b.forced = b.forced || forced
	if !forced {
		b.fixes++
	}
}

// known takes off the late fixes that the track had already.
func (t *Tracker) known(duplicates []Fix) {
	for i := range duplicates {
		b := t.late[duplicates[i].Unit]
		if b == nil {
			continue
		}
		if b.fixes--; b.fixes <= 0 && !b.forced {
			delete(t.late, duplicates[i].Unit)
		}
	}
}

func (b *backlog) due(now int64) bool {
	return now-b.last >= quietFor.Milliseconds() || now-b.first >= waitAtMost.Milliseconds()
}
