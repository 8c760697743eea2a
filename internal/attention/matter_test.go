package attention

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lianqin/internal/fault"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.FixedZone("", 8*3600))

func ago(d time.Duration) time.Time { return noon.Add(-d) }

// TestRank has what a shift leader would put in this order.
func TestRank(t *testing.T) {
	want := []Matter{
		{Kind: CalledHelp, Subject: "U01", Since: ago(time.Minute)},
		{Kind: Lapsing, Subject: "urgent, 10 min left", Since: ago(110 * time.Minute), Due: noon.Add(10 * time.Minute), Urgent: true},
		{Kind: Overdue, Subject: "urgent, 1 h late", Since: ago(time.Hour), Due: ago(time.Hour), Urgent: true},
		{Kind: Lapsing, Subject: "5 min left", Since: ago(115 * time.Minute), Due: noon.Add(5 * time.Minute)},
		{Kind: Overdue, Subject: "a month late", Since: ago(720 * time.Hour), Due: ago(720 * time.Hour)},
		{Kind: Overdue, Subject: "11 h late", Since: ago(11 * time.Hour), Due: ago(11 * time.Hour)},
		{Kind: Lapsing, Subject: "100 min left", Since: ago(20 * time.Minute), Due: noon.Add(100 * time.Minute)},
		{Kind: Overdue, Subject: "1 h late", Since: ago(time.Hour), Due: ago(time.Hour)},
		{Kind: Rising, Subject: "A01", Since: ago(time.Hour), Amount: 12, Usual: 3},
		{Kind: Review, Subject: "2 h past", Since: ago(2 * time.Hour)},
		{Kind: Uncovered, Subject: "A02", Since: ago(4 * time.Hour), Amount: 240},
		{Kind: Uncovered, Subject: "A03", Since: ago(30 * time.Minute), Amount: 30},
		{Kind: Silent, Subject: "U02", Since: ago(time.Hour)},
		{Kind: CalledHelp, Subject: "U03", Since: ago(time.Minute), Seen: &Seen{By: "li", At: noon}},
		{Kind: Silent, Subject: "U04", Since: ago(time.Minute), Seen: &Seen{By: "li", At: noon}},
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		got := append([]Matter(nil), want...)
		r.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		Rank(got, noon)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("ranked otherwise (-want +got):\n%s", d)
		}
	}
}

// TestEveryKindHasAWeight fails for a kind that would be ranked as nothing.
func TestEveryKindHasAWeight(t *testing.T) {
	for kind := range weights {
		for _, lasted := range []time.Duration{0, time.Minute, time.Hour, 1000 * time.Hour} {
			m := Matter{Kind: kind, Since: ago(lasted), Due: ago(lasted), Amount: lasted.Minutes()}
			if w := m.Weight(noon); w < weights[kind].least || w > weights[kind].most {
				t.Errorf("%s after %s weighs %v, not %v to %v", kind, lasted, w, weights[kind].least, weights[kind].most)
			}
		}
	}
}

func TestParseID(t *testing.T) {
	for _, m := range []Matter{
		{Kind: CalledHelp, Subject: "310114001-P01", Since: noon},
		{Kind: Rising, Subject: "a:b:c", Since: noon},
	} {
		kind, subject, since, err := ParseID(m.ID())
		if err != nil || kind != m.Kind || subject != m.Subject || !since.Equal(m.Since) {
			t.Errorf("%s is read as %s %q %s, %v", m.ID(), kind, subject, since, err)
		}
	}
	for _, s := range []string{"", "sos", "sos:", "sos::1", "sos:U1", "sos:U1:", "sos:U1:x", "sos:U1:-5", "joy:U1:5", ":U1:5", "sos:" + string(make([]byte, 200)) + ":5"} {
		if _, _, _, err := ParseID(s); fault.KindOf(err) != fault.Invalid || err == nil {
			t.Errorf("ParseID(%.20q) = %v, want Invalid", s, err)
		}
	}
}
