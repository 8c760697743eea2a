package patrol

import (
	"fmt"
	"testing"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/partition"
)

// A town of n by n square grids, numbered from 1 from the south-west, row by
// row, each about a kilometre wide, at the latitude of the district. Streets
// are its rows, S0 the southernmost.
const (
	townX, townY = 1_212_000_000, 313_000_000
	townSide     = 100_000 // units
)

var townScale = geo.ScaleAt(31.3)

// spot is a place in the town, in metres east and north of its south-west
// corner.
func spot(eastM, northM float64) geo.Coord {
	return geo.Coord{X: townX + int32(eastM/townScale.XM*geo.UnitsPerDegree), Y: townY + int32(northM/townScale.YM*geo.UnitsPerDegree)}
}

// gridM is the width of a grid in metres, west to east.
var gridM = townSide / geo.UnitsPerDegree * townScale.XM

func town(t testing.TB, number, n int) *locate.Index {
	t.Helper()
	var shapes []partition.Shape
	var grids []grid.Grid
	var streets []grid.Street
	for row := range n {
		streets = append(streets, grid.Street{Code: fmt.Sprintf("S%d", row), Name: fmt.Sprint(row)})
		for col := range n {
			id := row*n + col + 1
			at := func(dx, dy int) geo.Coord {
				return geo.Coord{X: townX + int32((col+dx)*townSide), Y: townY + int32((row+dy)*townSide)}
			}
			shapes = append(shapes, partition.Shape{ID: partition.FaceID(id), Rings: []partition.Ring{{at(0, 0), at(1, 0), at(1, 1), at(0, 1)}}})
			grids = append(grids, grid.Grid{ID: grid.ID(id), Code: fmt.Sprintf("G%03d", id), Street: streets[row].Code, Kind: grid.Urban})
		}
	}
	p, err := partition.New(shapes)
	if err != nil {
		t.Fatal(err)
	}
	g, err := grid.New(number, grid.Source{Streets: streets, Grids: grids, Partition: p})
	if err != nil {
		t.Fatal(err)
	}
	return locate.New(g)
}

// always is one index for all time.
type always struct{ x *locate.Index }

func (a always) At(int64) *locate.Index { return a.x }

// eight is eight o'clock of the day that tests play on.
var eight = time.Date(2026, 3, 2, 8, 0, 0, 0, grid.Zone)

// at is so many seconds after eight, in Unix milliseconds.
func at(seconds float64) int64 { return eight.UnixMilli() + int64(seconds*1000) }

// seen is a fix at a spot of the town, received when it was made.
func seen(unit UnitID, seconds, eastM, northM float64, accuracyM float32) Fix {
	return Fix{Unit: unit, At: at(seconds), Received: at(seconds), Pos: spot(eastM, northM), AccuracyM: accuracyM, SpeedMPS: -1, HeadingDeg: -1, BatteryPct: -1}.Quantised()
}

// crew is units 1 to n, on duty from 8 to 16 o'clock, unit i assigned to grid i.
func crew(t testing.TB, n int) *Staff {
	t.Helper()
	roll := &Roll{Revision: 1}
	for i := range n {
		id := UnitID(i + 1)
		roll.Units = append(roll.Units, Unit{ID: id, Code: fmt.Sprintf("U%d", id), Name: "张三", Kind: GridPatrol, Street: "S0", Duty: ByRoster, Grids: []grid.ID{grid.ID(id)}})
		roll.Shifts = append(roll.Shifts, Shift{Unit: id, Post: PatrolPost, From: eight, To: eight.Add(8 * time.Hour)})
	}
	s, err := NewStaff(roll)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
