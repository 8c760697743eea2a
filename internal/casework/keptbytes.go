package casework

import (
	"encoding/binary"
	"errors"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// keptForm is the first byte of what AppendKept writes.
const keptForm = 2

// AppendKept appends what is kept of one case, but its number and that of its
// change, in about 150 bytes: for a store that has to read those of a year
// within a second or two.
func AppendKept(b []byte, k *Kept) []byte {
	b = append(b, keptForm)
	b = binary.AppendUvarint(b, flagBits(k.Emergency, k.Key, k.Placed, k.Order != "", k.Review != 0, len(k.Parties) > 0 || k.Text != "" || k.Address != ""))
	for _, s := range [...]string{string(k.State), string(k.Channel), k.Item, k.Major, string(k.Kind), k.Street, k.Grid, k.Centre, k.Lead} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(k.Seq))
	b = binary.AppendUvarint(b, uint64(k.Overlays))
	b = binary.AppendUvarint(b, uint64(k.GridID))
	b = binary.AppendVarint(b, k.Received)
	b = appendAfter(b, k.Captured, k.Received)
	due := k.Due
	if due == NeverDue {
		due = 0
	}
	b = appendAfter(b, due, k.Received)
	if k.Placed {
		b = binary.AppendVarint(binary.AppendVarint(b, int64(k.At.X)), int64(k.At.Y))
	}
	if k.Order != "" {
		b = appendAfter(appendAfter(appendText(b, k.Order), k.OrderDue, k.Received), k.OrderFinished, k.Received)
	}
	if k.Review != 0 {
		b = appendAfter(b, k.Review, k.Received)
	}
	if len(k.Parties) > 0 || k.Text != "" || k.Address != "" {
		b = binary.AppendUvarint(b, uint64(len(k.Parties)))
		for _, code := range k.Parties {
			b = appendText(b, code)
		}
		b = appendText(appendText(b, k.Text), k.Address)
	}
	b = binary.AppendUvarint(b, uint64(len(k.Facts)))
	for i := range k.Facts {
		b = appendFact(b, &k.Facts[i])
	}
	return b
}

// appendFact appends what of a fact its case does not say.
func appendFact(b []byte, f *Fact) []byte {
	b = binary.AppendUvarint(b, uint64(f.Cycle))
	b = appendText(b, f.Department)
	b = binary.AppendUvarint(b, flagBits(f.Hotline, f.SelfHandled, f.Final, f.rare != nil))
	for i, at := range f.instants() {
		b = appendAfter(b, *at, base(i, f))
	}
	if f.rare == nil {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(f.rare.dues)))
	for _, d := range f.rare.dues {
		b = appendAfter(appendAfter(b, d.set, f.Received), d.at, f.Received)
	}
	b = binary.AppendUvarint(b, uint64(len(f.rare.paused)))
	for _, p := range f.rare.paused {
		b = appendAfter(appendAfter(b, p[0], f.Received), p[1], f.Received)
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

func flagBits(set ...bool) (b uint64) {
	for i, s := range set {
		if s {
			b |= 1 << i
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
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

// ErrKeptForm is what is kept in a form of before, without all that belongs to
// it: it has to be made anew, from the case's history.
var ErrKeptForm = fault.New(fault.Internal, "kept in a form of before")

// KeptReader reads what AppendKept wrote, and shares the codes that many cases
// have. It is for one goroutine. The zero KeptReader is ready.
type KeptReader struct {
	codes map[string]string
	facts []Fact
	b     []byte
	err   error
}

// Read is what is kept of case id since change. Its Facts are good until the
// next Read. It is ErrKeptForm for what a version of before
// wrote, and Internal for what none did.
func (r *KeptReader) Read(id, change int64, b []byte) (Kept, error) {
	switch {
	case len(b) > 0 && b[0] == keptForm-1:
		return Kept{}, ErrKeptForm
	case len(b) == 0 || b[0] != keptForm:
		return Kept{}, fault.New(fault.Internal, "what is kept of case %d is of no known form", id)
	}
	r.b, r.err = b[1:], nil
	k := Kept{Case: id, Change: change}
	r.head(&k)
	r.facts = r.facts[:0]
	for n := r.number(); n > 0 && r.err == nil; n-- {
		r.facts = append(r.facts, r.fact(&k))
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = errors.New("more than there should be")
	}
	if r.err != nil {
		return Kept{}, fault.New(fault.Internal, "what is kept of case %d: %w", id, r.err)
	}
	k.Facts = r.facts
	return k, nil
}

func (r *KeptReader) head(k *Kept) {
	flags := r.number()
	k.Emergency, k.Key, k.Placed = flags&1 != 0, flags&2 != 0, flags&4 != 0
	k.State, k.Channel = State(r.code()), Channel(r.code())
	k.Item, k.Major, k.Kind = r.code(), r.code(), Kind(r.code())
	k.Street, k.Grid, k.Centre, k.Lead = r.code(), r.code(), r.code(), r.code()
	k.Seq, k.Overlays, k.GridID = int(r.number()), Overlay(r.number()), grid.ID(r.number())
	k.Received = r.signed()
	k.Captured = r.after(k.Received)
	if k.Due = r.after(k.Received); k.Due == 0 {
		k.Due = NeverDue
	}
	if k.Placed {
		k.At.X, k.At.Y = int32(r.signed()), int32(r.signed())
	}
	if flags&8 != 0 {
		k.Order, k.OrderDue, k.OrderFinished = string(r.text()), r.after(k.Received), r.after(k.Received)
		if k.Order == "" && r.err == nil {
			r.err = errors.New("an order without a number")
		}
	}
	if flags&16 != 0 {
		k.Review = r.after(k.Received)
	}
	if flags&32 != 0 {
		for n := r.number(); n > 0 && r.err == nil; n-- {
			k.Parties = append(k.Parties, r.code())
		}
		k.Text, k.Address = string(r.text()), string(r.text())
	}
}

func (r *KeptReader) fact(k *Kept) Fact {
	f := Fact{Case: k.Case, Street: k.Street, Grid: k.Grid, Item: k.Item, Major: k.Major, Channel: k.Channel, Instants: Instants{Kind: k.Kind}}
	f.Cycle, f.Department = int(r.number()), r.code()
	flags := r.number()
	f.Hotline, f.SelfHandled, f.Final = flags&1 != 0, flags&2 != 0, flags&4 != 0
	for i, at := range f.instants() {
		*at = r.after(base(i, &f))
	}
	if flags&8 == 0 {
		return f
	}
	f.rare = &rare{}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		f.rare.dues = append(f.rare.dues, dueSet{r.after(f.Received), r.after(f.Received)})
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		f.rare.paused = append(f.rare.paused, [2]int64{r.after(f.Received), r.after(f.Received)})
	}
	return f
}

var errShort = errors.New("cut short")

func (r *KeptReader) number() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 { // most are
		v := uint64(r.b[0])
		r.b = r.b[1:]
		return v
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.err = nil, errShort
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *KeptReader) signed() int64 {
	v := r.number()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *KeptReader) text() []byte {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.b, r.err = nil, errShort
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

// code is a text that many cases have.
func (r *KeptReader) code() string {
	b := r.text()
	if len(b) == 0 {
		return ""
	}
	s, ok := r.codes[string(b)]
	if !ok {
		if r.codes == nil {
			r.codes = map[string]string{}
		}
		s = string(b)
		r.codes[s] = s
	}
	return s
}

func (r *KeptReader) after(base int64) int64 {
	v := r.number()
	if v == 0 {
		return 0
	}
	v--
	return base + (int64(v>>1) ^ -int64(v&1))
}
