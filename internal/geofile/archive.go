package geofile

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// extension is a name's last extension in lower case, with its dot. Unlike the
// rest of this package it must not care for the operating system's separator.
func extension(name string) string { return strings.ToLower(path.Ext(name)) }

// gunzip unpacks at most what the allowance leaves, whatever data claims.
func (r *reader) gunzip(data []byte) ([]byte, error) {
	from, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, r.invalid("gzip: %w", err)
	}
	return r.readPacked("the gzipped content", from)
}

func (r *reader) readPacked(what string, from io.Reader) ([]byte, error) {
	left := r.opt.MaxBytes - r.unpacked
	data, err := io.ReadAll(io.LimitReader(from, left+1))
	if err != nil {
		return nil, r.invalid("%s: %w", what, err)
	}
	if int64(len(data)) > left {
		return nil, r.invalid("%s unpacks to more than the %d bytes allowed", what, r.opt.MaxBytes)
	}
	r.unpacked += int64(len(data))
	return data, nil
}

// archive is a .zip or .kmz, without folders and what macOS leaves behind.
type archive struct {
	r       *reader
	entries []*zip.File
	names   []string // decoded: Chinese Windows writes them in GBK
}

func (r *reader) openZip(data []byte) (*archive, error) {
	from, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, r.invalid("zip: %w", err)
	}
	a := &archive{r: r}
	for _, f := range from.File {
		name := f.Name
		if !utf8.ValidString(name) {
			if decoded, err := decodeText([]byte(name), gb18030); err == nil {
				name = string(decoded)
			}
		}
		name = strings.ReplaceAll(name, `\`, "/")
		if strings.HasSuffix(name, "/") || strings.Contains(name, "__MACOSX/") || strings.HasPrefix(path.Base(name), ".") {
			continue
		}
		a.entries = append(a.entries, f)
		a.names = append(a.names, name)
	}
	return a, nil
}

func (a *archive) read(i int) ([]byte, error) {
	f := a.entries[i]
	if f.UncompressedSize64 > uint64(a.r.opt.MaxBytes) {
		return nil, a.r.invalid("%s claims %d bytes, more than the %d allowed", a.names[i], f.UncompressedSize64, a.r.opt.MaxBytes)
	}
	from, err := f.Open()
	if err != nil {
		return nil, a.r.invalid("%s: %w", a.names[i], err)
	}
	defer from.Close()
	return a.r.readPacked(a.names[i], from)
}

// siblings are the entries of the same folder and stem as entry i.
func (a *archive) siblings(i int) siblings {
	want := strings.TrimSuffix(a.names[i], path.Ext(a.names[i]))
	return func(ext string) ([]byte, error) {
		for j, name := range a.names {
			if strings.EqualFold(name, want+ext) {
				return a.read(j)
			}
		}
		return nil, nil
	}
}

// readZip reads the one layer in the archive. A Shapefile goes before the
// single-file formats, since those lie beside it only as copies; in a KMZ the
// document is doc.kml or else the only .kml.
func (r *reader) readZip(data []byte) error {
	a, err := r.openZip(data)
	if err != nil {
		return err
	}
	for _, kinds := range [][]string{{".shp"}, {".gpkg"}, {".kml"}, {".geojson", ".json", ".topojson"}} {
		i, found, err := a.pick(kinds)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		inner, err := a.read(i)
		if err != nil {
			return err
		}
		outer := r.name
		r.name += "/" + a.names[i]
		if extension(outer) != ".kmz" {
			r.file.Name = stem(a.names[i])
		}
		return r.readPlain(inner, a.siblings(i))
	}
	return r.invalid("the archive's %d files hold no .shp, .gpkg, .kml or .geojson", len(a.entries))
}

// pick chooses among the entries of the given extensions.
func (a *archive) pick(kinds []string) (int, bool, error) {
	var found []int
	var names []string
	for i, name := range a.names {
		for _, ext := range kinds {
			if extension(name) != ext {
				continue
			}
			if path.Base(strings.ToLower(name)) == "doc.kml" || a.r.opt.Layer != "" && stem(name) == a.r.opt.Layer {
				return i, true, nil
			}
			found = append(found, i)
			names = append(names, stem(name))
		}
	}
	switch {
	case len(found) == 0:
		return 0, false, nil
	case len(found) > 1:
		return 0, false, a.r.noLayer("file", names)
	}
	return found[0], true, nil
}
