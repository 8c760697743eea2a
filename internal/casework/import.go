package casework

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Archive is where whole histories are entered and given out again. All
// methods are safe for concurrent use.
type Archive interface {
	// Load enters cases that are not there yet, batch by batch in their order,
	// each batch in one transaction, and tells what became of every case of a
	// batch once that is committed. Batches are made on other goroutines, several
	// at a time. It ends at the first error; what was told stays.
	Load(ctx context.Context, batches iter.Seq2[Batch, error], told func([]Landing)) error
	// Histories tells all cases that there are at one moment, by their IDs; with
	// who reported them only where that is asked for, which the audit says.
	Histories(ctx context.Context, reporters bool, f func(*History) error) error
}

// Batch makes some cases that are to be entered.
type Batch func() []Loading

// Loading is a case that is to be entered, as its History came to it by Check.
type Loading struct {
	History
	Case Case
	Line int // in the file that it is from
}

// Landing is what became of a Loading: entered, or there already, or refused.
type Landing struct {
	Line  int
	Case  int64 // its ID here, but for what was refused
	Known bool  // it was there already
	Err   error // Conflict: why it was refused
}

// Imported says what became of a table's rows or of a file's lines.
type Imported struct {
	Added, Known int
	Refused      int          // in all; Rejected are the first of them
	Rejected     []Unreadable // in the order of lines
}

// MaxRejected is how many of those refused are told one by one.
const MaxRejected = 1000

// batchCases and batchBytes are how much of a file goes into one batch.
const (
	batchCases = 1000
	batchBytes = 8 << 20
)

// Import enters the cases of a file of histories, one a line. Lines that name
// no source are from the one given. What is there already is counted and not
// entered again; a line that cannot be entered costs itself alone. An error
// ends it, and what is counted then is entered. The file may be packed by gzip or
// zstd. Told, unless it is nil, is called after every batch.
func (d *Desk) Import(ctx context.Context, r io.Reader, source string, told func(Imported)) (Imported, error) {
	m := d.importer(source, told)
	plain, err := plainText(r)
	if err != nil {
		return m.out, err
	}
	defer plain.Close()
	lines := lineReader{in: bufio.NewReaderSize(plain, 1<<20)}
	return m.load(ctx, func(yield func(Batch, error) bool) {
		for {
			batch, err := lines.batch(m)
			if len(batch) > 0 && !yield(func() []Loading { return m.read(batch) }, nil) {
				return
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	})
}

// ImportTable enters the cases of another system's table, in the same way,
// each by the history that it must have had. The table is read as ReadForeign
// does.
func (d *Desk) ImportTable(ctx context.Context, r io.Reader, by *Mapping, source string, told func(Imported)) (Imported, error) {
	m := d.importer(source, told)
	if source == "" {
		return m.out, fault.InvalidField("source", "where the table comes from has to be named")
	}
	plain, err := plainText(r)
	if err != nil {
		return m.out, err
	}
	defer plain.Close()
	rows, bad, err := ReadForeign(plain, by)
	if err != nil {
		return m.out, err
	}
	for _, u := range bad {
		m.refuse(u.Line, u.Error)
	}
	return m.load(ctx, func(yield func(Batch, error) bool) {
		for batch := range slices.Chunk(rows, batchCases) {
			if !yield(func() []Loading { return m.convert(batch) }, nil) {
				return
			}
		}
	})
}

// importer is one import under way.
type importer struct {
	d      *Desk
	source string
	now    time.Time
	told   func(Imported)

	mu  sync.Mutex
	out Imported
}

func (d *Desk) importer(source string, told func(Imported)) *importer {
	return &importer{d: d, source: source, now: d.cfg.Now(), told: told}
}

func (m *importer) refuse(line int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out.Refused++
	if len(m.out.Rejected) < MaxRejected {
		m.out.Rejected = append(m.out.Rejected, Unreadable{line, err})
	}
}

func (m *importer) load(ctx context.Context, batches iter.Seq2[Batch, error]) (Imported, error) {
	if m.d.cfg.Archive == nil {
		return m.out, fault.New(fault.Unavailable, "no histories are taken in here")
	}
	err := m.d.cfg.Archive.Load(ctx, batches, m.landed)
	if again := m.d.Reload(context.WithoutCancel(ctx)); err == nil {
		err = again
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.SortFunc(m.out.Rejected, func(a, b Unreadable) int { return cmp.Compare(a.Line, b.Line) })
	return m.out, err
}

func (m *importer) landed(all []Landing) {
	for _, l := range all {
		switch {
		case l.Err != nil:
			m.refuse(l.Line, l.Err)
		case l.Known:
			m.out.Known++
		default:
			m.out.Added++
		}
	}
	if m.told != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.told(m.out)
	}
}

// rawLine is one line of a file.
type rawLine struct {
	number int
	text   []byte
}

// lineReader takes a file apart into lines.
type lineReader struct {
	in *bufio.Reader
	at int // lines read
}

// batch are the next lines; with the last of them comes io.EOF.
func (r *lineReader) batch(m *importer) (lines []rawLine, err error) {
	for size := 0; err == nil && len(lines) < batchCases && size < batchBytes; {
		var text []byte
		var long bool
		text, long, err = r.line()
		if len(text) == 0 && err != nil {
			break
		}
		r.at++
		if r.at == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		switch text = bytes.TrimSpace(text); {
		case long:
			m.refuse(r.at, fault.New(fault.Invalid, "longer than %d bytes", MaxHistoryBytes))
		case len(text) > 0:
			lines, size = append(lines, rawLine{r.at, text}), size+len(text)
		}
	}
	return lines, err
}

// line is the next line, or that it is longer than MaxHistoryBytes and was
// passed over.
func (r *lineReader) line() (text []byte, long bool, err error) {
	for {
		part, err := r.in.ReadSlice('\n')
		if !long {
			text = append(text, part...)
			long = len(text) > MaxHistoryBytes
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, long, err
		}
	}
}

// read makes cases of lines.
func (m *importer) read(lines []rawLine) []Loading {
	out := make([]Loading, 0, len(lines))
	for _, line := range lines {
		h, err := ReadHistory(line.text)
		if err == nil {
			h.Source = cmp.Or(h.Source, m.source)
			var l Loading
			if l, err = m.loading(line.number, h); err == nil {
				out = append(out, l)
				continue
			}
		}
		m.refuse(line.number, err)
	}
	return out
}

// convert makes cases of another system's.
func (m *importer) convert(rows []Foreign) []Loading {
	out := make([]Loading, 0, len(rows))
	for i := range rows {
		f := &rows[i]
		h, err := f.History(m.d.Procedure(), m.d.cfg.Indexes.At(f.Created.UnixMilli()))
		if err == nil {
			h.Source = m.source
			var l Loading
			if l, err = m.loading(f.Line, h); err == nil {
				out = append(out, l)
				continue
			}
		}
		m.refuse(f.Line, err)
	}
	return out
}

func (m *importer) loading(line int, h History) (Loading, error) {
	if h.Source == "" {
		return Loading{}, fault.InvalidField("source", "neither the line nor the import names one")
	}
	if err := m.d.settle(&h); err != nil {
		return Loading{}, err
	}
	c, err := h.Check(m.now)
	return Loading{History: h, Case: c, Line: line}, err
}

// settle gives the places of h the numbers that their grids have here. What
// lies in no grid is kept as it was told, and on no map. Which inspection of
// another system something was found in means nothing here, and is left out.
func (d *Desk) settle(h *History) error {
	var captured time.Time
	for i := range h.Entries {
		in := &h.Entries[i].Input
		in.Inspected = nil
		if in.Intake != nil {
			captured = in.Intake.Captured
		}
		p := in.Place
		switch {
		case p == nil:
		case p.GridCode == "":
			p.Generation, p.Grid, p.Street = 0, grid.None, ""
		default:
			x, err := d.index(captured)
			if err != nil {
				return err
			}
			g, ok := x.Generation().GridByCode(p.GridCode)
			if !ok || g.Street != p.Street {
				return fault.InvalidField("place", "no grid %q of a street %q was in force at %s", clipName(p.GridCode), clipName(p.Street), captured.Format(time.RFC3339))
			}
			p.Generation, p.Grid = x.Generation().Number(), g.ID
		}
	}
	return nil
}
