package httpapi

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// maxBoundaries is the greatest boundary file; importTime is how long one may
// take to arrive, be read and be proven.
const (
	maxBoundaries = 64 << 20
	importTime    = 5 * time.Minute
	maxName       = 200
	maxNote       = 2000
)

// BoundaryFile is a boundary file that came over the web, and what its sender
// says about it. An empty field is for the reader to guess.
type BoundaryFile struct {
	Name  string // with the ending of its format, where that was said
	Data  []byte
	Layer string
	// The properties that hold a grid's code, name, street and department.
	IDProperty, NameProperty, StreetProperty, DepartmentProperty string
}

// RefusedFile is why a boundary file was not taken, with what is wrong where.
// It is a fault of kind Invalid.
type RefusedFile struct {
	Why     string
	Defects []Defect
}

// Defect is one thing that is wrong with a boundary file. Sizes are 0, and the
// place is nil, where they have no meaning.
type Defect struct {
	Kind   string   `json:"kind"`  // a partition.DefectKind, or "unreadable"
	Grids  []string `json:"grids"` // codes of those concerned
	Lon    *float64 `json:"lon,omitempty"`
	Lat    *float64 `json:"lat,omitempty"`
	AreaM2 float64  `json:"area_m2,omitempty"`
	WidthM float64  `json:"width_m,omitempty"`
	Detail string   `json:"detail,omitempty"`
}

func (e *RefusedFile) Error() string { return e.Why }

// Unwrap makes a RefusedFile a fault of kind Invalid.
func (e *RefusedFile) Unwrap() error { return fault.New(fault.Invalid, "%s", e.Why) }

// maxDefects bounds what one problem document lists.
const maxDefects = 200

var importParams = []string{"name", "note", "format", "layer", "id_property", "name_property", "street_property", "department_property"}

// fileEndings are the endings of the formats that a file without a name can
// be said to have. Others are known by their content.
var fileEndings = map[string]string{"": "", "geojson": ".geojson", "topojson": ".topojson", "geopackage": ".gpkg", "gpkg": ".gpkg",
	"shapefile": ".zip", "kml": ".kml", "kmz": ".kmz"}

// importGeneration answers POST /api/v1/generations: the body is a boundary
// file.
func (a *API) importGeneration(c *gin.Context) error {
	p, err := readParams(c.Request.URL.RawQuery, importParams)
	if err != nil {
		return err
	}
	name, note := strings.TrimSpace(p.values[0]), strings.TrimSpace(p.values[1])
	file := BoundaryFile{Layer: p.values[3], IDProperty: p.values[4], NameProperty: p.values[5], StreetProperty: p.values[6], DepartmentProperty: p.values[7]}
	switch ending, ok := fileEndings[strings.ToLower(p.values[2])]; {
	case a.cfg.Boundaries == nil:
		return fault.New(fault.Unavailable, "boundary files are not taken here")
	case !ok:
		return fault.InvalidField("format", "%.40q is not geojson, topojson, geopackage, shapefile or kml", p.values[2])
	case utf8.RuneCountInString(name) > maxName:
		return fault.InvalidField("name", "longer than %d characters", maxName)
	case utf8.RuneCountInString(note) > maxNote:
		return fault.InvalidField("note", "longer than %d characters", maxNote)
	default:
		if name == "" {
			name = a.cfg.Now().In(grid.Zone).Format(time.DateOnly)
		}
		file.Name = "boundaries" + ending
		return a.importFile(c, name, note, file)
	}
}

func (a *API) importFile(c *gin.Context, name, note string, file BoundaryFile) error {
	deadline := time.Now().Add(importTime) // the connection's clock is the real one
	rc := http.NewResponseController(c.Writer)
	_ = rc.SetReadDeadline(deadline) // not every writer has deadlines
	_ = rc.SetWriteDeadline(deadline.Add(writeGrace))
	// A reader of boundaries holds several times the file: one at a time.
	select {
	case a.importing <- struct{}{}:
		defer func() { <-a.importing }()
	case <-c.Request.Context().Done():
		return fault.New(fault.Unavailable, "another boundary file is being read")
	}
	var err error
	file.Data, err = io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBoundaries))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(maxBoundaries)
	}
	if err != nil {
		return withStatus(http.StatusRequestTimeout, fault.InvalidField("body", "did not arrive whole: %w", err))
	}
	if len(file.Data) == 0 {
		return fault.InvalidField("body", "empty; send a boundary file")
	}
	ctx := c.Request.Context()
	streets, areas, err := a.cfg.Boundaries(ctx, file)
	if err != nil {
		return err
	}
	r, err := a.cfg.Atlas.Import(ctx, grid.Import{Streets: streets, Areas: areas, Name: name, Note: note, Author: callerOf(c).Name})
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Location", "/api/v1/generations/"+strconv.Itoa(r.Number))
	return a.writeGeneration(c, http.StatusCreated, r.Number)
}
