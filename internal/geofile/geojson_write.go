package geofile

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"

	"github.com/paulmach/orb/geojson"
)

// encodeGeoJSON writes RFC 7946: WGS-84, outer rings counter-clockwise, no
// "crs". Coordinates keep every digit they have. An id that is a plain decimal
// integer of at most 15 digits becomes a number, as maps want their feature
// ids, and any other a string.
func encodeGeoJSON(w io.Writer, f *File) error {
	e := &geojsonEncoder{f: f}
	e.raw(`{"type":"FeatureCollection",`)
	if f.Name != "" {
		e.raw(`"name":`)
		e.value(f.Name)
		e.raw(`,`)
	}
	e.raw(`"features":[`)
	for i := range f.Features {
		if i > 0 {
			e.raw(`,`)
		}
		e.raw("\n")
		if err := e.feature(i); err != nil {
			return err
		}
		if err := e.flush(w); err != nil {
			return err
		}
	}
	e.raw("\n]}\n")
	return e.flush(w)
}

// geojsonEncoder gathers one feature at a time; err is the first failure.
type geojsonEncoder struct {
	f   *File
	buf bytes.Buffer
	err error
}

func (e *geojsonEncoder) raw(s string) { e.buf.WriteString(s) }

func (e *geojsonEncoder) value(v any) {
	b, err := plainJSON(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.buf.Write(b)
}

// plainJSON leaves <, > and & as they are, which json.Marshal does not.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (e *geojsonEncoder) flush(w io.Writer) error {
	_, err := e.buf.WriteTo(w)
	return err
}

func (e *geojsonEncoder) feature(i int) error {
	ft := &e.f.Features[i]
	e.raw(`{"type":"Feature",`)
	if ft.ID != "" {
		e.raw(`"id":`)
		if plainInteger(ft.ID) {
			e.raw(ft.ID)
		} else {
			e.value(ft.ID)
		}
		e.raw(`,`)
	}
	e.raw(`"properties":{`)
	for j, p := range ft.Properties {
		if j > 0 {
			e.raw(`,`)
		}
		e.value(p.Name)
		e.raw(`:`)
		e.value(p.Value)
	}
	e.raw(`},"geometry":`)
	if ft.Geometry == nil {
		e.raw(`null`)
	} else {
		e.value(geojson.NewGeometry(turned(ft.Geometry)))
	}
	e.raw(`}`)
	if e.err != nil {
		return e.f.invalid(i, "%w", e.err)
	}
	return nil
}

// plainInteger reports whether s is a decimal integer that a float64 holds
// exactly and that reads back as the same text.
func plainInteger(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && len(s) <= 15 && strconv.FormatInt(n, 10) == s
}
