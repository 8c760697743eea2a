package store

import (
	"database/sql"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/store/storetest"
)

// TestWalk: whatever is offered to somebody is done at random. Rows say what
// histories replay to, a desk that saw it happen counts what one that is opened
// now counts, and nothing but a refusal comes back.
func TestWalk(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		o := deskOf(t, s)
		r := rand.New(rand.NewPCG(3, 5))
		everybody := slices.Concat(patrolman, checker, centre, team, []casework.Actor{
			{ID: "wang", Role: casework.ShiftLeader, Street: "310114001"}, {ID: "wang", Role: casework.Dispatcher, Street: "310114001"},
			{ID: "he", Role: casework.DeputyDirector}, {ID: "sun", Role: casework.Inspector}, {ID: "h", Role: casework.Hotline}, {ID: "d13", Role: casework.Handler, Department: "D13"}})
		var cases []casework.Case
		for i := range 20 {
			cases = append(cases, o.through(t, o.open(t, o.seen(unlawfulBuilding, inStreet1)), i%5))
		}
		dull := []casework.Action{casework.AddNote, casework.SelfHandle, casework.Escalate, casework.NotAccept, casework.NotFile, casework.Discard, casework.Supervise}
		done, refused := map[casework.Action]int{}, 0
		stood := map[time.Time][]casework.Kept{}
		for step := range 800 {
			if step%50 == 0 {
				stood[o.clock()] = standing(t, o)
			}
			o.pass(time.Duration(1+r.IntN(180)) * time.Minute)
			i := r.IntN(len(cases))
			who := everybody[r.IntN(len(everybody))]
			offered := casework.Allowed(cases[i], who)
			if len(offered) == 0 {
				continue
			}
			a := offered[r.IntN(len(offered))]
			if slices.Contains(dull, a.Action) && r.IntN(10) > 0 {
				continue
			}
			rec, err := o.Act(t.Context(), o.deedOf(&a, &cases[i], who))
			if err != nil {
				if kind := fault.KindOf(err); kind == fault.Internal || kind == fault.Unavailable {
					t.Fatalf("%s by %+v: %v", a.Action, who, err)
				}
				refused++
				continue
			}
			cases[i] = rec.Case
			done[a.Action]++
		}
		if len(done) < 20 {
			t.Errorf("only %d kinds of action were done: %v", len(done), done)
		}
		t.Logf("%v, %d refused", done, refused)
		for at, want := range stood {
			got, err := o.IndexAt(t.Context(), casework.Search{}, at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, values(got)); diff != "" {
				t.Errorf("what stood at %s: %s", at, diff)
			}
		}
		rows := 0
		err := eachRow(t.Context(), s.readers, func(row *sql.Rows) error {
			var id, seq, overlays, due int64
			var state, lead, centre string
			if err := row.Scan(&id, &seq, &state, &overlays, &due, &lead, &centre); err != nil {
				return err
			}
			c := cases[id-1]
			if int64(c.Seq) != seq || string(c.State) != state || int64(c.Overlays) != overlays || casework.DueOf(&c) != due || c.Cycle.Lead.Code != lead || c.Centre != centre {
				t.Errorf("row %d: %d %s %d %d %s %s, and the case %+v", id, seq, state, overlays, due, lead, centre, c)
			}
			rows++
			return nil
		}, `SELECT id, seq, state, overlays, next_due, lead, centre FROM case_file`)
		if err != nil || rows != len(cases) {
			t.Errorf("%d rows, %v", rows, err)
		}
		owned := map[int64][]string{}
		err = eachRow(t.Context(), s.readers, func(row *sql.Rows) error {
			var name string
			var owner int64
			err := row.Scan(&name, &owner)
			owned[owner] = append(owned[owner], name)
			return err
		}, `SELECT name, case_id FROM evidence_file WHERE case_id IS NOT NULL ORDER BY name`)
		if err != nil {
			t.Fatal(err)
		}
		for i := range cases {
			if names := slices.Sorted(slices.Values(cases[i].Evidence)); !slices.Equal(owned[cases[i].ID], names) {
				t.Errorf("case %d names %v and owns %v", cases[i].ID, names, owned[cases[i].ID])
			}
			rec, err := o.Case(t.Context(), cases[i].ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(cases[i], rec.Case); diff != "" {
				t.Errorf("case %d: %s", cases[i].ID, diff)
			}
		}
		if diff := cmp.Diff(figures(t, o.Desk), figures(t, deskOf(t, s).Desk)); diff != "" {
			t.Errorf("a desk that is opened now: %s", diff)
		}
	})
}

// standing is what is open now, as a past index has it.
func standing(t testing.TB, o *office) []casework.Kept {
	t.Helper()
	all, _, err := o.Index(casework.Search{})
	if err != nil {
		t.Fatal(err)
	}
	return values(all)
}

func values(all []*casework.Kept) []casework.Kept {
	out := make([]casework.Kept, len(all))
	for i, k := range all {
		out[i] = *k
		out[i].Change = 0
	}
	return out
}

// deedOf is an action with all that it needs.
func (o *office) deedOf(a *casework.Transition, c *casework.Case, who casework.Actor) casework.Deed {
	now := o.clock()
	d := casework.Deed{Case: c.ID, Seq: c.Seq, By: []casework.Actor{who}, Action: a.Action}
	in := &d.Input
	in.Text = "理由"
	for _, need := range a.Needs {
		switch need {
		case casework.NeedsEvidence:
			in.Evidence = o.photo()
		case casework.NeedsWriting:
			in.Writing = "letter"
		case casework.NeedsReview:
			in.Review = now.Add(72 * time.Hour)
		case casework.NeedsReplyBy:
			in.ReplyBy = now.Add(24 * time.Hour)
		case casework.NeedsExtra:
			in.Extra = 8 * time.Hour
		case casework.NeedsKind:
			in.Kind = "special"
		case casework.NeedsJoint:
			d.Template = "street-order"
			d.Joining = []string{"D13"}
		case casework.NeedsLead:
			if a.Action == casework.Reassign {
				d.Lead = "S03"
			}
		case casework.NeedsStage:
			if k, ok := c.Clock(casework.DisposalClock); ok {
				for _, s := range k.Stages {
					if s.Done.IsZero() {
						in.Stage = s.Name
						break
					}
				}
			}
		}
	}
	if a.Action == casework.Dispatch && c.Place.Grid != grid.None && now.Minute()%3 == 0 {
		d.Lead = "D13"
	}
	return d
}
