package geofile

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"path"
	"slices"
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
		name := entryName(f)
		if strings.HasSuffix(name, "/") || strings.Contains(name, "__MACOSX/") || strings.HasPrefix(path.Base(name), "._") {
			continue
		}
		a.entries = append(a.entries, f)
		a.names = append(a.names, name)
	}
	return a, nil
}

// entryName is an entry's path in UTF-8: from the Unicode path field that GDAL
// adds to names it cannot spell in code page 437, or from the name itself,
// which Chinese Windows writes in GBK.
func entryName(f *zip.File) string {
	name := f.Name
	const unicodePath, prefix = 0x7075, 5 // version, checksum
	for extra := f.Extra; len(extra) >= 4; {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			break
		}
		if id == unicodePath && size > prefix && utf8.Valid(extra[prefix:size]) {
			name = string(extra[prefix:size])
		}
		extra = extra[size:]
	}
	if !utf8.ValidString(name) {
		if decoded, err := decodeText([]byte(name), gb18030); err == nil {
			name = string(decoded)
		}
	}
	return strings.ReplaceAll(name, `\`, "/")
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
// single-file formats, since those lie beside it only as copies.
func (r *reader) readZip(data []byte) error {
	a, err := r.openZip(data)
	if err != nil {
		return err
	}
	if r.opt.Layer == "" {
		if taken, err := a.readKMZ(); taken || err != nil {
			return err
		}
	}
	for _, kinds := range [][]string{{".shp"}, {".gpkg"}, {".kml"}, {".geojson", ".json", ".topojson"}} {
		i, found, err := a.pick(kinds)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		return a.readEntry(i)
	}
	return r.invalid("the archive's %d files hold no .shp, .gpkg, .kml or .geojson", len(a.entries))
}

// readEntry reads entry i as the file.
func (a *archive) readEntry(i int) error {
	inner, err := a.read(i)
	if err != nil {
		return err
	}
	r := a.r
	r.file.Name = stem(a.names[i])
	outer := r.name
	r.name += "/" + a.names[i]
	defer func() { r.name = outer }()
	return r.readPlain(inner, a.siblings(i))
}

const kmzDocument = "doc.kml"

// readKMZ reads doc.kml. Where that has no placemarks but only links to other
// files of the archive, as GDAL writes it, the choice is left among those.
func (a *archive) readKMZ() (taken bool, err error) {
	for i, name := range a.names {
		if strings.ToLower(path.Base(name)) != kmzDocument {
			continue
		}
		name := a.r.file.Name
		if err := a.readEntry(i); err != nil {
			return true, err
		}
		if a.r.file.Name == stem(kmzDocument) {
			a.r.file.Name = name
		}
		if a.r.number > 0 || !slices.ContainsFunc(a.names, func(other string) bool {
			return extension(other) == ".kml" && strings.ToLower(path.Base(other)) != kmzDocument
		}) {
			return true, nil
		}
		a.r.file.Warnings = nil
	}
	return false, nil
}

// pick chooses among the entries of the given extensions.
func (a *archive) pick(kinds []string) (int, bool, error) {
	var found []int
	var names []string
	for i, name := range a.names {
		for _, ext := range kinds {
			if extension(name) != ext || strings.ToLower(path.Base(name)) == kmzDocument {
				continue
			}
			if a.r.opt.Layer != "" && stem(name) == a.r.opt.Layer {
				return i, true, nil
			}
			found = append(found, i)
			names = append(names, stem(name))
		}
	}
	switch {
	case len(found) == 0:
		return 0, false, nil
	case len(found) > 1 || a.r.opt.Layer != "" && singleLayer(kinds):
		return 0, false, a.r.noLayer("file", names)
	}
	return found[0], true, nil
}

// singleLayer reports whether files of these kinds have no layers within, so
// that Options.Layer can only mean the file.
func singleLayer(kinds []string) bool { return kinds[0] == ".shp" || kinds[0] == ".kml" }
