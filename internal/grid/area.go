package grid

import (
	"fmt"
	"slices"

	"github.com/paulmach/orb"

	"lianqin/internal/fault"
	"lianqin/internal/partition"
)

// Area is one grid as a boundary file gives it.
type Area struct {
	Grid     Grid
	Polygons orb.MultiPolygon
}

// Shapes quantises areas for a partition, each under its grid's ID. Areas
// without an ID are numbered by their order from 1, or from after the greatest
// ID given. It is Invalid, naming the grid, when an area is none.
func Shapes(areas []Area) ([]partition.Shape, error) {
	next := None
	for _, a := range areas {
		next = max(next, a.Grid.ID)
	}
	shapes := make([]partition.Shape, len(areas))
	for i := range areas {
		d := &areas[i].Grid
		if d.ID == None {
			next++
			d.ID = next
		}
		if d.ID > MaxID {
			return nil, fault.InvalidField("id", "grid %q: id %d is greater than %d", d.Code, d.ID, MaxID)
		}
		s, _, err := partition.ShapeOf(partition.FaceID(d.ID), areas[i].Polygons)
		if err != nil {
			return nil, fmt.Errorf("grid %q: %w", d.Code, err)
		}
		shapes[i] = s
	}
	return shapes, nil
}

// Assemble is Shapes and an exact partition of them: for areas that already
// fit together.
func Assemble(streets []Street, areas []Area) (Source, error) {
	shapes, err := Shapes(areas)
	if err != nil {
		return Source{}, err
	}
	part, err := partition.New(shapes)
	if err != nil {
		return Source{}, err
	}
	return SourceOf(streets, areas, part), nil
}

// SourceOf joins areas, numbered by Shapes, with the partition made of them.
// Grids of which the partition kept nothing are left to New to refuse.
func SourceOf(streets []Street, areas []Area, part *partition.Partition) Source {
	src := Source{Streets: slices.Clone(streets), Grids: make([]Grid, len(areas)), Partition: part}
	for i, a := range areas {
		src.Grids[i] = a.Grid
	}
	return src
}
