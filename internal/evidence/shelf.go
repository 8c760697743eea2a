package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"time"

	"lianqin/internal/fault"
)

// Store enters which files there are. All methods are safe for concurrent use.
type Store interface {
	// EnterFile enters f, which no case has claimed. It is Unavailable, with f
	// not entered, when what waits to be claimed, of senders who had signed in
	// or of those who had not, as with f, would be more than most bytes, each
	// file with its Overhead.
	EnterFile(ctx context.Context, f File, most int64) error
	// File is the file of that name, or NotFound.
	File(ctx context.Context, name string) (File, error)
	// StaleFiles are up to limit names of files that were received before an
	// instant, and that no case has claimed.
	StaleFiles(ctx context.Context, before time.Time, limit int) ([]string, error)
	// DropFile forgets a file that no case has claimed.
	DropFile(ctx context.Context, name string) error
}

// Storage holds what is in files, by name. All methods are safe for concurrent
// use, by several processes. Names are a Shelf's: letters, digits and dots.
type Storage interface {
	// Put holds data for good when it returns.
	Put(ctx context.Context, name string, data []byte) error
	// Open is what is held, or NotFound. The caller closes it.
	Open(ctx context.Context, name string) (io.ReadSeekCloser, error)
	// Delete lets go of it; it is no error when there is none.
	Delete(ctx context.Context, name string) error
	// Close ends its use.
	Close() error
}

// The most that may wait to be claimed, so that nobody fills the storage: of
// those who had not signed in, and of those who had.
const (
	mostWaitingPublic = 2 << 30
	mostWaiting       = 20 << 30
)

// Overhead is what a file counts beside its bytes while it waits to be
// claimed: many small ones are a burden, too.
const Overhead = 64 << 10

// Shelf is where files are kept. It is safe for concurrent use, and so are
// several, in several processes, on one Store and one Storage.
type Shelf struct {
	store    Store
	storage  Storage
	zone     *time.Location
	now      func() time.Time
	decoding chan struct{} // held by who decodes a photo
}

// NewShelf is a shelf whose photos take zone where they do not say one, and
// whose clock is now.
func NewShelf(store Store, storage Storage, zone *time.Location, now func() time.Time) *Shelf {
	// Half of the processors, for the rest of the service goes on.
	return &Shelf{store, storage, zone, now, make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
}

// Keep keeps what data holds, under a new name, durably; and tells what it
// said of itself. It takes over data. It is Invalid with the field "file" for
// what is not kept, and Unavailable when too much waits already.
func (s *Shelf) Keep(ctx context.Context, sender string, data []byte) (File, Told, error) {
	p, err := s.prepare(ctx, data)
	if err != nil {
		return File{}, Told{}, err
	}
	f := p.file
	f.Name, f.Sender = newName(p.format.ending), sender
	most := int64(mostWaiting)
	if sender == "" {
		most = mostWaitingPublic
	}
	return f, p.told, s.enter(ctx, f, most, p)
}

// Place keeps a photo that any case may show, under a name of one's own. When
// there is one of that name it only sees to it that it is in storage.
func (s *Shelf) Place(ctx context.Context, name string, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	_, err := s.store.File(ctx, name)
	known := err == nil
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if known {
		if r, err := s.storage.Open(ctx, name); err == nil || fault.KindOf(err) != fault.NotFound {
			if err == nil {
				err = r.Close()
			}
			return err
		}
	}
	p, err := s.prepare(ctx, data)
	if err != nil {
		return err
	}
	if known {
		return s.put(ctx, name, p)
	}
	f := p.file
	f.Name, f.Shared = name, true
	return s.enter(ctx, f, mostWaiting, p)
}

// enter enters the row first: what is in storage then always has one, by which
// it is found again when nobody claims it.
func (s *Shelf) enter(ctx context.Context, f File, most int64, p *prepared) error {
	if err := s.store.EnterFile(ctx, f, most); err != nil {
		return err
	}
	return s.put(ctx, f.Name, p)
}

func (s *Shelf) put(ctx context.Context, name string, p *prepared) error {
	err := s.storage.Put(ctx, name, p.kept)
	if err == nil && p.thumb != nil {
		err = s.storage.Put(ctx, thumbName(name), p.thumb)
	}
	return err
}

// prepared is a file as it will be kept.
type prepared struct {
	format      *format
	file        File
	told        Told
	kept, thumb []byte
}

func (s *Shelf) prepare(ctx context.Context, data []byte) (*prepared, error) {
	format, err := recognise(data)
	if err != nil {
		return nil, err
	}
	p := &prepared{format: format, kept: data, file: File{Type: format.typ, Received: s.now()}}
	if format.strip == nil {
		err = checkPDF(data)
	} else {
		err = s.preparePhoto(ctx, p, data)
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(p.kept)
	p.file.Size, p.file.ThumbSize, p.file.SHA256 = int64(len(p.kept)), int64(len(p.thumb)), hex.EncodeToString(sum[:])
	return p, nil
}

func (s *Shelf) preparePhoto(ctx context.Context, p *prepared, data []byte) error {
	photo, err := p.format.strip(data)
	if err != nil {
		return err
	}
	var turn orientation
	p.told, turn = readEXIF(photo.exif, s.zone)
	if at := p.told.Taken; at.After(p.file.Received.Add(24*time.Hour)) || at.Year() < 2000 {
		p.told.Taken = time.Time{} // by a clock that was never set
	}
	p.file.Taken, p.file.Width, p.file.Height = p.told.Taken, photo.width, photo.height
	if turn.sideways() {
		p.file.Width, p.file.Height = photo.height, photo.width
	}
	p.kept = photo.kept
	if p.thumb, err = s.thumb(ctx, p.format.typ, photo.kept, turn); err != nil {
		return err
	}
	if turn != 1 {
		p.kept = p.format.turn(p.kept, turn)
	}
	return nil
}

func (s *Shelf) thumb(ctx context.Context, t Type, kept []byte, turn orientation) ([]byte, error) {
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
		return thumb(t, kept, turn)
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "too many photos at once: %w", ctx.Err())
	}
}

// Open is a file and what is in it, or NotFound. The caller closes it.
func (s *Shelf) Open(ctx context.Context, name string) (File, io.ReadSeekCloser, error) {
	return s.open(ctx, name, func(f File) string { return f.Name })
}

// OpenThumb is a photo and its small JPEG, upright; NotFound for what is no
// photo.
func (s *Shelf) OpenThumb(ctx context.Context, name string) (File, io.ReadSeekCloser, error) {
	return s.open(ctx, name, func(f File) string {
		if f.ThumbSize == 0 {
			return ""
		}
		return thumbName(f.Name)
	})
}

func (s *Shelf) open(ctx context.Context, name string, object func(File) string) (File, io.ReadSeekCloser, error) {
	if err := checkName(name); err != nil {
		return File{}, nil, err
	}
	f, err := s.store.File(ctx, name)
	if err != nil {
		return File{}, nil, err
	}
	held := object(f)
	if held == "" {
		return File{}, nil, fault.New(fault.NotFound, "%s is no photo", name)
	}
	r, err := s.storage.Open(ctx, held)
	if fault.KindOf(err) == fault.NotFound {
		err = fault.New(fault.Unavailable, "what is in file %s is not in storage: %w", name, err)
	}
	return f, r, err
}

const (
	tendEvery = 10 * time.Minute
	// staleAfter is later than Claimable, so that no case can claim what is
	// being removed, whichever process's clock is ahead.
	staleAfter  = Claimable + time.Hour
	staleAtOnce = 500
)

// Tend removes what nobody claimed, until ctx ends. What goes wrong is told to
// failed and tried again. Any number of processes may.
func (s *Shelf) Tend(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep removes what nobody claimed in time.
func (s *Shelf) Sweep(ctx context.Context) error {
	for {
		names, err := s.store.StaleFiles(ctx, s.now().Add(-staleAfter), staleAtOnce)
		if err != nil {
			return err
		}
		for _, name := range names {
			// The row goes last: while it is there, this is tried again.
			err := errors.Join(s.storage.Delete(ctx, name), s.storage.Delete(ctx, thumbName(name)))
			if err == nil {
				err = s.store.DropFile(ctx, name)
			}
			if err != nil {
				return err
			}
		}
		if len(names) < staleAtOnce {
			return nil
		}
	}
}
