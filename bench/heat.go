package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"lianqin/geodata"
	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/demo"
	"lianqin/internal/grid"
	"lianqin/internal/httpapi"
)

// heatYears are of how many years there are cases: the demonstration's, and
// three million.
var heatYears = [...]int{1, 10}

// heatFigure is the figure of counting cases by place and time: the handlers as
// a request meets them, without a network.
func heatFigure(_ context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	procedure, err := shipped()
	if err != nil {
		return err
	}
	made, err := demo.NewCases(demo.CaseOptions{Index: d.index, Procedure: procedure})
	if err != nil {
		return err
	}
	atlas, gate, err := inForce(d.gen)
	if err != nil {
		return err
	}
	var year []casework.Kept
	for h, err := range made.All() {
		if err != nil {
			return err
		}
		k := casework.KeptOf(&h.Case)
		k.Facts, k.Parties, k.Text, k.Address = nil, nil, "", ""
		year = append(year, *k)
	}
	t := &table{title: "Heat: cases by place and time, the answer to one request in ms of one core", head: []string{"", "1 year", "10 years", "target, 1 year"}}
	var memory, entered []string
	rows := make([][]string, len(heatRequests))
	for _, years := range heatYears {
		var failed error
		began := selfCPU()
		heat, size, err := heap(func() (*httpapi.Heat, error) {
			heat := httpapi.NewHeat(atlas, func(err error) { failed = err })
			for n := range years {
				for i := range year {
					k := year[i]
					k.Case += int64(n * len(year))
					k.Received = time.UnixMilli(k.Received).AddDate(n-years+1, 0, 0).UnixMilli()
					heat.Put(&k)
				}
			}
			return heat, failed
		})
		if err != nil {
			return err
		}
		count := float64(years * len(year))
		memory = append(memory, number(float64(size)/count))
		entered = append(entered, number(float64(selfCPU()-began)/count))
		now := time.Date(demo.FirstYear+1, 1, 1, 0, 0, 0, 0, grid.Zone)
		clock := now
		api, err := httpapi.New(httpapi.Config{Gate: gate, Atlas: atlas, Public: []auth.Action{auth.ReadIndicators}, Heat: heat, Now: func() time.Time { return clock }, Limits: httpapi.Limits{Rate: -1}})
		if err != nil {
			return err
		}
		for i, r := range heatRequests {
			n := 0
			s, err := processor(b.rounds, 1, func() error {
				n++
				// Each round asks of a window of its own: what was answered is kept.
				from := now.AddDate(-1, 0, 0).Add(-time.Duration(n) * time.Second)
				if r.all {
					from = now.AddDate(-years, 0, 0).Add(time.Duration(n) * time.Second)
				}
				clock = clock.Add(r.later)
				target := fmt.Sprintf("%sfrom=%s&to=%s", r.target, from.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
				if r.later != 0 {
					target = r.target
				}
				w := httptest.NewRecorder()
				api.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
				if w.Code != 200 {
					return fmt.Errorf("%s: %d %s", target, w.Code, w.Body)
				}
				return nil
			})
			if err != nil {
				return err
			}
			rows[i] = append(rows[i], number(s.median()/1e6))
			if years == 1 && r.target != "" {
				rows[i] = append(rows[i], "")
				if r.most > 0 {
					rows[i][1] = atMost(s.median()/1e6, r.most)
				}
			}
		}
		api.Close()
	}
	for i, r := range heatRequests {
		t.row(r.name, rows[i][0], rows[i][2], rows[i][1])
	}
	t.row("entering a case, ns", entered[0], entered[1], "")
	t.row("memory of a case, bytes", memory[0], memory[1], "")
	t.note("The year is the demonstration's, %s cases; ten years are the same ten times. Each round asks of another window, so that no answer is at hand.", number(float64(len(year))))
	t.note("Clusters are worked out once an hour for each question, one at a time, and then at hand.")
	t.print()
	return nil
}

var heatRequests = []struct {
	name, target string
	most         float64       // ms
	all          bool          // of all years
	later        time.Duration // asks of that much later each round, and of no window
}{
	{name: "the year by grid", target: "/api/v1/heat?", most: 50},
	{name: "the year by cell", target: "/api/v1/heat?by=cell&", most: 50},
	{name: "the year as a texture", target: "/api/v1/heat?by=density&", most: 50},
	{name: "the year of a street, two channels, what is closed", target: "/api/v1/heat?street=310114001&channel=patrol,village&state=closed&", most: 50},
	{name: "the year by day", target: "/api/v1/heat/series?step=1d&", most: 50},
	{name: "the year by week as 53 textures", target: "/api/v1/heat/series?step=1w&by=density&"},
	{name: "a tile of the year, zoom 12", target: "/tiles/heat/12/3427/1672.mvt?", most: 50},
	{name: "all years by grid", target: "/api/v1/heat?", all: true},
	{name: "clusters of four weeks against eight", target: "/api/v1/heat/rising", later: -time.Hour},
}

// shipped is the procedure of the catalogue and calendar that come with the
// program.
func shipped() (*casework.Procedure, error) {
	catalogue, err := casework.ReadCatalogue(reader(geodata.Departments), reader(geodata.Catalogue))
	if err != nil {
		return nil, err
	}
	editions, err := casework.NewEditions(catalogue.Numbered(1, time.Date(demo.FirstYear-1, 1, 1, 0, 0, 0, 0, grid.Zone)))
	if err != nil {
		return nil, err
	}
	hours, err := casework.ParseHours(casework.UsualHours)
	if err != nil {
		return nil, err
	}
	calendar, err := casework.ReadCalendar(reader(geodata.Calendar), hours)
	if err != nil {
		return nil, err
	}
	standards, err := casework.ReadStandards(reader(geodata.Standards))
	return &casework.Procedure{Catalogues: editions, Calendar: calendar, Rules: casework.UsualRules(), Standards: standards}, err
}
