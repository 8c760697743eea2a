package basemap

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"golang.org/x/sync/singleflight"

	"lianqin/internal/fault"
)

const (
	// fetchTimeout is how long a tile may take to come.
	fetchTimeout = 10 * time.Second
	// fetchedAtOnce bounds how many are asked for at the same time, and
	// maxTile the size of one.
	fetchedAtOnce = 16
	maxTile       = 1 << 20 // bytes
	// keptTiles and keptFor bound what is kept in memory: some 40 MB, for a
	// day. What a service does not have is asked for again after that, too.
	keptTiles = 2000
	keptFor   = 24 * time.Hour
)

// number is the decimal form of a tile's address.
func number(n int) string { return strconv.Itoa(n) }

// Tile is a picture. An empty Body says that there is none there.
type Tile struct {
	Type string // media type, by its content
	Body []byte
}

// Source fetches the tiles of a Setting. It is safe for concurrent use.
type Source struct {
	Setting *Setting
	client  *http.Client
	kept    *expirable.LRU[address, *Tile]
	under   singleflight.Group
	turn    chan struct{}
}

type address struct{ layer, z, x, y int }

// NewSource fetches by client; nil is one of its own.
func NewSource(s *Setting, client *http.Client) *Source {
	if client == nil {
		client = &http.Client{}
	}
	return &Source{Setting: s, client: client, kept: expirable.NewLRU[address, *Tile](keptTiles, nil, keptFor), turn: make(chan struct{}, fetchedAtOnce)}
}

// Tile is tile z, x, y of a layer that comes from a service. It is NotFound
// for a layer or a zoom that there is not, and Unavailable when the service
// does not answer with a picture.
func (s *Source) Tile(ctx context.Context, layer, z, x, y int) (*Tile, error) {
	if layer < 0 || layer >= len(s.Setting.Layers) || s.Setting.Layers[layer].Kind == PMTiles {
		return nil, fault.New(fault.NotFound, "the base map has no layer %d of tiles", layer)
	}
	l := &s.Setting.Layers[layer]
	if z < l.MinZoom || z > l.MaxZoom || x < 0 || y < 0 || x >= 1<<z || y >= 1<<z {
		return nil, fault.New(fault.NotFound, "there is no tile %d/%d/%d", z, x, y)
	}
	at := address{layer, z, x, y}
	if t, ok := s.kept.Get(at); ok {
		return t, nil
	}
	key := number(layer) + "/" + number(z) + "/" + number(x) + "/" + number(y)
	// Who asked first may leave while others wait for the same tile.
	fetched := s.under.DoChan(key, func() (any, error) {
		t, err := s.fetch(context.WithoutCancel(ctx), l, at)
		if err == nil {
			s.kept.Add(at, t)
		}
		return t, err
	})
	select {
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "who asked for the tile has left: %w", ctx.Err())
	case r := <-fetched:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Tile), nil
	}
}

// fetch names neither address nor key in its error: it goes to the page.
func (s *Source) fetch(ctx context.Context, l *Layer, at address) (*Tile, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "the base map's service is too slow")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.address(at.z, at.x, at.y), nil)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the base map's address is none")
	}
	req.Header.Set("Accept", "image/webp,image/png,image/jpeg")
	if l.Referer != "" {
		req.Header.Set("Referer", l.Referer)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the base map's service does not answer")
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent, http.StatusNotFound:
		return &Tile{}, nil
	default:
		return nil, fault.New(fault.Unavailable, "the base map's service answers %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTile+1))
	if err != nil || len(body) > maxTile {
		return nil, fault.New(fault.Unavailable, "the base map's service breaks off, or sends more than %d bytes", maxTile)
	}
	if len(body) == 0 {
		return &Tile{}, nil
	}
	switch kind := http.DetectContentType(body); kind {
	case "image/png", "image/jpeg", "image/webp", "image/gif":
		return &Tile{kind, body}, nil
	}
	return nil, fault.New(fault.Unavailable, "the base map's service sends no picture")
}

// Archive opens the PMTiles file of a layer; the caller closes it.
func (s *Source) Archive(layer int) (*os.File, error) {
	if layer < 0 || layer >= len(s.Setting.Layers) || s.Setting.Layers[layer].Kind != PMTiles {
		return nil, fault.New(fault.NotFound, "the base map has no file %d", layer)
	}
	f, err := os.Open(s.Setting.Layers[layer].URL)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the base map's file cannot be opened: %w", err)
	}
	return f, nil
}

// checkArchive is Invalid for a file that is not PMTiles version 3 with
// pictures in it.
func checkArchive(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fault.InvalidField("url", "%v", err)
	}
	defer f.Close()
	// The header of version 3 is 127 bytes: magic, version, …, and at 99 what
	// kind of tiles it holds (docs.protomaps.com/pmtiles, "Header Design").
	var header [127]byte
	if _, err := io.ReadFull(f, header[:]); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fault.InvalidField("url", "%v", err)
	}
	if string(header[:7]) != "PMTiles" || header[7] != 3 {
		return fault.InvalidField("url", "%s is not a PMTiles file of version 3", path)
	}
	if kind := header[99]; kind < 2 || kind > 5 {
		return fault.InvalidField("url", "%s holds no PNG, JPEG, WebP or AVIF pictures (its kind of tiles is %d)", path, kind)
	}
	return nil
}
