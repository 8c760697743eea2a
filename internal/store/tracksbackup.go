package store

import (
	"context"
	"math"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// tracksTable is how a backup has the fixes of tracks, whatever the database
// has them in: one row for each unit and trackSpan in which it has any, in
// order of time and unit.
var tracksTable = table{Name: "track", Columns: []column{{"unit", intColumn}, {"start", intColumn}, {"data", blobColumn}}}

// tracksSchema is the first schema that has tracks.
const tracksSchema = 3

func (s *Store) writeTracks(ctx context.Context, tx *transaction, a *archiveWriter) error {
	a.begin(tracksTable)
	days, err := s.fixes.days(ctx, tx)
	if err != nil {
		return err
	}
	for _, day := range days {
		for start := day; start < day+dayMS; start += spanMS {
			err := s.fixes.bundles(ctx, tx, start, func(b bundle) error {
				return a.row([]any{int64(b.unit), b.start, b.track})
			})
			if err != nil {
				return err
			}
		}
	}
	return a.end()
}

// fillTracks enters one file of a backup and returns how many rows it has.
func (s *Store) fillTracks(ctx context.Context, tx *transaction, lines []byte) (int64, error) {
	rows, err := readRows(tracksTable, lines)
	if err != nil {
		return 0, err
	}
	bundles := make([]bundle, len(rows))
	for i, row := range rows {
		unit, isUnit := row[0].(int64)
		start, isStart := row[1].(int64)
		track, isTrack := row[2].([]byte)
		if !isUnit || !isStart || !isTrack || unit <= 0 || unit > math.MaxInt32 {
			return 0, fault.New(fault.Invalid, "%s row %d: unit %v, start %v", tracksTable.Name, i+1, row[0], row[1])
		}
		bundles[i] = bundle{patrol.UnitID(unit), start, track}
	}
	return int64(len(rows)), s.fixes.enterBundles(ctx, tx, bundles)
}
