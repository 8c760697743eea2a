package geofile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"lianqin/internal/fault"
)

// Read reads the boundary file at path. What it is goes by its content: JSON
// is GeoJSON or TopoJSON whatever its name says, alone or gzipped; a .zip or
// .kmz is looked into; a .shp takes its .dbf, .prj, .cpg and .shx from beside
// it. Nothing is written, not even a GeoPackage's lock.
//
// An error means that nothing could be read: NotFound when there is no such
// file, Invalid when it is none of the formats, damaged, over a bound of opt,
// in an unsupported coordinate system, or needs opt.Layer. A feature that
// cannot be read is no error: it is in File.Refused, and File.Err tells.
func Read(path string, opt Options) (*File, error) {
	r := newReader(path, opt)
	data, err := r.readDisk(path)
	if err != nil {
		return nil, err
	}
	return r.read(data, diskSiblings(r, path))
}

// ReadFrom reads an uploaded file of size bytes, or of unknown size when size
// is negative; name is what the uploader calls it. It reads as Read does, but a
// Shapefile has to come as a .zip to bring its attributes along.
func ReadFrom(from io.Reader, size int64, name string, opt Options) (*File, error) {
	r := newReader(name, opt)
	if size > r.opt.MaxBytes {
		return nil, r.tooLarge(size)
	}
	data, err := r.readAll(from)
	if err != nil {
		return nil, err
	}
	return r.read(data, noSiblings)
}

// ReadBytes is ReadFrom for a file in memory; data is not changed and not kept.
func ReadBytes(data []byte, name string, opt Options) (*File, error) {
	r := newReader(name, opt)
	if int64(len(data)) > r.opt.MaxBytes {
		return nil, r.tooLarge(int64(len(data)))
	}
	return r.read(data, noSiblings)
}

func (r *reader) tooLarge(size int64) error {
	return r.invalid("%d bytes, more than the %d allowed", size, r.opt.MaxBytes)
}

// siblings finds the file beside a .shp with another extension, such as
// ".dbf"; nil when there is none.
type siblings func(ext string) ([]byte, error)

func noSiblings(string) ([]byte, error) { return nil, nil }

func diskSiblings(r *reader, path string) siblings {
	return func(ext string) ([]byte, error) {
		stem := strings.TrimSuffix(path, extension(path))
		for _, e := range []string{ext, strings.ToUpper(ext)} {
			data, err := r.readDisk(stem + e)
			if fault.KindOf(err) != fault.NotFound {
				return data, err
			}
		}
		return nil, nil
	}
}

// readDisk takes a file's bytes from the allowance.
func (r *reader) readDisk(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "%w", err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fault.New(fault.Invalid, "%s is a folder", path)
	}
	if info.Size() > r.opt.MaxBytes {
		return nil, r.tooLarge(info.Size())
	}
	return r.readAll(f)
}

func (r *reader) readAll(from io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, r.opt.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > r.opt.MaxBytes {
		return nil, r.invalid("more than the %d bytes allowed", r.opt.MaxBytes)
	}
	return data, nil
}

var (
	gzipMagic   = []byte{0x1f, 0x8b}
	zipMagic    = []byte("PK\x03\x04")
	sqliteMagic = []byte("SQLite format 3\x00")
	shapeMagic  = []byte{0, 0, 0x27, 0x0a}
	utf8BOM     = []byte("\ufeff")
)

// read unpacks data as far as needed and reads what it is.
func (r *reader) read(data []byte, beside siblings) (*File, error) {
	if bytes.HasPrefix(data, gzipMagic) {
		unpacked, err := r.gunzip(data)
		if err != nil {
			return nil, err
		}
		data = unpacked
	}
	var err error
	if bytes.HasPrefix(data, zipMagic) {
		err = r.readZip(data)
	} else {
		err = r.readPlain(data, beside)
	}
	if err != nil {
		return nil, err
	}
	return r.done(), nil
}

func (r *reader) readPlain(data []byte, beside siblings) error {
	start := bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 512)], utf8BOM), " \t\r\n")
	switch {
	case bytes.HasPrefix(data, sqliteMagic):
		return r.readGeoPackage(data)
	case bytes.HasPrefix(data, shapeMagic):
		return r.readShapefile(data, beside)
	case bytes.HasPrefix(start, []byte("{")):
		return r.readJSON(data)
	case bytes.HasPrefix(start, []byte("<")):
		return r.readKML(data)
	}
	switch extension(r.name) {
	case ".dbf", ".shx", ".prj", ".cpg":
		return r.invalid("part of a Shapefile; name its .shp")
	}
	return r.invalid("not a GeoJSON, TopoJSON, Shapefile, GeoPackage or KML file; it begins with %q", data[:min(len(data), 16)])
}
