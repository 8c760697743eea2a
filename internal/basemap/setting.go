// Package basemap fetches the pictures that may lie under the map, from a tile
// service or a PMTiles file that the operator names. The pages ask this
// service alone: keys stay here, and a page talks to nobody else.
//
// It knows tiles in Web Mercator (EPSG:3857) and no other grid, and it draws
// nothing itself.
package basemap

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
)

// Kind is where a layer's tiles come from.
type Kind string

const (
	// XYZ is a service that answers an address with {z}, {x} and {y} in it, or
	// {-y} where rows count from the south. WMTS is the same, with
	// {TileMatrix}, {TileCol} and {TileRow} as its documents write it.
	XYZ  Kind = "xyz"
	WMTS Kind = "wmts"
	// PMTiles is a file of raster tiles in PMTiles version 3.
	PMTiles Kind = "pmtiles"
)

// Setting is a base map: layers, the lowest first.
type Setting struct {
	// CRS is what the pictures are drawn in: wgs84, cgcs2000 (which is taken
	// for the same) or gcj02, for which everything else is moved.
	CRS         string  `json:"crs"`
	Attribution string  `json:"attribution"`
	Layers      []Layer `json:"layers"`
}

// Layer is one layer of pictures.
type Layer struct {
	Kind Kind   `json:"kind"`
	URL  string `json:"url"` // address with placeholders; of pmtiles, the path of the file
	// Subdomains stand in turn in the place of {s}.
	Subdomains []string `json:"subdomains,omitempty"`
	// KeyFile holds what stands in the place of {key}.
	KeyFile string `json:"key_file,omitempty"`
	// Referer is sent along, for services that ask for one.
	Referer string `json:"referer,omitempty"`
	// TileSize is 256 or 512 pixels, 256 if not said.
	TileSize int     `json:"tile_size"`
	MinZoom  int     `json:"minzoom"`
	MaxZoom  int     `json:"maxzoom"` // 18 if not said; maps enlarge beyond
	Opacity  float64 `json:"opacity"` // (0, 1]; 1 if not said
	// Dark is how a dark page shows the layer: as it is, dimmed, or inverted.
	Dark Dark `json:"dark"`

	key string
}

// Dark is how a layer is shown on a dark page.
type Dark string

const (
	AsItIs   Dark = ""
	Dimmed   Dark = "dim"
	Inverted Dark = "invert"
)

const (
	maxLayers = 4
	maxZoom   = 22
	maxKey    = 4096 // bytes
)

// Read reads a Setting as JSON; paths in it are taken from dir. It is Invalid,
// naming the field, for what is none.
func Read(r io.Reader, dir string) (*Setting, error) {
	var s Setting
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, fault.InvalidField("basemap", "%v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.InvalidField("basemap", "more than one JSON value")
	}
	if _, err := s.Datum(); err != nil {
		return nil, err
	}
	if len(s.Layers) == 0 || len(s.Layers) > maxLayers {
		return nil, fault.InvalidField("layers", "%d layers, not 1 to %d", len(s.Layers), maxLayers)
	}
	for i := range s.Layers {
		if err := s.Layers[i].complete(dir); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

// Datum is what the pictures are drawn in.
func (s *Setting) Datum() (geo.Datum, error) {
	d, err := geo.ParseDatum(s.CRS)
	if err != nil || d == geo.BD09 {
		return "", fault.InvalidField("crs", "%.40q is not wgs84, cgcs2000 or gcj02", s.CRS)
	}
	return d, nil
}

func (l *Layer) complete(dir string) error {
	if l.TileSize == 0 {
		l.TileSize = 256
	}
	if l.MaxZoom == 0 {
		l.MaxZoom = 18
	}
	if l.Opacity == 0 {
		l.Opacity = 1
	}
	switch {
	case l.TileSize != 256 && l.TileSize != 512:
		return fault.InvalidField("tile_size", "%d is not 256 or 512", l.TileSize)
	case l.MinZoom < 0 || l.MinZoom > l.MaxZoom || l.MaxZoom > maxZoom:
		return fault.InvalidField("maxzoom", "zooms %d to %d do not lie in order between 0 and %d", l.MinZoom, l.MaxZoom, maxZoom)
	case l.Opacity < 0 || l.Opacity > 1:
		return fault.InvalidField("opacity", "%v is not above 0 and up to 1", l.Opacity)
	case l.Dark != AsItIs && l.Dark != Dimmed && l.Dark != Inverted:
		return fault.InvalidField("dark", "%.40q is not dim or invert", string(l.Dark))
	}
	if l.KeyFile != "" {
		b, err := os.ReadFile(within(dir, l.KeyFile))
		if err != nil {
			return fault.InvalidField("key_file", "%v", err)
		}
		if l.key = strings.TrimSpace(string(b)); l.key == "" || len(l.key) > maxKey {
			return fault.InvalidField("key_file", "%s holds no key", l.KeyFile)
		}
	}
	switch l.Kind {
	case PMTiles:
		l.URL = within(dir, l.URL)
		return checkArchive(l.URL)
	case XYZ, WMTS:
		return l.checkAddress()
	}
	return fault.InvalidField("kind", "%.40q is not xyz, wmts or pmtiles", string(l.Kind))
}

func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// checkAddress fails for what would ask for the same tile over and over.
func (l *Layer) checkAddress() error {
	address := l.address(1, 2, 3)
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fault.InvalidField("url", "%.100q is no http address", l.URL)
	case strings.ContainsAny(address, "{}"):
		return fault.InvalidField("url", "%.100q has a placeholder that is none, or lacks its key or subdomains", l.URL)
	case address == l.address(2, 2, 3), address == l.address(1, 3, 3), address == l.address(1, 2, 4):
		return fault.InvalidField("url", "%.100q lacks {z}, {x} or {y}", l.URL)
	}
	return nil
}

// address is where tile z, x, y is.
func (l *Layer) address(z, x, y int) string {
	pairs := []string{
		"{z}", number(z), "{x}", number(x), "{y}", number(y), "{-y}", number(1<<z - 1 - y),
		"{TileMatrix}", number(z), "{TileCol}", number(x), "{TileRow}", number(y),
	}
	if len(l.Subdomains) > 0 {
		pairs = append(pairs, "{s}", l.Subdomains[(x+y)%len(l.Subdomains)])
	}
	if l.key != "" {
		pairs = append(pairs, "{key}", url.QueryEscape(l.key))
	}
	return strings.NewReplacer(pairs...).Replace(l.URL)
}
