package httpapi

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// csvColumns are appended to every row. Grid is the code; street and
// department are names; border_m is the distance to the nearest border in
// metres; reason says why a row has no grid.
var csvColumns = []string{"grid", "grid_name", "street", "department", "border_m", "reason"}

// maxCSVColumns bounds a header: a table of a thousand columns is a mistake.
const maxCSVColumns = 1000

// answerCSV reads the rows twice: first to see that all of it is CSV, since an
// answer that has begun cannot be taken back, then to answer them.
func (b *batch) answerCSV(c *gin.Context, raw []byte) error {
	header, lon, lat, err := b.readCSVHeader(raw)
	if err != nil {
		return err
	}
	rows, err := countRows(raw, b.api.cfg.Limits.Points)
	if err != nil {
		return err
	}
	b.begin(c, "text/csv; charset=utf-8; header=present")
	w := csv.NewWriter(c.Writer)
	_ = w.Write(append(header, csvColumns...)) // a reader that went away shows below
	in := newCSVReader(raw)
	_, _ = in.Read() // the header again
	points := make([]point, 0, chunk)
	kept := make([][]string, 0, chunk)
	var l located
	for done := 0; done < rows; done += len(points) {
		points, kept = points[:0], kept[:0]
		for len(points) < min(chunk, rows-done) {
			row, err := in.Read()
			if err != nil {
				return fmt.Errorf("second reading of the rows: %w", err)
			}
			points = append(points, pointOfRow(row, len(header), lon, lat))
			kept = append(kept, fit(row, len(header)))
		}
		b.locate(points, &l)
		for i := range points {
			_ = w.Write(append(kept[i], b.csvFields(&points[i], &l, i)...))
		}
		if w.Error() != nil || c.Request.Context().Err() != nil {
			return nil // the reader has gone
		}
	}
	w.Flush()
	b.count(rows)
	return nil
}

func newCSVReader(raw []byte) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = -1
	return r
}

// readCSVHeader finds the columns of the coordinates: those named in the
// query, else the ones that everyone's tables have.
func (b *batch) readCSVHeader(raw []byte) (header []string, lon, lat int, err error) {
	header, err = newCSVReader(raw).Read()
	if errors.Is(err, io.EOF) {
		return nil, 0, 0, fault.InvalidField("body", "empty; the first row names the columns, lon and lat among them")
	}
	if err != nil {
		return nil, 0, 0, fault.InvalidField("body", "%w", err)
	}
	if len(header) > maxCSVColumns {
		return nil, 0, 0, fault.InvalidField("body", "more than %d columns", maxCSVColumns)
	}
	if lon, err = findColumn(header, "lon_column", b.lonColumn, "lon"); err != nil {
		return nil, 0, 0, err
	}
	lat, err = findColumn(header, "lat_column", b.latColumn, "lat")
	return header, lon, lat, err
}

func findColumn(header []string, param, named, usual string) (int, error) {
	for i, h := range header {
		if h = strings.TrimSpace(h); named != "" && h == named || named == "" && strings.EqualFold(h, usual) {
			return i, nil
		}
	}
	if named != "" {
		return 0, fault.InvalidField(param, "there is no column %.40q", named)
	}
	for i, h := range header {
		if aliases[strings.ToLower(strings.TrimSpace(h))] == usual {
			return i, nil
		}
	}
	return 0, fault.InvalidField(usual, "the header %.80q has no such column; name it with %s", strings.Join(header, ","), param)
}

func countRows(raw []byte, limit int) (int, error) {
	r := newCSVReader(raw)
	r.ReuseRecord = true
	for n := -1; ; n++ { // the header does not count
		_, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return 0, fault.InvalidField("body", "%w", err)
		case n >= limit:
			return 0, tooManyPoints(limit)
		}
	}
}

// The reasons, "word: sentence", are those of the command line.
const (
	reasonOutside = "outside: 不在辖区内 not in any grid"
	reasonMissing = "missing: 缺少经度或纬度 no longitude or no latitude"
	reasonText    = "not-a-number: 经度或纬度不是数字 longitude or latitude is not a number"
	reasonRange   = "out-of-range: 经纬度超出范围 beyond 180 degrees of longitude or 90 of latitude"
	reasonZero    = "zero: 经纬度均为零 longitude and latitude are both zero"
	reasonRagged  = "ragged: 列数与表头不符 more or fewer fields than the header"
)

// pointOfRow reads the coordinates of a row; one with more or fewer columns
// than the header is bad, for who knows which is which.
func pointOfRow(row []string, columns, lon, lat int) point {
	bad := func(reason string) point { return point{accuracy: -1, bad: &badPoint{detail: reason}} }
	if len(row) != columns {
		return bad(reasonRagged)
	}
	if strings.TrimSpace(row[lon]) == "" || strings.TrimSpace(row[lat]) == "" {
		return bad(reasonMissing)
	}
	x, okX := readNumber(row[lon])
	y, okY := readNumber(row[lat])
	switch {
	case !okX || !okY:
		return bad(reasonText)
	case !(math.Abs(x) <= 180) || !(math.Abs(y) <= 90):
		return bad(reasonRange)
	case x == 0 && y == 0:
		return bad(reasonZero) // what devices without a fix report
	}
	return point{lon: x, lat: y, accuracy: -1}
}

// fit makes a row as long as the header, with room for what is appended.
func fit(row []string, columns int) []string {
	out := make([]string, columns, columns+len(csvColumns))
	copy(out, row)
	return out
}

func (b *batch) csvFields(p *point, l *located, i int) []string {
	if p.bad != nil {
		return []string{"", "", "", "", "", p.bad.detail}
	}
	id, border := l.ids[i], b.d.index.BorderDistance(l.at[i])
	distance := strconv.FormatFloat(border, 'f', 1, 64)
	if id == grid.None {
		return []string{"", "", "", "", distance, reasonOutside}
	}
	t := b.d.text(id)
	department := t.csv[3]
	if b.item != nil {
		g, s := b.d.gridAndStreet(id)
		department = b.api.cfg.Catalogue.Lead(b.item, g, s).Name
	}
	return []string{t.csv[0], t.csv[1], t.csv[2], department, distance, ""}
}
