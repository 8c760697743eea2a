package casework

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

var handedOver = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// aHistory is the history of a case that was filed, dispatched, and is in
// disposal, as a line of a file.
func aHistory(t testing.TB) map[string]any {
	t.Helper()
	p := procedure(t)
	at := local(t, "2026-02-13 09:00")
	var c Case
	var entries []Entry
	for _, step := range []struct {
		action Action
		who    Actor
		in     Input
	}{
		{Report, actor(Patrol), Input{Item: well, Evidence: []string{"photo"}, Intake: &Intake{Channel: ByPatrol, Captured: at}, Place: &Place{At: [2]float64{121.1, 31.2}, Generation: 1, Grid: 1, GridCode: "G1", Street: "310114001"}}},
		{Accept, actor(Clerk), Input{}},
		{File, actor(ShiftLeader), Input{}},
		{Dispatch, actor(Dispatcher), Input{Assignment: &Assignment{Lead: grid.Department{Code: "S02", Name: "队"}, Why: Why{Basis: ByCatalogue}}}},
		{Take, actor(Handler), Input{}},
	} {
		if step.action == Take {
			step.who.Department = c.Cycle.Lead.Code
		}
		next, e, err := p.Apply(c, step.action, step.who, at, step.in)
		if err != nil {
			t.Fatal(step.action, err)
		}
		c, entries, at = next, append(entries, e), at.Add(time.Minute)
	}
	text, err := json.Marshal(History{Source: "elsewhere", Number: "7", Entries: entries, Reporter: &Reporter{Name: "王"}})
	if err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(text, &line); err != nil {
		t.Fatal(err)
	}
	return line
}

func TestHistoryMistakes(t *testing.T) {
	entry := func(line map[string]any, i int) map[string]any { return line["entries"].([]any)[i].(map[string]any) }
	inner := func(m map[string]any, path ...string) map[string]any {
		for _, p := range path {
			m = m[p].(map[string]any)
		}
		return m
	}
	for _, tt := range []struct {
		name   string
		change func(line map[string]any)
		want   string // in the error; empty is none
	}{
		{"nothing", func(map[string]any) {}, ""},
		{"no number", func(l map[string]any) { delete(l, "number") }, "number"},
		{"a number with a line break", func(l map[string]any) { l["number"] = "7\n8" }, "number"},
		{"a source that is a book", func(l map[string]any) { l["source"] = strings.Repeat("x", 300) }, "source"},
		{"an unknown member", func(l map[string]any) { l["colour"] = "red" }, "colour"},
		{"no entries", func(l map[string]any) { l["entries"] = []any{} }, "entries"},
		{"a gap", func(l map[string]any) { entry(l, 2)["seq"] = 9 }, "entry 3, file"},
		{"an action that is none", func(l map[string]any) { entry(l, 1)["action"] = "bless" }, "entry 2, bless"},
		{"by the wrong role", func(l map[string]any) { inner(entry(l, 1), "by")["role"] = "patrol" }, "entry 2, accept"},
		{"to the wrong state", func(l map[string]any) { entry(l, 1)["to"] = "closed" }, "leads to accepted"},
		{"from the wrong state", func(l map[string]any) { entry(l, 1)["from"] = "filed" }, "entry 2"},
		{"an overlay of its own", func(l map[string]any) { entry(l, 1)["sets"] = []any{"checked"} }, "sets"},
		{"back in time", func(l map[string]any) { entry(l, 2)["at"] = "2026-02-12T00:00:00Z" }, "entry 3"},
		{"still to come", func(l map[string]any) { entry(l, 4)["at"] = "2031-01-01T00:00:00Z" }, "is not past"},
		{"before there were cases", func(l map[string]any) { entry(l, 0)["at"] = "1066-10-14T00:00:00Z" }, "out of all reason"},
		{"no intake", func(l map[string]any) { delete(inner(entry(l, 0), "input"), "intake") }, "intake"},
		{"a channel that is none", func(l map[string]any) { inner(entry(l, 0), "input", "intake")["channel"] = "dream" }, "intake.channel"},
		{"an order of a patrol's", func(l map[string]any) {
			entry(l, 0)["order"] = map[string]any{"number": "1", "days": 5, "issued": "2026-02-13T00:00:00Z", "due": "2026-02-20T00:00:00Z"}
		}, "order"},
		{"a place off the globe", func(l map[string]any) { inner(entry(l, 0), "input", "place")["at"] = []any{500, 0} }, "place"},
		{"no filing", func(l map[string]any) { delete(entry(l, 2), "filing") }, "filing"},
		{"a limit of a thousand years", func(l map[string]any) { inner(entry(l, 2), "filing", "disposal")["span_ns"] = 1e18 * 9 }, "limit"},
		{"a limit by no clock", func(l map[string]any) { inner(entry(l, 2), "filing", "response")["clock"] = "sundial" }, "limit.clock"},
		{"no assignment", func(l map[string]any) { delete(entry(l, 3), "input") }, "assignment"},
		{"input for another action", func(l map[string]any) { entry(l, 4)["input"] = map[string]any{"stage": "x"} }, "stage"},
		{"a clock of another action", func(l map[string]any) {
			entry(l, 4)["clocks"] = []any{map[string]any{"clock": "disposal", "op": "stop"}}
		}, "does not stop the clock"},
		{"a clock that never started", func(l map[string]any) { entry(l, 3)["clocks"] = []any{} }, "entry 5, take"},
		{"a clock without a due time", func(l map[string]any) {
			delete(entry(l, 1)["clocks"].([]any)[1].(map[string]any), "due")
		}, "no due time"},
		{"a code with a NUL", func(l map[string]any) { inner(entry(l, 3), "input", "assignment", "lead")["code"] = "S\x0002" }, "control"},
	} {
		line := aHistory(t)
		tt.change(line)
		text, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		h, err := ReadHistory(text)
		if err == nil {
			_, err = h.Check(handedOver)
		}
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v of kind %v, want %q", tt.name, err, fault.KindOf(err), tt.want)
		}
	}
}

// FuzzHistory has whatever is taken in worked with as any case is.
func FuzzHistory(f *testing.F) {
	text, err := json.Marshal(aHistory(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	p := procedure(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		h, err := ReadHistory(line)
		if err == nil {
			var c Case
			if c, err = h.Check(handedOver); err == nil {
				DueOf(&c)
				AppendKept(nil, KeptOf(&c))
				c.Parties()
				for _, role := range Roles {
					who := Actor{ID: "x", Role: role, Department: c.Cycle.Lead.Code}
					for _, row := range Allowed(c, who) {
						in := Input{Text: "x", Evidence: []string{"x"}, Review: handedOver.AddDate(1, 0, 0), ReplyBy: handedOver.AddDate(1, 0, 0)}
						_, _, _ = p.Apply(c, row.Action, who, handedOver, in) // it may refuse
					}
				}
				return
			}
		}
		if fault.KindOf(err) != fault.Invalid {
			t.Fatalf("kind %v of %v", fault.KindOf(err), err)
		}
	})
}
