package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"lianqin/internal/fault"
	"lianqin/internal/geofile"
	"lianqin/internal/grid"
	"lianqin/internal/httpapi"
	"lianqin/internal/partition"
)

// maxUploadVertices bounds a boundary file that comes over the web.
const maxUploadVertices = 5_000_000

// importer reads files that come over the web, with the properties that their
// senders name or else b does, and with b's cleaning.
func (b *boundaryFlags) importer() func(context.Context, httpapi.BoundaryFile) ([]grid.Street, []grid.Area, error) {
	return func(ctx context.Context, file httpapi.BoundaryFile) ([]grid.Street, []grid.Area, error) {
		own := *b
		own.web, own.Boundaries = true, file.Name
		own.Layer = cmp.Or(file.Layer, b.Layer)
		own.IDProperty = cmp.Or(file.IDProperty, b.IDProperty)
		own.NameProperty = cmp.Or(file.NameProperty, b.NameProperty)
		own.StreetProperty = cmp.Or(file.StreetProperty, b.StreetProperty)
		own.DepartmentProperty = cmp.Or(file.DepartmentProperty, b.DepartmentProperty)
		f, err := geofile.ReadBytes(file.Data, file.Name, geofile.Options{Layer: own.Layer, MaxVertices: maxUploadVertices})
		if err != nil {
			return nil, nil, webField(err)
		}
		gen, err := own.generation(&session{ctx: ctx, out: io.Discard, err: io.Discard, quiet: true}, f)
		if err != nil {
			return nil, nil, webField(err)
		}
		return gen.Streets(), grid.AreasOf(gen), nil
	}
}

// webField names the query parameter where err names the flag.
func webField(err error) error {
	e, ok := err.(*fault.Error)
	if !ok || !flagFields[e.Field] {
		return err
	}
	named := *e
	named.Field = strings.ReplaceAll(e.Field, "-", "_")
	return &named
}

// unreadableFile lists the features that could not be read.
func unreadableFile(f *geofile.File) error {
	e := &httpapi.RefusedFile{Why: fmt.Sprintf("%d 个要素无法读取 of %d features cannot be read", len(f.Refused), len(f.Refused)+len(f.Features))}
	for _, no := range f.Refused {
		d := httpapi.Defect{Kind: "unreadable", Grids: []string{}, Detail: no.String()}
		if no.ID != "" {
			d.Grids = append(d.Grids, no.ID)
		}
		e.Defects = append(e.Defects, d)
	}
	return e
}

// refusal is why the file was not cleaned, with its defects. Slivers come last
// and would have been repaired.
func (in *inspection) refusal(refused *partition.Refused) error {
	e := &httpapi.RefusedFile{Why: "边界不吻合，未导入 the borders do not fit: " + refused.Why}
	if refused.Report.Totals[partition.Overlap].Count > 0 {
		e.Why += "。较宽的重叠须由人裁定，请在文件中改正 somebody has to decide about the wider overlaps: mend them in the file"
	}
	for _, d := range refused.Report.Defects {
		if d.Kind == partition.Uncovered {
			continue
		}
		j := in.defectJSON(d)
		defect := httpapi.Defect{Kind: string(j.Kind), Grids: in.namesOf(d), Lon: &j.Lon, Lat: &j.Lat, AreaM2: j.AreaM2, WidthM: j.WidthM}
		if d.AreaM2 == 0 { // a place alone needs words
			defect.Detail = j.Detail
		}
		e.Defects = append(e.Defects, defect)
	}
	return e
}
