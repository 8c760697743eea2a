package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"lianqin/internal/fault"
)

// A backup is a gzipped tar of TABLE/000001.jsonl …, one JSON array for each
// row, its values in the order of the manifest's columns, blobs as base64; and
// last manifest.json, with the SHA-256 of each of these files. It says nothing
// of the database it came from, so that it can go into another.

// Manifest tells what a backup holds.
type Manifest struct {
	Format  string         `json:"format"`
	Version int            `json:"version"`
	Schema  int64          `json:"schema"`
	Created time.Time      `json:"created"`
	Tables  []tableSummary `json:"tables"` // each after those that it refers to
}

type tableSummary struct {
	table
	Rows  int64       `json:"rows"`
	Files []fileEntry `json:"files"`
}

type fileEntry struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

const (
	backupFormat  = "lianqin-backup"
	backupVersion = 1
	manifestName  = "manifest.json"
	chunkBytes    = 4 << 20   // rows go into one file until it is this long
	maxChunkBytes = 256 << 20 // no file of a backup is longer
)

// FilesTable is the table of photos and files, which a backup holds without
// what is in them.
const FilesTable = "evidence_file"

// RowsOf is the number of rows of one table.
func (m *Manifest) RowsOf(name string) int64 {
	for _, t := range m.Tables {
		if t.Name == name {
			return t.Rows
		}
	}
	return 0
}

// Rows is the number of rows in all.
func (m *Manifest) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// archiveWriter writes a backup.
type archiveWriter struct {
	gz       *gzip.Writer
	tar      *tar.Writer
	manifest Manifest
	chunk    bytes.Buffer
}

func newArchiveWriter(w io.Writer, schema int64, created time.Time) (*archiveWriter, error) {
	gz, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	return &archiveWriter{gz: gz, tar: tar.NewWriter(gz), manifest: Manifest{
		Format: backupFormat, Version: backupVersion, Schema: schema, Created: created.UTC().Truncate(time.Second)}}, nil
}

// begin opens the next table.
func (a *archiveWriter) begin(t table) {
	a.manifest.Tables = append(a.manifest.Tables, tableSummary{table: t, Files: []fileEntry{}})
}

// row adds a row to the table that was opened last.
func (a *archiveWriter) row(values []any) error {
	t := &a.manifest.Tables[len(a.manifest.Tables)-1]
	line, err := appendRow(a.chunk.AvailableBuffer(), t.Columns, values)
	if err != nil {
		return fmt.Errorf("%s: row %d: %w", t.Name, t.Rows+1, err)
	}
	a.chunk.Write(line)
	t.Rows++
	if a.chunk.Len() >= chunkBytes {
		return a.end()
	}
	return nil
}

// end closes the file of rows that is open, if any.
func (a *archiveWriter) end() error {
	if a.chunk.Len() == 0 {
		return nil
	}
	t := &a.manifest.Tables[len(a.manifest.Tables)-1]
	sum := sha256.Sum256(a.chunk.Bytes())
	file := fileEntry{fmt.Sprintf("%s/%06d.jsonl", t.Name, len(t.Files)+1), hex.EncodeToString(sum[:])}
	t.Files = append(t.Files, file)
	err := a.file(file.Name, a.chunk.Bytes())
	a.chunk.Reset()
	return err
}

func (a *archiveWriter) file(name string, data []byte) error {
	err := a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: a.manifest.Created})
	if err == nil {
		_, err = a.tar.Write(data)
	}
	return err
}

func (a *archiveWriter) close() error {
	data, err := json.MarshalIndent(a.manifest, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(a.file(manifestName, append(data, '\n')), a.tar.Close(), a.gz.Close())
}

func appendRow(b []byte, columns []column, values []any) ([]byte, error) {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		switch v := v.(type) {
		case nil:
			b = append(b, "null"...)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case float64:
			text, err := json.Marshal(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", columns[i].Name, err)
			}
			b = append(b, text...)
		case string:
			if !utf8.ValidString(v) {
				return nil, fmt.Errorf("%s: text that is not UTF-8", columns[i].Name)
			}
			text, err := json.Marshal(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", columns[i].Name, err)
			}
			b = append(b, text...)
		case []byte:
			b = append(b, '"')
			b = base64.StdEncoding.AppendEncode(b, v)
			b = append(b, '"')
		default:
			return nil, fmt.Errorf("%s: a %T", columns[i].Name, v)
		}
	}
	return append(b, ']', '\n'), nil
}

// readRow is the reverse of appendRow.
func readRow(line []byte, columns []column) ([]any, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, err
	}
	if len(raw) != len(columns) {
		return nil, fmt.Errorf("%d values for %d columns", len(raw), len(columns))
	}
	values := make([]any, len(raw))
	for i, text := range raw {
		if string(text) == "null" {
			continue
		}
		var err error
		switch columns[i].Type {
		case intColumn:
			values[i], err = strconv.ParseInt(string(text), 10, 64)
		case floatColumn:
			values[i], err = strconv.ParseFloat(string(text), 64)
		case textColumn:
			var s string
			err = json.Unmarshal(text, &s)
			values[i] = s
		case blobColumn:
			b := []byte{} // empty is not NULL
			err = json.Unmarshal(text, &b)
			values[i] = b
		default:
			err = fmt.Errorf("type %q", columns[i].Type)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", columns[i].Name, err)
		}
	}
	return values, nil
}

// readArchive goes through a backup, hands each file of rows to each, unless
// that is nil, and then holds everything against the manifest. It is Invalid
// when the backup is cut short, changed, or none at all.
func readArchive(r io.Reader, each func(name string, rows []byte) error) (*Manifest, error) {
	gz, err := gzip.NewReader(r)
	if err != nil {
		return nil, fault.New(fault.Invalid, "this is no backup: %w", err)
	}
	var found []fileEntry
	var manifest *Manifest
	files := tar.NewReader(gz)
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "the backup is damaged or cut short: %w", err)
		}
		data, err := io.ReadAll(io.LimitReader(files, maxChunkBytes+1))
		if err != nil {
			return nil, fault.New(fault.Invalid, "the backup is damaged or cut short in %s: %w", h.Name, err)
		}
		if len(data) > maxChunkBytes || manifest != nil {
			return nil, fault.New(fault.Invalid, "the backup has a file that does not belong there: %s", h.Name)
		}
		if h.Name == manifestName {
			if manifest, err = readManifest(data); err != nil {
				return nil, err
			}
			continue
		}
		sum := sha256.Sum256(data)
		found = append(found, fileEntry{h.Name, hex.EncodeToString(sum[:])})
		if each != nil {
			if err := each(h.Name, data); err != nil {
				return nil, err
			}
		}
	}
	if manifest == nil {
		return nil, fault.New(fault.Invalid, "the backup is cut short: it has no manifest")
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(gz, maxChunkBytes)); err != nil { // gzip's checksum comes last
		return nil, fault.New(fault.Invalid, "the backup is damaged or cut short at the end: %w", err)
	}
	var want []fileEntry
	for _, t := range manifest.Tables {
		want = append(want, t.Files...)
	}
	if !slices.Equal(want, found) {
		return nil, fault.New(fault.Invalid, "the backup was changed: the files do not have the manifest's checksums")
	}
	return manifest, nil
}

func readManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fault.New(fault.Invalid, "the backup's manifest cannot be read: %w", err)
	}
	if m.Format != backupFormat || m.Version != backupVersion {
		return nil, fault.New(fault.Invalid, "the backup has format %q version %d, and this program reads %q version %d",
			m.Format, m.Version, backupFormat, backupVersion)
	}
	return &m, nil
}
