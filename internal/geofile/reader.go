package geofile

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
)

// Options bounds a reading. The zero value is the default.
type Options struct {
	// Layer picks one of several: a GeoPackage's feature table, a TopoJSON
	// object, or the file of a .zip by its name without extension.
	Layer string
	// MaxBytes bounds the file, and apart from it all that is unpacked from it.
	// Default 512 MiB.
	MaxBytes int64
	// MaxFeatures bounds the features, refused ones included. Default 1,000,000.
	MaxFeatures int
	// MaxVertices bounds the vertices of all features together. Default
	// 20,000,000.
	MaxVertices int
}

// valuesPerFeature bounds attribute values: MaxFeatures times this in all, so
// that a table of a thousand one-byte columns does not become gigabytes.
const valuesPerFeature = 32

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 512 << 20
	}
	if o.MaxFeatures <= 0 {
		o.MaxFeatures = 1_000_000
	}
	if o.MaxVertices <= 0 {
		o.MaxVertices = 20_000_000
	}
	return o
}

// limitError is a failure of the whole file that may surface while one feature
// is being read; it must not be mistaken for that feature's own.
type limitError struct{ error }

func (e limitError) Unwrap() error { return e.error }

// reader is one file being read: what is left of its bounds, the coordinate
// system in force, and the File as far as it has come.
type reader struct {
	name     string // for errors
	opt      Options
	crs      *crs
	file     File
	unpacked int64
	number   int // of the last feature begun
	vertices int
	values   int
	// Counts of what was mended, each reported once.
	closedRings, notFinite int
}

func newReader(name string, opt Options) *reader {
	return &reader{name: name, opt: opt.withDefaults(), file: File{Name: stem(name)}}
}

// stem is a file's name without folders and extension.
func stem(name string) string {
	base := filepath.Base(name)
	if extension(base) == ".gz" { // grids.geojson.gz
		base = base[:len(base)-len(".gz")]
	}
	if ext := filepath.Ext(base); ext != base {
		base = strings.TrimSuffix(base, ext)
	}
	return base
}

// invalid is an Invalid error about the file; one about its bounds, which
// already names the file, passes as it is.
func (r *reader) invalid(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if limit, ok := errors.AsType[limitError](err); ok {
		return limit
	}
	return fault.New(fault.Invalid, "%s: %w", r.name, err)
}

func (r *reader) warn(format string, args ...any) {
	r.file.Warnings = append(r.file.Warnings, fmt.Sprintf(format, args...))
}

// takeVertices is called before n vertices are allocated.
func (r *reader) takeVertices(n int) error {
	if n > r.opt.MaxVertices-r.vertices {
		return limitError{r.invalid("feature %d: more than %d vertices in all", r.number, r.opt.MaxVertices)}
	}
	r.vertices += n
	return nil
}

// takeValues is called before n attribute values are allocated.
func (r *reader) takeValues(n int) error {
	if n > r.opt.MaxFeatures*valuesPerFeature-r.values {
		return limitError{r.invalid("feature %d: more than %d attribute values in all",
			r.number, r.opt.MaxFeatures*valuesPerFeature)}
	}
	r.values += n
	return nil
}

// begin starts the next feature.
func (r *reader) begin() error {
	if r.number >= r.opt.MaxFeatures {
		return limitError{r.invalid("more than %d features", r.opt.MaxFeatures)}
	}
	r.number++
	return nil
}

// admit ends the feature begun last: it enters the file, or the list of the
// refused when err or its geometry says so. Only a bound of the whole file is
// returned.
func (r *reader) admit(id string, props Properties, g orb.Geometry, err error) error {
	if err == nil {
		g, err = r.place(g)
	}
	if _, whole := errors.AsType[limitError](err); whole {
		return err
	}
	if err != nil {
		r.file.Refused = append(r.file.Refused, Refusal{Feature: r.number, ID: id, Reason: err.Error()})
		return nil
	}
	for i := range props {
		if v, ok := props[i].Value.(float64); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			props[i].Value = nil
			r.notFinite++
		}
	}
	r.file.Features = append(r.file.Features, Feature{Number: r.number, ID: id, Properties: props, Geometry: g})
	return nil
}

// done closes the reading.
func (r *reader) done() *File {
	if r.crs != nil {
		r.file.CRS = r.crs.name
	}
	if r.closedRings > 0 {
		r.warn("%d rings did not repeat their first vertex; closed", r.closedRings)
	}
	if r.notFinite > 0 {
		r.warn("%d attribute numbers were not finite; read as null", r.notFinite)
	}
	return &r.file
}

// at prefixes err with the part of a geometry it is about, counted from 1.
func at(what string, i int, err error) error {
	if _, whole := errors.AsType[limitError](err); whole {
		return err
	}
	return fmt.Errorf("%s %d: %w", what, i+1, err)
}
