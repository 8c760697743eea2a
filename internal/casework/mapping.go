package casework

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/grid"
)

// Mapping says how the table of another system is read: which of its columns
// is what. Columns that are not named are not read.
type Mapping struct {
	Number     string `json:"number"` // its own number of the case
	Item       string `json:"item"`
	Text       string `json:"text,omitempty"`
	Department string `json:"department,omitempty"`
	Channel    string `json:"channel,omitempty"`
	Lon        string `json:"lon,omitempty"` // WGS-84 degrees
	Lat        string `json:"lat,omitempty"`
	Created    string `json:"created"`
	Due        string `json:"due,omitempty"`
	Closed     string `json:"closed,omitempty"`
	Days       string `json:"days,omitempty"` // working days of a 12345 order

	Layout string `json:"layout"`           // of times, as Go writes them: "01/02/2006 03:04:05 PM"
	Offset string `json:"offset,omitempty"` // of times without one: "-05:00"; empty is +08:00

	Items    map[string]string  `json:"items,omitempty"`    // its words → codes of items; a word that is not there stays
	Channels map[string]Channel `json:"channels,omitempty"` // its words → channels; "" → what the others are
}

// ReadMapping reads a mapping as JSON. It is Invalid with a field that is
// none, or without number, item, created and layout.
func ReadMapping(r io.Reader) (*Mapping, error) {
	dec := json.NewDecoder(io.LimitReader(r, maxTableBytes))
	dec.DisallowUnknownFields()
	var m Mapping
	if err := dec.Decode(&m); err != nil {
		return nil, fault.New(fault.Invalid, "mapping: %w", err)
	}
	for _, f := range [...]struct{ name, value string }{
		{"number", m.Number}, {"item", m.Item}, {"created", m.Created}, {"layout", m.Layout},
	} {
		if f.value == "" {
			return nil, fault.InvalidField(f.name, "mapping: empty")
		}
	}
	if _, err := m.zone(); err != nil {
		return nil, err
	}
	if (m.Lon == "") != (m.Lat == "") {
		return nil, fault.InvalidField("lat", "mapping: lon and lat come together")
	}
	return &m, nil
}

func (m *Mapping) zone() (*time.Location, error) {
	if m.Offset == "" {
		return grid.Zone, nil
	}
	t, err := time.Parse("-07:00", m.Offset)
	if err != nil {
		return nil, fault.InvalidField("offset", "mapping: %q is not of the form +08:00", m.Offset)
	}
	_, seconds := t.Zone()
	return time.FixedZone(m.Offset, seconds), nil
}

// Foreign is one case of another system.
type Foreign struct {
	Line       int // in the table
	Number     string
	Item       string
	Text       string
	Department string
	Channel    Channel
	At         orb.Point // zero when there is none
	Created    time.Time
	Due        time.Time // zero when there is none
	Closed     time.Time // zero when it is not
	Days       int       // of a 12345 order; 0 when the mapping has none
}

// Unreadable is a row that could not be read, and why.
type Unreadable struct {
	Line  int
	Error error // Invalid, naming line and column
}

// ReadForeign reads a table by a mapping. A row that cannot be read is told
// apart and costs itself alone; a number that comes again is such a row. It is
// Invalid when the table is none, or lacks a column that the mapping names.
func ReadForeign(r io.Reader, m *Mapping) ([]Foreign, []Unreadable, error) {
	zone, err := m.zone()
	if err != nil {
		return nil, nil, err
	}
	var wanted []string
	for _, c := range []string{m.Number, m.Item, m.Created, m.Text, m.Department, m.Channel, m.Lon, m.Lat, m.Due, m.Closed, m.Days} {
		if c != "" {
			wanted = append(wanted, c)
		}
	}
	t, err := openTable("table", r, wanted...)
	if err != nil {
		return nil, nil, err
	}
	var rows []Foreign
	var bad []Unreadable
	seen := map[string]int{}
	for t.next() {
		line, _ := t.csv.FieldPos(0)
		f := m.foreign(t, zone)
		f.Line = line
		if first, again := seen[f.Number]; again {
			t.wrong(m.Number, "%q is there already, in line %d", f.Number, first)
		}
		if t.err != nil {
			bad, t.err = append(bad, Unreadable{line, t.err}), nil
			continue
		}
		seen[f.Number] = line
		rows = append(rows, f)
	}
	return rows, bad, t.err
}

func (m *Mapping) foreign(t *table, zone *time.Location) Foreign {
	f := Foreign{Number: t.text(m.Number), Item: t.text(m.Item), Created: m.time(t, m.Created, zone), Due: m.time(t, m.Due, zone), Closed: m.time(t, m.Closed, zone)}
	if f.Created.IsZero() {
		t.wrong(m.Created, "empty")
	}
	if code, ok := m.Items[f.Item]; ok {
		f.Item = code
	}
	if m.Text != "" {
		f.Text = t.optional(m.Text)
	}
	if m.Department != "" {
		f.Department = t.optional(m.Department)
	}
	if m.Days != "" {
		f.Days = t.positive(m.Days, 366)
	}
	word := ""
	if m.Channel != "" {
		word = t.optional(m.Channel)
	}
	channel, ok := m.Channels[word]
	if !ok {
		channel = m.Channels[""]
	}
	f.Channel = channel
	if m.Lon != "" && t.optional(m.Lon)+t.optional(m.Lat) != "" { // who telephones may have none
		f.At = orb.Point{number(t, m.Lon), number(t, m.Lat)}
		if _, err := geo.Quantise(f.At); err != nil {
			t.wrong(m.Lon, "%v is no position", f.At)
		}
	}
	return f
}

func (m *Mapping) time(t *table, column string, zone *time.Location) time.Time {
	if column == "" || t.optional(column) == "" {
		return time.Time{}
	}
	at, err := time.ParseInLocation(m.Layout, t.optional(column), zone)
	if err != nil {
		t.wrong(column, "%q is not a time such as %s", t.optional(column), m.Layout)
	}
	return instant(at)
}

func number(t *table, column string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(t.optional(column)), 64)
	if err != nil {
		t.wrong(column, "%q is not a number", t.optional(column))
	}
	return v
}

// Report is what such a case is reported with, by its channel: a 12345 order
// has its own number and was issued when it was created. Its place is for the
// caller to find.
func (f *Foreign) Report() Input {
	in := Input{Item: f.Item, Intake: &Intake{Channel: f.Channel, Captured: f.Created, Text: f.Text}}
	if f.Channel == ByHotline {
		in.Intake.Order = &Order{Number: f.Number, Days: f.Days, Issued: f.Created}
	}
	return in
}
