package store

import (
	"crypto/sha256"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/store/storetest"
)

var citizen = casework.Actor{ID: "public", Role: casework.Citizen}

func (o *office) told(key string) casework.Arrival {
	a := o.seen("0701", inStreet1)
	a.By, a.Intake.Channel, a.Key = []casework.Actor{citizen}, casework.ByPublic, sha256.Sum256([]byte(key))
	return a
}

// TestSentTwiceIsOneCase has the same report sent again and again, at once and
// one after the other, from two processes.
func TestSentTwiceIsOneCase(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		o := deskOf(t, s)
		other := deskOf(t, s)
		report := o.told("a")
		var mu sync.Mutex
		var entered []int64
		var fresh int
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				desk := o
				if i%2 == 1 {
					desk = other
				}
				out, err := desk.Open(t.Context(), report)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				entered = append(entered, out.Case.ID)
				if !out.Repeated {
					fresh++
				}
			})
		}
		wait.Wait()
		if d := cmp.Diff(slices.Repeat([]int64{1}, 8), entered); d != "" || fresh != 1 {
			t.Errorf("cases %v, of which %d are new", entered, fresh)
		}
		if c := o.open(t, o.told("b")); c.ID != 2 {
			t.Errorf("another key made case %d", c.ID)
		}
	})
}

func TestReportsAreAdded(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		o := deskOf(t, s)
		c := o.open(t, o.told("a"))
		photo := o.photo()
		key := casework.SendKey(sha256.Sum256([]byte("b")))
		for range 2 {
			r, err := o.AddReport(t.Context(), c.ID, citizen, key, casework.Input{Text: "还在", Evidence: photo})
			if err != nil {
				t.Fatal(err)
			}
			if r.Case.Seq != 2 || len(r.Entries) != 2 || r.Entries[1].Action != casework.AddReport {
				t.Errorf("added: %+v", r.Entries)
			}
		}
		if _, err := o.AddReport(t.Context(), c.ID, citizen, casework.SendKey{1}, casework.Input{}); fault.FieldOf(err) != "text" {
			t.Errorf("without words: %v", err)
		}
		if _, err := o.AddReport(t.Context(), 9, citizen, casework.SendKey{2}, casework.Input{Text: "x"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("to no case: %v", err)
		}
		r, err := o.Case(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		o.do(t, r.Case, casework.NotAccept, centre, casework.Input{Text: "不属本区"})
		if _, err := o.AddReport(t.Context(), c.ID, citizen, casework.SendKey{3}, casework.Input{Text: "x"}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("to a case that is over: %v", err)
		}
	})
}

func TestReceivedIsFound(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		o := deskOf(t, s)
		begin := o.clock()
		for i, item := range []string{"0701", "0801", "0701", "0602", "0701"} {
			c := o.open(t, o.seen(item, inStreet1))
			if i == 2 {
				o.do(t, c, casework.NotAccept, centre, casework.Input{Text: "x"})
			}
			o.pass(time.Hour)
		}
		for name, tt := range map[string]struct {
			in   casework.Received
			want []int64
		}{
			"all":       {casework.Received{Items: []string{"0701", "0602"}, Open: true, Closed: true}, []int64{5, 4, 3, 1}},
			"open":      {casework.Received{Items: []string{"0701", "0602"}, Open: true}, []int64{5, 4, 1}},
			"closed":    {casework.Received{Items: []string{"0701", "0602"}, Closed: true}, []int64{3}},
			"one item":  {casework.Received{Items: []string{"0602"}, Open: true, Closed: true}, []int64{4}},
			"no item":   {casework.Received{Open: true, Closed: true}, nil},
			"from on":   {casework.Received{Items: []string{"0701"}, From: begin.Add(time.Hour), Open: true, Closed: true}, []int64{5, 3}},
			"until":     {casework.Received{Items: []string{"0701"}, To: begin.Add(time.Minute), Open: true, Closed: true}, []int64{1}},
			"next page": {casework.Received{Items: []string{"0701", "0602"}, Open: true, Closed: true, Skip: 2}, []int64{3, 1}},
		} {
			if tt.in.From.IsZero() {
				tt.in.From = begin
			}
			if tt.in.To.IsZero() {
				tt.in.To = begin.Add(24 * time.Hour)
			}
			found, err := o.Find(t.Context(), casework.Search{Received: &tt.in, Limit: 4})
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, r := range found.Records {
				got = append(got, r.Case.ID)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("%s: -want +got\n%s", name, d)
			}
		}
	})
}

func eachStore(t *testing.T, f func(*testing.T, *Store)) {
	storetest.Each(t, func(t *testing.T, url string) { f(t, open(t, url)) })
}
