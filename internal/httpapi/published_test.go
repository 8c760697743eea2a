// The race detector would make an hour of it.

//go:build !race

package httpapi

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"lianqin/geodata"
	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/demo"
	"lianqin/internal/locate"
)

// importYears enters the published year and the one before it through the
// public import, line by line as lianqin demo cases writes them.
func importYears(t *testing.T, a *API, admin visitor) (entered int) {
	t.Helper()
	first := int64(1)
	for _, before := range []bool{true, false} {
		cases, err := demo.NewCases(demo.CaseOptions{Index: locate.New(demonstration(t)), Procedure: a.cfg.Desk.Procedure(), Before: before, FirstID: first})
		if err != nil {
			t.Fatal(err)
		}
		first += int64(cases.Len())
		body, lines := io.Pipe()
		go func() {
			out := bufio.NewWriterSize(lines, 1<<20)
			enc := json.NewEncoder(out)
			for h, err := range cases.All() {
				if err == nil {
					l := cases.Loading(&h)
					err = enc.Encode(&l.History)
				}
				if err != nil {
					lines.CloseWithError(err)
					return
				}
			}
			lines.CloseWithError(out.Flush())
		}()
		started := time.Now()
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/cases/import", body)
		r.Header.Set("Content-Type", "application/x-ndjson")
		for i := 0; i < len(admin.headers); i += 2 {
			r.Header.Set(admin.headers[i], admin.headers[i+1])
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		_ = body.Close() // the writer ends, whatever became of the reader
		if got := decode[importedAnswer](t, w, 200); got.Added != cases.Len() || got.Refused != 0 {
			t.Fatalf("%d entered and %d refused of %d: %+v", got.Added, got.Refused, cases.Len(), got.Rejected[:min(3, len(got.Rejected))])
		}
		t.Logf("%d cases in %s", cases.Len(), time.Since(started).Round(time.Second))
	}
	return int(first - 1)
}

// TestPublishedYear loads the demonstration year and the one before it through
// the public import, and reads every published figure back from the API, to
// the digit; then holds the breakdowns, the files and the cases behind the
// figures to them.
func TestPublishedYear(t *testing.T) {
	if testing.Short() {
		t.Skip("two years of cases")
	}
	catalogue, err := casework.ReadCatalogue(bytes.NewReader(geodata.Departments), bytes.NewReader(geodata.Catalogue))
	if err != nil {
		t.Fatal(err)
	}
	a := closedAPI(t, Config{Catalogue: catalogue}, demonstration(t))
	who := func(login string, role auth.Role, j auth.Jurisdiction) visitor {
		addAccount(t, a, login, role, j)
		return signedIn(t, a, login)
	}
	importYears(t, a, who("root", auth.Administrator, auth.WholeDistrict))
	centre := who("centre", auth.DistrictOperator, auth.WholeDistrict)
	const year = "from=2025-01-01&to=2026-01-01"
	get := func(t *testing.T, query string) figuresRead {
		t.Helper()
		return decode[figuresRead](t, centre.call(a, "GET", "/api/v1/indicators?"+year+"&"+query, ""), 200)
	}
	const everything = "by=district,street,grid,department,item,major,channel,topic,month&before=1"

	t.Run("published figures", func(t *testing.T) {
		for _, asOf := range []string{"2026-01-01", "2026-02-01", "2029-01-01"} {
			all := get(t, everything+"&as_of="+asOf)
			for _, tt := range []struct{ indicator, want string }{
				{"accepted", "298694"}, {"accepted-grid", "287894"}, {"accepted-events", "270082"}, {"accepted-components", "17812"}, {"accepted-orders", "10800"},
				{"disposal-of-accepted", "287241/287894 99.77 %"}, {"orders-finished", "10301/10800 95.38 %"},
				{"orders-on-time", "10208/10800 94.52 %"}, {"orders-on-time-of-finished", "10208/10301 99.10 %"},
			} {
				f := all.of("district", "", tt.indicator)
				got := f.Percent()
				if f.Denominator != 0 {
					got = fmt.Sprintf("%d/%d %s", f.Numerator, f.Denominator, got)
				}
				if got != tt.want || !f.AsOf.Equal(all.AsOf) || f.Rules != casework.IndicatorRules {
					t.Errorf("as of %s: %s is %s, want %s", asOf, tt.indicator, got, tt.want)
				}
			}
			for _, tt := range []struct{ topic, want string }{
				{"robbery", "-52.78 %"}, // published as -52.8 %
				{"enforcement", "-37.68 %"}, {"stalls", "-44.65 %"}, {"medicine", "-50.41 %"},
			} {
				f := all.of("topic", tt.topic, "accepted")
				if got := f.ChangeText(*f.Before); got != tt.want {
					t.Errorf("as of %s: %s changed by %s, want %s", asOf, tt.topic, got, tt.want)
				}
			}
		}
	})

	t.Run("every dimension adds up", func(t *testing.T) {
		all := get(t, strings.Replace(everything, "&", ",day,hour,street*month,street*channel,major*street,month*channel&", 1)+"&as_of=2026-01-01&indicators=accepted,accepted-grid,disposal-of-accepted,disposal,orders-on-time,in-disposal")
		for by, lines := range all.By {
			if strings.Contains(by, "topic") {
				continue
			}
			for i, d := range all.Indicators {
				var num, den, numBefore int64
				for _, l := range lines {
					num, den, numBefore = num+l.Figures[i].Numerator, den+l.Figures[i].Denominator, numBefore+l.Figures[i].Before.Numerator
				}
				whole := all.of("district", "", d.Code)
				if num != whole.Numerator || den != whole.Denominator || numBefore != whole.Before.Numerator {
					t.Errorf("%s by %s is %d/%d and was %d, the district's is %d/%d and was %d", d.Code, by, num, den, numBefore, whole.Numerator, whole.Denominator, whole.Before.Numerator)
				}
			}
		}
		for by, want := range map[string]int{"street": 12, "grid": 417, "item": 151, "major": 10, "channel": 5, "month": 12, "topic": 4, "hour": 24, "street*month": 144} {
			got := 0
			for _, l := range all.By[by] {
				if l.Figures[0].Numerator > 0 {
					got++
				}
				if l.Name == "" && !strings.Contains(by, "month") && by != "hour" {
					t.Errorf("%s %s has no name", by, l.Key)
				}
			}
			if got != want {
				t.Errorf("%d lines by %s, want %d", got, by, want)
			}
		}
	})

	t.Run("cases behind", func(t *testing.T) {
		count := func(indicator, part, more string) figureCasesRead {
			return decode[figureCasesRead](t, centre.call(a, "GET", "/api/v1/indicators/"+indicator+"/cases?"+year+"&as_of=2026-01-01&limit=500&part="+part+more, ""), 200)
		}
		for _, tt := range []struct {
			indicator, part string
			want            int
		}{{"accepted", "numerator", 298_694}, {"disposal-of-accepted", "numerator", 287_241}, {"disposal-of-accepted", "denominator", 287_894}, {"orders-on-time", "numerator", 10_208}, {"orders-on-time-of-finished", "denominator", 10_301}} {
			if got := count(tt.indicator, tt.part, ""); got.Total != tt.want || len(got.Cases) != 500 || got.After == 0 {
				t.Errorf("%d cases are the %s of %s, want %d", got.Total, tt.part, tt.indicator, tt.want)
			}
		}
		if got := count("accepted", "numerator", "&topic=robbery"); got.Total != 17 || len(got.Cases) != 17 || got.After != 0 || got.Cases[0].Item != demo.Robbery {
			t.Errorf("%d robberies, want 17: %+v", got.Total, got)
		}
		// Page by page, those of one day: each once.
		seen := map[int64]bool{}
		day, pages := count("accepted", "numerator", "&street=310114103&item=0701"), 1
		for got := day; ; pages++ {
			for _, id := range got.ids() {
				if seen[id] {
					t.Fatalf("case %d is on two pages", id)
				}
				seen[id] = true
			}
			if got.After == 0 {
				break
			}
			got = count("accepted", "numerator", fmt.Sprint("&street=310114103&item=0701&after=", got.After))
		}
		if len(seen) != day.Distinct || pages < 2 {
			t.Errorf("%d cases on %d pages, want %d", len(seen), pages, day.Distinct)
		}
		w := centre.call(a, "GET", "/api/v1/indicators/accepted/cases?"+year+"&part=numerator&format=csv", "")
		if p := wantProblem(t, w, 413); p.Parameter != "format" {
			t.Errorf("a file of all cases: %+v", p)
		}
	})

	t.Run("files", func(t *testing.T) {
		for _, format := range []string{"csv", "xlsx"} {
			started := time.Now()
			w := centre.call(a, "GET", "/api/v1/indicators?"+year+"&before=1&as_of=2026-01-01&format="+format+map[string]string{"csv": "&" + strings.TrimSuffix(everything, "&before=1")}[format], "")
			if w.Code != 200 || format == "csv" && !bytes.Contains(w.Body.Bytes(), []byte("district,,,,,disposal-of-accepted,处置率（按受理）,disposed / accepted grid cases,287241,287894,0.997732")) {
				t.Errorf("%s: %d %.200s", format, w.Code, w.Body)
			}
			t.Logf("%s of %d bytes in %s", format, w.Body.Len(), time.Since(started).Round(time.Millisecond))
		}
	})

	t.Run("speed", func(t *testing.T) {
		// A benchmark tells the figure; this only says what it comes to here.
		for name, query := range map[string]string{"all dimensions": year + "&" + strings.TrimSuffix(everything, "&before=1"), "and the year before": year + "&" + everything} {
			took := []time.Duration{}
			for range 7 {
				started := time.Now()
				w := centre.call(a, "GET", "/api/v1/indicators?"+query, "")
				took = append(took, time.Since(started))
				if w.Code != 200 {
					t.Fatal(w.Code, w.Body)
				}
			}
			slices.Sort(took)
			t.Logf("%s: %s in the median of %d", name, took[len(took)/2].Round(time.Millisecond), len(took))
		}
	})

	t.Run("a street's own", func(t *testing.T) {
		street := who("street", auth.StreetOperator, auth.Jurisdiction{Level: auth.Street, Code: "310114103"})
		own := decode[figuresRead](t, street.call(a, "GET", "/api/v1/indicators?"+year+"&by=street,month&as_of=2026-01-01", ""), 200)
		all := get(t, "by=street&as_of=2026-01-01")
		if len(own.By["street"]) != 1 || own.number("street", "310114103", "accepted") != all.number("street", "310114103", "accepted") {
			t.Errorf("a street sees %+v", own.By["street"])
		}
	})
}
