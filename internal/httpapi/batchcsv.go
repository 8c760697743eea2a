package httpapi

import (
	"bytes"
	"errors"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/table"
)

// maxCSVColumns bounds a header: short rows are filled up to its length.
const maxCSVColumns = 1000

// answerCSV stamps the rows as the command line does. It goes through them
// twice: first to count them, since an answer that has begun cannot be taken
// back, then to answer them.
func (b *batch) answerCSV(c *gin.Context, raw []byte) error {
	opt := table.Options{
		Format: table.CSV, Encoding: b.encoding, Datum: b.datum,
		LonColumn: b.lonColumn, LatColumn: b.latColumn, MaxColumns: maxCSVColumns, MinDecimals: table.UsualMinDecimals,
		Settings: table.Settings{LonColumn: "lon_column", LatColumn: "lat_column"},
	}
	if b.item != nil {
		opt.Department = b.leadName
	}
	limit := b.api.cfg.Limits.Points
	rows, err := table.Count(raw, limit, b.d.gen, b.d.index, opt)
	if err != nil {
		return aboutBody(err)
	}
	if rows > limit {
		return tooManyPoints(limit)
	}
	opt.Begin = func(l table.Layout) {
		b.begin(c, "text/csv; charset="+string(l.Encoding)+"; header=present")
	}
	sum, err := table.Resolve(c.Request.Context(), c.Writer, bytes.NewReader(raw), b.d.gen, b.d.index, opt)
	if _, gone := errors.AsType[*table.WriteError](err); gone || c.Request.Context().Err() != nil {
		return nil // the reader has gone
	}
	if err != nil {
		return aboutBody(err)
	}
	b.counts[inside], b.counts[invalid] = int(sum.Inside), int(sum.Refused())
	b.count(rows)
	return nil
}

// aboutBody says of what is wrong with the input, and with no parameter, that
// it is the body.
func aboutBody(err error) error {
	if fault.KindOf(err) == fault.Invalid && fault.FieldOf(err) == "" {
		return fault.InvalidField("body", "%w", err)
	}
	return err
}

func (b *batch) leadName(id grid.ID) string {
	g, s := b.d.gridAndStreet(id)
	return b.api.cfg.Catalogue.Lead(b.item, g, s).Name
}
