package evidence

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"lianqin/internal/fault"
)

// Folder is Storage in a folder: each object a file, in one of 1,024 folders
// by the first two letters of its name. Nothing outside of the folder can be
// named.
type Folder struct{ root *os.Root }

// OpenFolder opens a folder, which is made when there is none; several
// processes may share it.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fault.New(fault.Unavailable, "folder of files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "folder of files: %w", err)
	}
	f := &Folder{root}
	return f, f.clear()
}

// Close implements Storage.
func (f *Folder) Close() error { return f.root.Close() }

// partial begins the names of files that are being written.
const partial = ".new-"

// clear removes what a process left that died while it wrote.
func (f *Folder) clear() error {
	left, err := fs.Glob(f.root.FS(), "*/"+partial+"*")
	if err != nil {
		return err
	}
	for _, name := range left {
		if info, err := f.root.Stat(name); err == nil && time.Since(info.ModTime()) > time.Hour {
			if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fault.New(fault.Unavailable, "folder of files: %w", err)
			}
		}
	}
	return nil
}

func placeOf(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return path.Join(name[:2], name), nil
}

// Put implements Storage: the file appears under its name when it is whole and
// on disk.
func (f *Folder) Put(_ context.Context, name string, data []byte) error {
	at, err := placeOf(name)
	if err != nil {
		return err
	}
	dir := path.Dir(at)
	err = f.root.Mkdir(dir, 0o750)
	if err == nil {
		err = f.sync(".")
	} else if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err == nil {
		temp := path.Join(dir, partial+strings.TrimSuffix(newName("x"), ".x"))
		if err = f.write(temp, data); err == nil {
			err = f.root.Rename(temp, at)
		}
		if err != nil {
			_ = f.root.Remove(temp) // or clear does
		}
	}
	if err == nil {
		err = f.sync(dir)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "file %s cannot be kept: %w", name, err)
	}
	return nil
}

func (f *Folder) write(temp string, data []byte) error {
	w, err := f.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = w.Write(data); err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open implements Storage.
func (f *Folder) Open(_ context.Context, name string) (io.ReadSeekCloser, error) {
	at, err := placeOf(name)
	if err != nil {
		return nil, err
	}
	r, err := f.root.Open(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "there is no file %s in storage", name)
	case err != nil:
		return nil, fault.New(fault.Unavailable, "file %s cannot be read: %w", name, err)
	}
	return r, nil
}

// Delete implements Storage.
func (f *Folder) Delete(_ context.Context, name string) error {
	at, err := placeOf(name)
	if err != nil {
		return err
	}
	if err := f.root.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Unavailable, "file %s cannot be removed: %w", name, err)
	}
	return nil
}
