package live

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lianqin/internal/geo"
	"lianqin/internal/patrol"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// seenUnit is a unit as a reader of frames must know it, told from its state.
type seenUnit struct {
	Unit     patrol.UnitID `json:"unit"`
	Presence string        `json:"presence"`
	Lon      float64       `json:"lon"`
	Lat      float64       `json:"lat"`
	At       int64         `json:"at"`
	SOS      bool          `json:"sos"`
	Datum    bool          `json:"datum"`
	Mocked   bool          `json:"mocked"`
	Grid     uint32        `json:"grid"`
	Since    int64         `json:"since"`
}

// TestGoldenFrames holds frames against a file that the pages' tests read, too:
// a snapshot, the ticks after it, and what a reader must know after each.
func TestGoldenFrames(t *testing.T) {
	origin := geo.Coord{X: 1_211_200_000, Y: 312_400_000}
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	staff := []patrol.Unit{{ID: 1, Street: "S1"}, {ID: 2, Street: "S1"}, {ID: 3, Street: "S1"}, {ID: 4, Street: "S1"}}
	fix := func(unit patrol.UnitID, x, y int32, ago time.Duration, flags patrol.Flags) patrol.Fix {
		return patrol.Fix{Unit: unit, At: at.Add(-ago).UnixMilli(), Pos: geo.Coord{X: x, Y: y}, AccuracyM: 4.2, SpeedMPS: 1.44, HeadingDeg: 271, BatteryPct: 80, Flags: flags}
	}
	unknown := fix(2, 1_212_000_055, 313_000_049, time.Hour, patrol.Mocked)
	unknown.AccuracyM, unknown.SpeedMPS, unknown.HeadingDeg, unknown.BatteryPct = 0, -1, -1, -1
	moments := [][]patrol.State{
		{
			{Unit: 1, Presence: patrol.Online, Last: fix(1, 1_212_500_000, 313_500_000, 2*time.Second, 0), Grid: 7, Raw: 8, Since: at.Add(-time.Minute).UnixMilli()},
			{Unit: 2, Presence: patrol.Silent, Last: unknown, Datum: true},
			{Unit: 3, Presence: patrol.Unheard},
			{Unit: 4, Presence: patrol.OffDutyNow},
		},
		{
			{Unit: 1, Presence: patrol.Online, Last: fix(1, 1_212_500_500, 313_500_000, 0, patrol.SOS), Grid: 8, Raw: 8, Since: at.UnixMilli(), SOS: true},
			{Unit: 2, Presence: patrol.OffDutyNow},
			{Unit: 3, Presence: patrol.Online, Last: fix(3, 1_211_199_000, 312_399_000, time.Second, 0)},
			{Unit: 4, Presence: patrol.Unheard},
		},
	}
	type step struct {
		Event   string          `json:"event"`
		Data    json.RawMessage `json:"data"`
		Units   []seenUnit      `json:"units"`
		Unheard []patrol.UnitID `json:"unheard"`
	}
	var steps []step
	var before *moment
	for i, states := range moments {
		p := &Picture{Roll: 17, Units: staff, Generation: 2, States: states, Grids: []patrol.Cover{
			{Grid: 7, Street: "S1", Present: 1 - i, Assigned: 2, Swept: 0.4, Visited: at.Add(-3 * time.Hour), Debt: time.Hour},
			{Grid: 8, Street: "S1", Present: i, Swept: 0.25 * float64(i)},
		}}
		now := newMoment(p, at.Add(time.Duration(i)*time.Second), origin, before)
		s := step{Event: "snap", Unheard: []patrol.UnitID{}}
		var data any = now.snap(Scope{}, origin)
		if before != nil {
			s.Event, data = "tick", compare(before, now).tick(Scope{})
		}
		raw, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		s.Data = raw
		for _, st := range states {
			switch st.Presence {
			case patrol.Unheard:
				s.Unheard = append(s.Unheard, st.Unit)
			case patrol.Online, patrol.Silent:
				pos := st.Last.Pos.Point()
				s.Units = append(s.Units, seenUnit{st.Unit, st.Presence.String(), pos[0], pos[1], st.Last.At, st.SOS, st.Datum, st.Last.Flags&patrol.Mocked != 0, uint32(st.Grid), st.Since})
			}
		}
		steps = append(steps, s)
		before = now
	}
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetIndent("", " ")
	if err := e.Encode(steps); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "frames.json")
	if *updateGolden {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got.Bytes()) {
		t.Errorf("frames differ from %s; run with -update and look at the change:\n%s", path, got.Bytes())
	}
}
