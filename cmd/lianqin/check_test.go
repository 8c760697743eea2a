package main

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lianqin/internal/grid"
	"lianqin/internal/partition"
)

func checked(t *testing.T, code int, args ...string) checkJSON {
	t.Helper()
	r := must(t, code, nil, append([]string{"check", "--json"}, args...)...)
	var out checkJSON
	if err := json.Unmarshal([]byte(r.out), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestLosAngelesOverlaps: the fourth edition of the neighbourhoods has five
// overlaps that are no slips, two of them between more than two cities.
func TestLosAngelesOverlaps(t *testing.T) {
	path := realFile(t, "la/neighborhoods_v4_neighborhoods.shp")
	got := checked(t, exitFound, path)
	type pair struct{ a, b string }
	largest := make(map[pair]float64)
	for _, d := range got.Defects {
		if d.Kind == partition.Overlap {
			p := pair{d.Areas[0].Name, d.Areas[1].Name}
			largest[p] = max(largest[p], d.AreaM2)
		}
	}
	for p, want := range map[pair]float64{{"monrovia", "irwindale"}: 4640, {"el-sereno", "east-los-angeles"}: 1079, {"acton", "agua-dulce"}: 1077} {
		if m2 := max(largest[p], largest[pair{p.b, p.a}]); math.Abs(m2-want) > 5 {
			t.Errorf("%v overlap by %.0f m², want %.0f", p, m2, want)
		}
	}
	table := must(t, exitFound, nil, "check", "--limit", "1", path).out
	for _, want := range []string{"276 个面 areas", "monrovia / irwindale", "另有 4 处 more", "无效环 invalid-ring"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	refused := must(t, exitInput, nil, "convert", "--clean", path, filepath.Join(t.TempDir(), "clean.gpkg"))
	if !strings.Contains(refused.err, "5 overlaps") || !strings.Contains(refused.err, "--overlaps") {
		t.Errorf("refused with: %s", refused.err)
	}
}

// TestLosAngelesGapsStay: the police's car areas leave out other cities. That
// is no defect, and no cleaning fills it.
func TestLosAngelesGapsStay(t *testing.T) {
	path := realFile(t, "la/lapd_basic-car-areas.shp")
	before := checked(t, exitDone, path)
	if !before.OK || len(before.Defects) > 0 || len(before.Uncovered) != 10 || before.Uncovered[0].AreaM2 < 25e6 {
		t.Errorf("ok %v, %d defects, %d uncovered places", before.OK, len(before.Defects), len(before.Uncovered))
	}
	clean := filepath.Join(t.TempDir(), "clean.geojson")
	must(t, exitDone, nil, "convert", "--clean", path, clean)
	after := checked(t, exitDone, clean)
	if len(after.Uncovered) != len(before.Uncovered) || after.CoveredM2 != before.CoveredM2 {
		t.Errorf("cleaning left %d of %d uncovered places, %.0f of %.0f m² covered", len(after.Uncovered), len(before.Uncovered), after.CoveredM2, before.CoveredM2)
	}
}

// TestCleaningIsReported cleans a city's neighbourhoods and follows the report.
func TestCleaningIsReported(t *testing.T) {
	path := realFile(t, "baltimore311/neighborhood.geojson.gz")
	dir := t.TempDir()
	clean, report := filepath.Join(dir, "clean.gpkg"), filepath.Join(dir, "report.json")
	r := must(t, exitDone, nil, "convert", "--clean", "--report", report, path, clean)
	if !strings.Contains(r.err, "已清理 cleaned") {
		t.Errorf("not reported: %s", r.err)
	}
	var got repairsJSON
	data, err := os.ReadFile(report)
	if err == nil {
		err = json.Unmarshal(data, &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !got.Cleaned || got.Given.Count == 0 || got.Filled.Count == 0 || got.MaxMoveM > 3 || len(got.Exchanges) == 0 {
		t.Errorf("report: %+v", got)
	}
	if after := checked(t, exitDone, clean); !after.Exact || after.Areas != 278 {
		t.Errorf("cleaned: exact %v, %d areas", after.Exact, after.Areas)
	}
}

// TestEveryFormatHoldsTheDistrict converts the district to each format and
// back: the borders stay what they were to the last unit, and GDAL agrees on
// what is in each file.
func TestEveryFormatHoldsTheDistrict(t *testing.T) {
	district := districtFile(t)
	want := generation(t, district)
	dir := t.TempDir()
	for _, name := range []string{"d.shp", "d.zip", "d.gpkg", "d.kml", "d.geojson", "d.geojson.gz"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			must(t, exitDone, nil, "convert", district, path)
			got := generation(t, path)
			if got.Hash() != want.Hash() {
				t.Errorf("hash %.12s, want %.12s", got.Hash(), want.Hash())
			}
			if !slices.Equal(got.Grids(), want.Grids()) {
				t.Error("the grids differ")
			}
			agreesWithGDAL(t, path)
		})
	}
}

func generation(t *testing.T, path string) *grid.Generation {
	t.Helper()
	b := boundaryFlags{Boundaries: path, cleaningFlags: cleaningFlags{Tolerance: 3, MaxNoise: 0.001, Overlaps: "refuse"}}
	var notes strings.Builder
	g, err := b.load(&session{ctx: t.Context(), err: &notes, called: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(notes.String(), "清理") {
		t.Errorf("it had to be cleaned: %s", notes.String())
	}
	return g
}

func agreesWithGDAL(t *testing.T, path string) {
	t.Helper()
	needs(t, "ogrinfo")
	source := path
	switch {
	case strings.HasSuffix(path, ".zip"):
		source = "/vsizip/" + path
	case strings.HasSuffix(path, ".gz"):
		source = "/vsigzip/" + path
	}
	out, err := exec.Command("ogrinfo", "-ro", "-so", "-al", source).CombinedOutput()
	text := string(out)
	if err != nil || !strings.Contains(text, "Feature Count: 417") || !strings.Contains(text, "Polygon") && !strings.HasSuffix(path, ".kml") || !strings.Contains(text, "WGS 84") {
		t.Errorf("ogrinfo: %v\n%s", err, text)
	}
	if strings.Contains(text, "Warning") || strings.Contains(text, "ERROR") {
		t.Errorf("ogrinfo complains:\n%s", text)
	}
}
