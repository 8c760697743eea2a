package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"lianqin/internal/fault"
	"lianqin/internal/geofile"
)

// readBoundaries reads the boundary file that the user named.
func readBoundaries(path, layer string) (*geofile.File, error) {
	f, err := geofile.Read(path, geofile.Options{Layer: layer})
	return f, notFound(path, err)
}

// notFound makes a fault of the failure to find path, and leaves other errors
// as they are.
func notFound(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "找不到文件 no such file: %s", path)
	}
	return err
}

// noFolder is notFound for the folder that path should go to.
func noFolder(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "找不到文件夹 no such folder: %s", filepath.Dir(path))
	}
	return err
}

// create opens path for writing, or standard output when path is empty. The
// file appears under its name only when finish is told that all went well, so
// that it may be the one that is being read, and is never half of one. What is
// there and is no regular file (a pipe, /dev/null) is written to, not replaced.
func (s *session) create(path string) (w io.Writer, finish func(ok bool) error, err error) {
	if path == "" {
		return s.out, func(bool) error { return nil }, nil
	}
	if there, err := os.Stat(path); err == nil && !there.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, nil, err
		}
		return f, func(bool) error { return f.Close() }, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".lianqin-*")
	if err != nil {
		return nil, nil, noFolder(path, err)
	}
	return f, func(ok bool) error {
		err := f.Close()
		if ok && err == nil {
			if err = os.Chmod(f.Name(), 0o644); err == nil {
				err = os.Rename(f.Name(), path)
			}
		}
		if !ok || err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
		return err
	}, nil
}
