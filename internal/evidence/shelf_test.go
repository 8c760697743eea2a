package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"lianqin/internal/evidence"
	"lianqin/internal/evidence/evidencetest"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/store"
)

// bucket is a server of S3 with one bucket, that lets in who has the key.
func bucket(t *testing.T, name string) (endpoint, credentials string) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(name); err != nil {
		t.Fatal(err)
	}
	s3 := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=test-key/") {
			http.Error(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`, http.StatusForbidden)
			return
		}
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	credentials = filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(credentials, []byte("[default]\naws_access_key_id = test-key\naws_secret_access_key = test-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, credentials
}

// eachStorage runs f with a storage of every kind.
func eachStorage(t *testing.T, f func(*testing.T, evidence.Storage)) {
	t.Run("folder", func(t *testing.T) {
		s, err := evidence.OpenFolder(filepath.Join(t.TempDir(), "data", "files"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		f(t, s)
	})
	t.Run("s3", func(t *testing.T) {
		endpoint, credentials := bucket(t, "lianqin")
		s, err := evidence.OpenS3(t.Context(), evidence.S3Config{Endpoint: endpoint, Region: "east", Bucket: "lianqin", Prefix: "some/files", Credentials: credentials})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		f(t, s)
	})
}

func TestStorage(t *testing.T) {
	eachStorage(t, func(t *testing.T, s evidence.Storage) {
		data := bytes.Repeat([]byte("0123456789"), 100_000)
		if _, err := s.Open(t.Context(), "abc.jpg"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("before there was one: %v", err)
		}
		if err := s.Delete(t.Context(), "abc.jpg"); err != nil {
			t.Errorf("deleting none: %v", err)
		}
		for _, d := range [][]byte{[]byte("first"), data} {
			if err := s.Put(t.Context(), "abc.jpg", d); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.Open(t.Context(), "abc.jpg")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if size, err := r.Seek(0, io.SeekEnd); size != int64(len(data)) || err != nil {
			t.Errorf("%d bytes long, %v", size, err)
		}
		if _, err := r.Seek(500_003, io.SeekStart); err != nil {
			t.Error(err)
		}
		part := make([]byte, 5)
		if _, err := io.ReadFull(r, part); err != nil || string(part) != "34567" {
			t.Errorf("in the middle: %q, %v", part, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"", "..", "../x.jpg", "a/b.jpg", "/etc/passwd", "abc", ".new-abc.jpg", "ab.jpg", strings.Repeat("a", 65) + ".jpg", "abc.jpg\x00", "ABC.JPG", "abc..", "a\\b.jpg"} {
			if _, err := s.Open(t.Context(), name); fault.KindOf(err) != fault.NotFound {
				t.Errorf("open %q: %v", name, err)
			}
			if name == "abc.." {
				continue // a name like any other, of one folder
			}
			if err := s.Put(t.Context(), name, data); err == nil {
				t.Errorf("put %q", name)
			}
			if err := s.Delete(t.Context(), name); err == nil {
				t.Errorf("delete %q", name)
			}
		}
		if err := s.Delete(t.Context(), "abc.jpg"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), "abc.jpg"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("after it was deleted: %v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Open(ended, "abc.jpg"); err == nil {
			t.Error("opened for nobody")
		}
	})
}

func TestFolderLeavesNothingHalf(t *testing.T) {
	dir := t.TempDir()
	s, err := evidence.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "abc.jpg", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{".new-old": 2 * time.Hour, ".new-now": 0} {
		path := filepath.Join(dir, "ab", name)
		if err := errors.Join(os.WriteFile(path, []byte("half"), 0o600), os.Chtimes(path, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "et")); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "etc.jpg", []byte("x")); err == nil {
		t.Error("a link led out of the folder")
	}
	if err := errors.Join(s.Close(), os.Remove(filepath.Join(dir, "et"))); err != nil {
		t.Fatal(err)
	}
	if s, err = evidence.OpenFolder(dir); err != nil { // another process, later
		t.Fatal(err)
	}
	defer s.Close()
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	all, _ := filepath.Glob(filepath.Join(dir, "*", ".*"))
	if left = append(left, all...); err != nil || !slices.Equal(slices.Compact(slices.Sorted(slices.Values(left))), []string{filepath.Join(dir, "ab", ".new-now"), filepath.Join(dir, "ab", "abc.jpg")}) {
		t.Errorf("%v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "ab", "abc.jpg")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.OpenFolder(filepath.Join(dir, "file")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a folder that is a file: %v", err)
	}
}

func TestS3Refused(t *testing.T) {
	endpoint, credentials := bucket(t, "lianqin")
	stranger := filepath.Join(t.TempDir(), "stranger")
	if err := os.WriteFile(stranger, []byte("[default]\naws_access_key_id = other\naws_secret_access_key = secret-of-other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_ACCESS_KEY", "")
	t.Setenv("AWS_SECRET_KEY", "")
	for name, tt := range map[string]struct {
		cfg  evidence.S3Config
		want fault.Kind
	}{
		"no address":        {evidence.S3Config{Endpoint: "s3.example.org", Bucket: "lianqin", Credentials: credentials}, fault.Invalid},
		"with a password":   {evidence.S3Config{Endpoint: "http://u:p@127.0.0.1", Bucket: "lianqin", Credentials: credentials}, fault.Invalid},
		"no credentials":    {evidence.S3Config{Endpoint: endpoint, Bucket: "lianqin"}, fault.Invalid},
		"no such file":      {evidence.S3Config{Endpoint: endpoint, Bucket: "lianqin", Credentials: credentials + "x"}, fault.Invalid},
		"no such bucket":    {evidence.S3Config{Endpoint: endpoint, Region: "east", Bucket: "another", Credentials: credentials}, fault.NotFound},
		"another's bucket":  {evidence.S3Config{Endpoint: endpoint, Region: "east", Bucket: "lianqin", Credentials: stranger}, fault.Unavailable},
		"a name that isn't": {evidence.S3Config{Endpoint: endpoint, Region: "east", Bucket: "A", Credentials: credentials}, fault.Unavailable},
	} {
		_, err := evidence.OpenS3(t.Context(), tt.cfg)
		if fault.KindOf(err) != tt.want || strings.Contains(fmt.Sprint(err), "secret-of") {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "test-key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
	if _, err := evidence.OpenS3(t.Context(), evidence.S3Config{Endpoint: endpoint, Region: "east", Bucket: "lianqin"}); err != nil {
		t.Errorf("by the environment: %v", err)
	}
}

// kept is a shelf on a database of its own, whose clock tests turn.
type kept struct {
	*evidence.Shelf
	files   store.Evidence
	storage *counted
	now     time.Time
}

// counted is a storage that knows what it holds, and fails when it is told to.
type counted struct {
	evidence.Storage
	mu    sync.Mutex
	holds map[string]bool
	fails error
}

func (c *counted) Put(ctx context.Context, name string, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails != nil {
		return c.fails
	}
	c.holds[name] = true
	return c.Storage.Put(ctx, name, data)
}

func (c *counted) Delete(ctx context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails != nil {
		return c.fails
	}
	delete(c.holds, name)
	return c.Storage.Delete(ctx, name)
}

func newShelf(t *testing.T, storage evidence.Storage) *kept {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	k := &kept{files: s.Evidence(), storage: &counted{Storage: storage, holds: map[string]bool{}}, now: time.Date(2026, 3, 3, 9, 0, 0, 0, grid.Zone)}
	k.Shelf = evidence.NewShelf(k.files, k.storage, grid.Zone, func() time.Time { return k.now })
	return k
}

func TestShelf(t *testing.T) {
	eachStorage(t, func(t *testing.T, storage evidence.Storage) {
		s := newShelf(t, storage)
		photo := evidencetest.Phone(640, 480, evidencetest.Tags{Orientation: 3})
		f, _, err := s.Keep(t.Context(), "device:1", bytes.Clone(photo))
		if err != nil {
			t.Fatal(err)
		}
		another, _, err := s.Keep(t.Context(), "", bytes.Clone(photo))
		if err != nil || another.Name == f.Name || another.SHA256 != f.SHA256 {
			t.Errorf("%+v, %v", another, err)
		}
		read := func(open func(context.Context, string) (evidence.File, io.ReadSeekCloser, error), name string) (evidence.File, []byte) {
			t.Helper()
			f, r, err := open(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return f, data
		}
		if got, data := read(s.Open, f.Name); int64(len(data)) != f.Size || got.Sender != "device:1" || got.Width != 640 || got.Height != 480 {
			t.Errorf("%d bytes, %+v", len(data), got)
		}
		if got, data := read(s.OpenThumb, f.Name); int64(len(data)) != f.ThumbSize || got.Name != f.Name {
			t.Errorf("small: %d bytes, %+v", len(data), got)
		}
		pdf, _, err := s.Keep(t.Context(), "li", []byte("%PDF-1.7\n%%EOF"))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.OpenThumb(t.Context(), pdf.Name); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a small PDF: %v", err)
		}
		for i := range 3 {
			if err := s.Place(t.Context(), "shown.jpg", evidencetest.JPEG(30, 20)); err != nil {
				t.Fatal(err)
			}
			if i == 1 { // the folder is another
				if err := storage.Delete(t.Context(), "shown.jpg"); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got, _ := read(s.OpenThumb, "shown.jpg"); !got.Shared {
			t.Errorf("%+v", got)
		}
		for _, name := range []string{"none.jpg", "../x.jpg", strings.Replace(f.Name, ".", ".thumb.", 1)} {
			if _, _, err := s.Open(t.Context(), name); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := storage.Delete(t.Context(), pdf.Name); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Open(t.Context(), pdf.Name); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("lost from storage: %v", err)
		}
	})
}

// TestSweep: what nobody claimed goes after a day, row and content; what is
// shared stays, and so does a row whose content could not be removed.
func TestSweep(t *testing.T) {
	eachStorage(t, func(t *testing.T, storage evidence.Storage) {
		s := newShelf(t, storage)
		var names []string
		for range 3 {
			f, _, err := s.Keep(t.Context(), "li", evidencetest.JPEG(30, 20))
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, f.Name)
			s.now = s.now.Add(time.Hour)
		}
		if err := s.Place(t.Context(), "shown.jpg", evidencetest.JPEG(30, 20)); err != nil {
			t.Fatal(err)
		}
		sweep := func(want int) {
			t.Helper()
			err := s.Sweep(t.Context())
			if got := len(s.storage.holds); got != 2+2*want || err != nil {
				t.Errorf("%d objects are held, %v", got, err)
			}
			for i, name := range names {
				_, err := s.files.File(t.Context(), name)
				if gone := fault.KindOf(err) == fault.NotFound; gone != (i < len(names)-want) {
					t.Errorf("file %d: %v", i, err)
				}
			}
		}
		s.now = s.now.Add(evidence.Claimable - 2*time.Hour) // the first is 25 hours old
		sweep(3)
		s.now = s.now.Add(time.Millisecond)
		s.storage.fails = fault.New(fault.Unavailable, "the storage is away")
		if err := s.Sweep(t.Context()); fault.KindOf(err) != fault.Unavailable {
			t.Error(err)
		}
		s.storage.fails = nil
		sweep(2)
		s.now = s.now.Add(1000 * time.Hour)
		sweep(0)
	})
}

// TestWhatCannotBeStored: a file that is entered and not stored is removed
// like any that nobody claims.
func TestWhatCannotBeStored(t *testing.T) {
	folder, err := evidence.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	s := newShelf(t, folder)
	s.storage.fails = fault.New(fault.Unavailable, "the disk is full")
	if _, _, err := s.Keep(t.Context(), "li", evidencetest.JPEG(30, 20)); fault.KindOf(err) != fault.Unavailable {
		t.Fatal(err)
	}
	s.storage.fails = nil
	later := s.now.Add(100 * time.Hour)
	if names, err := s.files.StaleFiles(t.Context(), later, 10); len(names) != 1 || err != nil {
		t.Errorf("%v, %v", names, err)
	}
	s.now = later
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, err := s.files.StaleFiles(t.Context(), later, 10); len(names) != 0 || err != nil {
		t.Errorf("%v, %v", names, err)
	}
}

// TestManyAtOnce: more photos than are decoded at a time.
func TestManyAtOnce(t *testing.T) {
	folder, err := evidence.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	s := newShelf(t, folder)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			if f, _, err := s.Keep(t.Context(), "li", evidencetest.JPEG(300+i, 200)); err != nil || f.Width != 300+i {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
	all.Wait()
}
