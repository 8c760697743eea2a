package main

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lianqin/internal/fault"
	"lianqin/internal/httpapi"
)

// TestUploads reads files as they come over the web: what is wrong is listed,
// and nothing speaks of flags, commands or this machine.
func TestUploads(t *testing.T) {
	read := (&boundaryFlags{Boundaries: "/srv/secret/first.gpkg", cleaningFlags: usualCleaning}).importer()
	nameless := collection(square(`{"wg":"A1","colour":"x"}`, 121.20, 31.30), square(`{"wg":"A2","colour":"x"}`, 121.21, 31.30))
	unreadable := collection(square(`{"code":"A1"}`, 121.20, 31.30),
		`{"type":"Feature","id":"B7","properties":{"code":"B7"},"geometry":{"type":"Polygon","coordinates":[[[121.3,31.3],["x",31.31],[121.31,31.3],[121.3,31.3]]]}}`)
	for _, tt := range []struct {
		name   string
		file   httpapi.BoundaryFile
		says   string // empty: it is taken
		field  string
		defect string // "kind: codes" of the first
		metres bool   // that one has a size
	}{
		{name: "squares", file: httpapi.BoundaryFile{Data: []byte(squares)}},
		{name: "two columns, one of them named", file: httpapi.BoundaryFile{Data: []byte(nameless), IDProperty: "wg"}},
		{name: "a column that is not there", file: httpapi.BoundaryFile{Data: []byte(nameless), IDProperty: "nummer"}, says: `"wg", "colour"`, field: "id_property"},
		{name: "no column is the id", file: httpapi.BoundaryFile{Data: []byte(collection(square(`{"colour":"red"}`, 121.20, 31.30), square(`{"colour":""}`, 121.21, 31.30)))}, says: `"colour"`, field: "id_property"},
		{name: "overlap", file: httpapi.BoundaryFile{Data: []byte(collection(square(`{"code":"A1"}`, 121.200, 31.30), square(`{"code":"A2"}`, 121.205, 31.30)))},
			says: "overlaps", defect: "overlap: A1 A2", metres: true},
		{name: "a feature that is none", file: httpapi.BoundaryFile{Data: []byte(unreadable)}, says: "1 个要素无法读取 of 2", defect: "unreadable: B7"},
		{name: "no file at all", file: httpapi.BoundaryFile{Data: []byte("hello")}, says: "hello"},
	} {
		tt.file.Name = "boundaries"
		_, areas, err := read(t.Context(), tt.file)
		if tt.says == "" {
			if err != nil || len(areas) < 2 {
				t.Errorf("%s: %d areas, %v", tt.name, len(areas), err)
			}
			continue
		}
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), tt.says) || fault.FieldOf(err) != tt.field {
			t.Errorf("%s: %q about %q, want %q about %q", tt.name, err, fault.FieldOf(err), tt.says, tt.field)
			continue
		}
		if bad := regexp.MustCompile(`--\w|lianqin |/srv|secret`).FindString(err.Error()); bad != "" {
			t.Errorf("%s: the refusal says %q: %s", tt.name, bad, err)
		}
		refused, ok := errors.AsType[*httpapi.RefusedFile](err)
		if ok != (tt.defect != "") {
			t.Errorf("%s: %T", tt.name, err)
		}
		if !ok {
			continue
		}
		first := refused.Defects[0]
		if got := first.Kind + ": " + strings.Join(slices.Sorted(slices.Values(first.Grids)), " "); got != tt.defect || tt.metres != (first.AreaM2 > 1 && first.WidthM > 1 && *first.Lon > 121) {
			t.Errorf("%s: the first defect is %+v", tt.name, first)
		}
	}
}
