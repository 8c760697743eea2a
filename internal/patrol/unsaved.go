package patrol

import "slices"

// effects are what follows from entries that were applied and not entered yet.
type effects struct {
	Effects
	marks []mark // one for each entry
}

// mark is how much there was once an entry had been applied.
type mark struct {
	seq                                   uint64
	kept, late, refused, released, events int
}

func (e *effects) mark(seq uint64) {
	if len(e.marks) == 0 {
		e.First = seq
	}
	e.Last = seq
	e.marks = append(e.marks, mark{seq, len(e.Kept), len(e.Late), len(e.Refused), len(e.Released), len(e.Events)})
}

// add puts events of the clock to those of the last entry, or is false when
// there is none.
func (e *effects) add(events []Event) bool {
	if len(e.marks) == 0 {
		return false
	}
	e.Events = append(e.Events, events...)
	e.marks[len(e.marks)-1].events = len(e.Events)
	return true
}

func (e *effects) size() int { return len(e.Kept) + len(e.Late) + len(e.Refused) }

// cut takes out what follows from the entries up to seq. Another process
// entered that.
func (e *effects) cut(seq uint64) {
	n, _ := slices.BinarySearchFunc(e.marks, seq+1, func(m mark, seq uint64) int {
		if m.seq < seq {
			return -1
		}
		return 1
	})
	if n == 0 {
		return
	}
	m := e.marks[n-1]
	e.Kept, e.Late, e.Refused = e.Kept[m.kept:], e.Late[m.late:], e.Refused[m.refused:]
	e.Released, e.Events = e.Released[m.released:], e.Events[m.events:]
	e.marks = e.marks[n:]
	for i := range e.marks {
		k := &e.marks[i]
		*k = mark{k.seq, k.kept - m.kept, k.late - m.late, k.refused - m.refused, k.released - m.released, k.events - m.events}
	}
	if len(e.marks) > 0 {
		e.First = e.marks[0].seq
	}
}

// join puts what follows from later entries after e.
func (e *effects) join(later *effects) {
	if len(later.marks) == 0 {
		return
	}
	if len(e.marks) == 0 {
		*e = *later
		return
	}
	n := e.marks[len(e.marks)-1]
	e.Kept, e.Late, e.Refused = append(e.Kept, later.Kept...), append(e.Late, later.Late...), append(e.Refused, later.Refused...)
	e.Released, e.Events = append(e.Released, later.Released...), append(e.Events, later.Events...)
	for _, m := range later.marks {
		e.marks = append(e.marks, mark{m.seq, n.kept + m.kept, n.late + m.late, n.refused + m.refused, n.released + m.released, n.events + m.events})
	}
	e.Last = later.Last
}

// has reports whether anything of unit is not entered yet.
func (e *effects) has(unit UnitID) bool {
	of := func(f Fix) bool { return f.Unit == unit }
	return slices.ContainsFunc(e.Kept, of) || slices.ContainsFunc(e.Late, of) ||
		slices.ContainsFunc(e.Refused, func(r Refusal) bool { return r.Unit == unit })
}
