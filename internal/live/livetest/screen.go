package livetest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// Screen is what a reader of frames knows. Its zero value knows nothing.
type Screen struct {
	At     int64 // of the last frame
	Roll   int64
	Units  map[int64]Row // nil for one unheard
	Grids  map[int64]Row
	Events []Row
	Last   string // id of the last frame
	Ended  bool   // an end came
	Frames int
	Snaps  int // of them

	columns map[string][]string
}

// Row is a unit, a grid or an event by its columns, with "at" and "since", Unix
// ms, in place of age and dwell; without since in no grid.
type Row map[string]int64

// Read takes what comes from r, until it ends or each, which is called after
// every frame, returns false. A frame that is cut short does not count. To go
// on with r afterwards, it must be a bufio.Reader.
func (s *Screen) Read(r io.Reader, each func() bool) error {
	var id, kind, data string
	lines, ok := r.(interface{ ReadString(byte) (string, error) })
	if !ok {
		lines = bufio.NewReader(r)
	}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		switch field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); field {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			data = value
		case "":
			if data == "" {
				continue // a comment, or retry
			}
			if err := s.apply(kind, []byte(data)); err != nil {
				return err
			}
			s.Last, data = id, ""
			if each != nil && !each() {
				return nil
			}
		}
	}
}

// Take reads one frame.
func (s *Screen) Take(frame []byte) error {
	if err := s.Read(strings.NewReader(string(frame)), nil); err != io.EOF {
		return err
	}
	return nil
}

func (s *Screen) apply(kind string, data []byte) error {
	if kind == "end" {
		s.Ended = true
		return nil
	}
	var f struct {
		At, Roll             int64
		Columns              map[string][]string
		Unheard, Gone        []int64
		Units, Grids, Events []int64
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	s.Frames++
	if kind == "snap" {
		s.Units, s.Grids, s.columns = map[int64]Row{}, map[int64]Row{}, f.Columns
		s.Snaps++
	}
	if s.columns == nil {
		return errors.New("the first frame is no snapshot")
	}
	s.At, s.Roll = f.At, f.Roll
	for _, u := range s.rows("units", f.Units) {
		s.Units[u["unit"]] = u
	}
	for _, u := range f.Unheard {
		s.Units[u] = nil
	}
	for _, u := range f.Gone {
		if _, ok := s.Units[u]; !ok {
			return fmt.Errorf("unit %d goes and never came", u)
		}
		delete(s.Units, u)
	}
	for _, g := range s.rows("grids", f.Grids) {
		s.Grids[g["grid"]] = g
	}
	s.Events = append(s.Events, s.rows("events", f.Events)...)
	return nil
}

func (s *Screen) rows(name string, flat []int64) (out []Row) {
	columns := s.columns[name]
	for ; len(flat) > 0; flat = flat[len(columns):] {
		row := Row{}
		for i, c := range columns {
			row[c] = flat[i]
		}
		for name, instant := range map[string]string{"age": "at", "dwell": "since"} {
			if v, ok := row[name]; ok {
				row[instant] = s.At - v
				delete(row, name)
			}
		}
		if row["grid"] == 0 {
			delete(row, "since")
		}
		out = append(out, row)
	}
	return out
}

// Differs is how s differs from what want says of each row, which may be less.
func (s *Screen) Differs(want *Screen) string {
	return cmp.Diff(want.Units, as(s.Units, want.Units)) + cmp.Diff(want.Grids, as(s.Grids, want.Grids))
}

// as is rows with only what like has of each.
func as(rows, like map[int64]Row) map[int64]Row {
	out := map[int64]Row{}
	for id, row := range rows {
		out[id] = row
		if row == nil || like[id] == nil {
			continue
		}
		out[id] = Row{}
		for name := range like[id] {
			out[id][name] = row[name]
		}
	}
	return out
}
