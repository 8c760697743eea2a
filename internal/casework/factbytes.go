package casework

import (
	"encoding/binary"
	"errors"

	"lianqin/internal/fault"
)

// factForm is the first byte of what AppendFacts writes.
const factForm = 1

// AppendFacts appends the facts of one case in about 120 bytes each, for a
// store that has to read those of a year within a second or two.
func AppendFacts(b []byte, facts []Fact) []byte {
	b = append(b, factForm)
	b = binary.AppendUvarint(b, uint64(len(facts)))
	for i := range facts {
		f := &facts[i]
		b = binary.AppendUvarint(b, uint64(f.Cycle))
		for _, s := range [...]string{f.Street, f.Grid, f.Department, f.Item, f.Major, string(f.Channel), string(f.Kind)} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
		b = binary.AppendUvarint(b, f.flags())
		for i, at := range f.instants() {
			b = appendAfter(b, *at, base(i, f))
		}
		if f.rare != nil {
			b = binary.AppendUvarint(b, uint64(len(f.rare.dues)))
			for _, d := range f.rare.dues {
				b = appendAfter(appendAfter(b, d.set, f.Received), d.at, f.Received)
			}
			b = binary.AppendUvarint(b, uint64(len(f.rare.paused)))
			for _, p := range f.rare.paused {
				b = appendAfter(appendAfter(b, p[0], f.Received), p[1], f.Received)
			}
		}
	}
	return b
}

// instants are those of f in the order in which they are written. Received
// comes first: the others are written by their distance from it.
func (f *Fact) instants() [14]*int64 {
	return [...]*int64{&f.Received, &f.Accepted, &f.Filed, &f.FileDue, &f.Dispatched, &f.Returned, &f.Due, &f.Disposed,
		&f.CheckDue, &f.Closed, &f.Reworked, &f.Extended, &f.OrderDue, &f.OrderFinished}
}

// base is what the i-th instant is counted from: Received, but for itself.
func base(i int, f *Fact) int64 {
	if i == 0 {
		return 0
	}
	return f.Received
}

func (f *Fact) flags() (bits uint64) {
	for i, set := range [...]bool{f.Hotline, f.SelfHandled, f.Final, f.rare != nil} {
		if set {
			bits |= 1 << i
		}
	}
	return bits
}

// appendAfter appends an instant: 0 for none, else by its distance from base.
func appendAfter(b []byte, at, base int64) []byte {
	if at == 0 {
		return binary.AppendUvarint(b, 0)
	}
	d := at - base
	zigzag := uint64(d<<1) ^ uint64(d>>63)
	return binary.AppendUvarint(b, zigzag+1)
}

// ReadFacts reads what AppendFacts wrote of case id. It is Internal for what
// it did not write.
func ReadFacts(id int64, b []byte) ([]Fact, error) {
	r := factReader{b: b}
	if len(b) == 0 || b[0] != factForm {
		return nil, fault.New(fault.Internal, "the facts of case %d are of no known form", id)
	}
	r.b = b[1:]
	n := r.number()
	if n > uint64(len(b)) {
		r.err = errShort
	}
	var facts []Fact
	for i := uint64(0); i < n && r.err == nil; i++ {
		f := Fact{Case: id, Cycle: int(r.number())}
		f.Street, f.Grid, f.Department, f.Item, f.Major = r.text(), r.text(), r.text(), r.text(), r.text()
		f.Channel, f.Kind = Channel(r.text()), Kind(r.text())
		flags := r.number()
		f.Hotline, f.SelfHandled, f.Final = flags&1 != 0, flags&2 != 0, flags&4 != 0
		for i, at := range f.instants() {
			*at = r.after(base(i, &f))
		}
		if flags&8 != 0 {
			f.rare = &rare{}
			for k := r.number(); k > 0 && r.err == nil; k-- {
				f.rare.dues = append(f.rare.dues, dueSet{r.after(f.Received), r.after(f.Received)})
			}
			for k := r.number(); k > 0 && r.err == nil; k-- {
				f.rare.paused = append(f.rare.paused, [2]int64{r.after(f.Received), r.after(f.Received)})
			}
		}
		facts = append(facts, f)
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = errors.New("more than there should be")
	}
	if r.err != nil {
		return nil, fault.New(fault.Internal, "the facts of case %d: %w", id, r.err)
	}
	return facts, nil
}

var errShort = errors.New("cut short")

type factReader struct {
	b   []byte
	err error
}

func (r *factReader) number() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.err = nil, errShort
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *factReader) text() string {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.b, r.err = nil, errShort
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *factReader) after(base int64) int64 {
	v := r.number()
	if v == 0 {
		return 0
	}
	v--
	return base + (int64(v>>1) ^ -int64(v&1))
}
