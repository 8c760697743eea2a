package auth

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func chain(n int) ([]Entry, Head) {
	var rows []Entry
	var head Head
	for i := range n {
		e := head.Append(Event{At: time.UnixMilli(int64(1_700_000_000_000 + i)), Who: "li", Role: Planner,
			Action: "generation.publish", Subject: "7", After: json.RawMessage(`{"n":1}`)})
		rows, head = append(rows, e), Head{e.Seq, e.Hash}
	}
	return rows, head
}

func TestVerifierFindsWhatWasDoneToAChain(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		harm       func([]Entry) []Entry
	}{
		{"nothing", "", func(r []Entry) []Entry { return r }},
		{"a changed person", "row 4 ", func(r []Entry) []Entry { r[3].Who = "wang"; return r }},
		{"a changed time", "row 4 ", func(r []Entry) []Entry { r[3].At = r[3].At.Add(time.Hour); return r }},
		{"a changed detail", "row 4 ", func(r []Entry) []Entry { r[3].After = json.RawMessage(`{"n":2}`); return r }},
		{"text moved from one field to the next", "row 4 ", func(r []Entry) []Entry { r[3].Who, r[3].Role = "l", "iplanner"; return r }},
		{"a changed row, rehashed", "row 5 ", func(r []Entry) []Entry { r[3].Who = "wang"; r[3].Hash = r[3].sum(); return r }},
		{"a row taken out", "row 4 is missing", func(r []Entry) []Entry { return append(r[:3], r[4:]...) }},
		{"two rows swapped", "row 3 is missing", func(r []Entry) []Entry { r[2], r[3] = r[3], r[2]; return r }},
		{"the last row taken off", "ends at row 9, and 10", func(r []Entry) []Entry { return r[:9] }},
		{"all rows taken off", "ends at row 0, and 10", func(r []Entry) []Entry { return nil }},
	} {
		rows, head := chain(10)
		var v Verifier
		var err error
		for _, e := range tt.harm(rows) {
			if err = v.Next(e); err != nil {
				break
			}
		}
		if err == nil {
			err = v.End(head)
		}
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
