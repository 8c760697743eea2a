package httpapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// What one public report holds at most.
const (
	maxPublicText   = 1000 // bytes, of 330 Chinese characters
	maxPublicShort  = 200
	maxPublicPhotos = 5
)

// publicForm is what the page sends.
type publicForm struct {
	// Key is the page's own for this report: what is sent again with it is the
	// same report.
	Key    string `json:"key"`
	Ticket string `json:"ticket"`
	// Website is a field that people do not see, and programs fill in.
	Website  string             `json:"website"`
	Item     string             `json:"item"` // empty: let the centre say
	Text     string             `json:"text"`
	Captured time.Time          `json:"captured"`
	Position *positionForm      `json:"position"`
	Address  string             `json:"address"`
	Answer   grid.ID            `json:"answer"` // of the question that a check, or a Conflict, asked
	Unsure   bool               `json:"unsure"` // it was asked, and could not be answered
	Evidence []string           `json:"evidence"`
	Reporter *casework.Reporter `json:"reporter"`
	Publish  bool               `json:"publish"`
	Join     string             `json:"join"` // the hint of the case that this is added to
}

var sendKeyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{22,64}$`)

func (f *publicForm) check(a *API) error {
	switch {
	case f.Website != "":
		return fault.InvalidField("website", "请留空 leave it empty")
	case !sendKeyForm.MatchString(f.Key):
		return fault.InvalidField("key", "needs 22 to 64 letters, digits, - or _, by chance")
	case len(f.Text) > maxPublicText:
		return fault.InvalidField("text", "超过 %d 字节 longer than %d bytes", maxPublicText, maxPublicText)
	case len(f.Evidence) > maxPublicPhotos:
		return fault.InvalidField("evidence", "more than %d photos", maxPublicPhotos)
	}
	short := []string{f.Address, f.Item}
	if f.Position != nil {
		short = append(short, f.Position.Address)
	}
	if f.Reporter != nil {
		short = append(short, f.Reporter.Name, f.Reporter.Contact)
	}
	for _, s := range short {
		if len(s) > maxPublicShort {
			return fault.InvalidField("text", "a field is longer than %d bytes", maxPublicShort)
		}
	}
	if f.Item != "" {
		if _, err := a.publicItem(f.Item); err != nil {
			return fault.InvalidField("item", "%w", err)
		}
	}
	return cmp.Or(checkEvidence(f.Evidence), a.checkTicket(f.Ticket))
}

// sendKey is the report's key for the desk, apart from those of other channels.
func (f *publicForm) sendKey() casework.SendKey { return sha256.Sum256([]byte("public " + f.Key)) }

// citizen is who reports by a page: nobody we know, or somebody signed in who
// does it as anybody may; and the context of what is done for him.
func (a *API) citizen(c *gin.Context) (auth.Caller, context.Context) {
	ctx := c.Request.Context()
	who, ok := auth.CallerFrom(ctx)
	if !ok {
		who = publicCaller(a.address(c.Request))
		ctx = auth.WithCaller(ctx, who)
	}
	return who, ctx
}

// publicReceipt is what a citizen gets for a report.
type publicReceipt struct {
	Number   string    `json:"number"`
	Follow   string    `json:"follow"` // the secret by which to follow it
	Received time.Time `json:"received"`
	Repeated bool      `json:"repeated"` // it had come in already
	Added    bool      `json:"added"`    // to another's report
}

// reportPublicly answers POST /api/v1/public/reports.
func (a *API) reportPublicly(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	var f publicForm
	if err := readJSON(c, &f); err != nil {
		return err
	}
	if err := f.check(a); err != nil {
		return err
	}
	if err := a.reports.from(a, c.Request); err != nil {
		return err
	}
	who, ctx := a.citizen(c)
	if f.Join != "" {
		return a.addPublicly(ctx, c, d, &f, who)
	}
	in := casework.Arrival{By: citizens(who), Item: f.Item, Answer: f.Answer, Evidence: f.Evidence, Reporter: f.Reporter, Key: f.sendKey()}
	if in.Position, err = f.Position.position(); err != nil {
		return err
	}
	text := open311Clean(f.Text)
	address := open311Clean(f.Address)
	switch {
	case in.Position != nil:
		in.Position.Address = cmp.Or(address, in.Position.Address)
	case address == "":
		return fault.InvalidField("position", "在哪里？ where is it? a position or an address")
	default:
		text = strings.TrimSpace(text + "\n" + detail("地址", address))
	}
	if text == "" && f.Item == "" && len(f.Evidence) == 0 {
		return fault.InvalidField("text", "请选择事项、写几句话或附照片 choose what it is, write some words or add a photo")
	}
	in.Intake = casework.Intake{Channel: casework.ByPublic, Captured: f.Captured, Text: text, Publish: f.Publish}
	if in.Intake.Captured.IsZero() {
		in.Intake.Captured = a.cfg.Now()
	}
	if in.Position != nil && f.Item != "" && f.Answer == grid.None && !f.Unsure {
		before, err := d.Preview(ctx, f.Item, *in.Position, in.Intake.Captured)
		if err != nil {
			return err
		}
		if len(before.Outcome.Candidates) > 0 {
			return &publicQuestion{a.candidatesFor(before.Outcome.Candidates)}
		}
	}
	out, err := d.Open(ctx, in)
	if err != nil {
		return err
	}
	return a.writePublicReceipt(c, &out.Case, ownReceipt, out.Repeated)
}

// addPublicly adds a report to the one that it is the same as.
func (a *API) addPublicly(ctx context.Context, c *gin.Context, d *casework.Desk, f *publicForm, who auth.Caller) error {
	hint, err := a.readReceipt(f.Join)
	if err != nil || hint.Kind != hintReceipt {
		return fault.InvalidField("join", "names no report")
	}
	text := open311Clean(f.Text)
	if f.Reporter != nil && *f.Reporter != (casework.Reporter{}) {
		// A case has one reporter; of others nothing is kept but what they say.
		return fault.InvalidField("reporter", "合并到已有上报时不留联系方式 what is added to another's report has no contact")
	}
	in := casework.Input{Text: cmp.Or(text, "另有市民反映同一问题"), Evidence: f.Evidence}
	r, err := d.AddReport(ctx, hint.Case, citizens(who)[0], f.sendKey(), in)
	if err != nil {
		return err
	}
	return a.writePublicReceipt(c, &r.Case, addedReceipt, false)
}

func (a *API) writePublicReceipt(c *gin.Context, k *casework.Case, kind receiptKind, repeated bool) error {
	return writeValue(c, http.StatusCreated, publicReceipt{
		Number: fmt.Sprint(k.ID), Follow: a.writeReceipt(receipt{kind, k.ID}), Received: k.Received.In(grid.Zone), Repeated: repeated, Added: kind == addedReceipt})
}

// publicQuestion is the Conflict that asks between which neighbours a place
// lies.
type publicQuestion struct{ candidates []publicCandidate }

func (*publicQuestion) Error() string {
	return "位置在交界处，是哪一边？ it is near a border: on which side is it?"
}

// Unwrap is a Conflict.
func (q *publicQuestion) Unwrap() error { return fault.New(fault.Conflict, "%s", q.Error()) }

// publicCandidate is one of the sides, as it is asked of a citizen. Answer is 0
// outside the district.
type publicCandidate struct {
	Answer grid.ID `json:"answer"`
	Grid   string  `json:"grid,omitempty"`   // name
	Street string  `json:"street,omitempty"` // name
	Agency string  `json:"agency,omitempty"` // name of who would deal with it
}

func (a *API) candidatesFor(all []casework.Candidate) (out []publicCandidate) {
	names := map[string]string{}
	if d, err := a.inForce(); err == nil {
		for _, s := range d.gen.Streets() {
			names[s.Code] = s.Name
		}
	}
	for _, c := range all {
		out = append(out, publicCandidate{c.Grid, c.GridName, names[c.Street], c.Lead.Name})
	}
	return out
}

// checkForm is what the page asks before it sends.
type checkForm struct {
	Item     string        `json:"item"`
	Position *positionForm `json:"position"`
	Captured time.Time     `json:"captured"`
}

// publicHint is a report that may be the same, without a word of what it says.
type publicHint struct {
	Join      string         `json:"join"`
	State     casework.State `json:"state"`
	DistanceM float64        `json:"distance_m"` // to the next 10 m
	AgoS      int64          `json:"ago_s"`
	Open      bool           `json:"open"` // so that something can be added to it
}

// publicCheck is where a report would go.
type publicCheck struct {
	Inside  bool `json:"inside"`
	Nearest *struct {
		Grid      string  `json:"grid"` // name
		DistanceM float64 `json:"distance_m"`
	} `json:"nearest,omitempty"` // from outside
	Street     string            `json:"street,omitempty"` // name
	Grid       string            `json:"grid,omitempty"`   // name
	Agency     string            `json:"agency,omitempty"`
	Candidates []publicCandidate `json:"candidates"`
	Duplicates []publicHint      `json:"duplicates"`
}

// checkPublicly answers POST /api/v1/public/reports/check.
func (a *API) checkPublicly(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	var f checkForm
	if err := readJSON(c, &f); err != nil {
		return err
	}
	if f.Item != "" {
		if _, err := a.publicItem(f.Item); err != nil {
			return fault.InvalidField("item", "%w", err)
		}
	}
	p, err := f.Position.position()
	if err != nil {
		return err
	}
	if p == nil {
		return fault.InvalidField("position", "missing")
	}
	place, err := a.inForce()
	if err != nil {
		return err
	}
	out := publicCheck{Candidates: []publicCandidate{}, Duplicates: []publicHint{}}
	id, inside := place.index.Locate(p.At)
	if !inside {
		near, m := place.index.Nearest(p.At)
		g, _ := place.gen.Grid(near)
		out.Nearest = &struct {
			Grid      string  `json:"grid"`
			DistanceM float64 `json:"distance_m"`
		}{g.Name, float64(int64(m + 0.5))}
		return writeValue(c, http.StatusOK, out)
	}
	g, street := place.gridAndStreet(id)
	out.Inside, out.Grid = true, g.Name
	if street != nil {
		out.Street = street.Name
	}
	now := a.cfg.Now()
	if f.Captured.IsZero() {
		f.Captured = now
	}
	before, err := d.Preview(c.Request.Context(), f.Item, *p, f.Captured)
	if err != nil {
		return err
	}
	out.Candidates = orEmpty(a.candidatesFor(before.Outcome.Candidates))
	if as := before.Outcome.Assignment; as != nil {
		out.Agency = as.Lead.Name
	}
	for _, h := range before.Duplicates {
		if len(out.Duplicates) == maxHints {
			break
		}
		out.Duplicates = append(out.Duplicates, publicHint{Join: a.writeReceipt(receipt{hintReceipt, h.Case}), State: h.State,
			DistanceM: 10 * float64(int64(h.DistanceM/10+0.5)), AgoS: int64(h.Apart / time.Second), Open: h.State.Open()})
	}
	return writeValue(c, http.StatusOK, out)
}

// maxHints is how many reports that may be the same a citizen is asked about.
const maxHints = 3

// publicStatus is how far a report has come.
type publicStatus struct {
	AsOf     time.Time      `json:"as_of"`
	Number   string         `json:"number"`
	Received time.Time      `json:"received"`
	State    casework.State `json:"state"`
	Standing bool           `json:"standing"`         // suspended: nothing is done for the time being
	Part     int64          `json:"part_of,omitzero"` // of the case that it was the same as
	Item     string         `json:"item,omitempty"`   // name
	English  string         `json:"item_english,omitempty"`
	Street   string         `json:"street,omitempty"` // name
	Agency   string         `json:"agency,omitempty"`
	Due      time.Time      `json:"due,omitzero"` // of the disposal
	Changed  time.Time      `json:"changed"`
	Added    int            `json:"added"` // reports of others
	Own      bool           `json:"own"`
	Answer   string         `json:"answer,omitempty"` // to the reporter alone
	Answered time.Time      `json:"answered,omitzero"`
	Steps    []publicStep   `json:"steps"`
}

// publicStep is one of the states that a report came to.
type publicStep struct {
	At    time.Time      `json:"at"`
	State casework.State `json:"state"`
}

// answering are the actions whose words are an answer to the reporter.
var answering = []casework.Action{casework.NotAccept, casework.NotFile, casework.Dispose, casework.SelfHandle, casework.FinishOrder}

// followPublicly answers GET /api/v1/public/reports/{token}.
func (a *API) followPublicly(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	at, err := a.readReceipt(c.Param("token"))
	if err != nil {
		return err
	}
	if at.Kind != ownReceipt && at.Kind != addedReceipt {
		return errReceipt
	}
	d, err := a.desk()
	if err != nil {
		return err
	}
	r, err := d.Case(c.Request.Context(), at.Case)
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, a.publicStatus(d, r, at.Kind == ownReceipt))
}

func (a *API) publicStatus(d *casework.Desk, r *casework.Record, own bool) publicStatus {
	k := &r.Case
	out := publicStatus{AsOf: a.cfg.Now().In(grid.Zone), Number: fmt.Sprint(k.ID), Received: k.Received.In(grid.Zone), State: k.State,
		Standing: k.Overlays.Has(casework.Suspended), Part: k.Duplicate, Agency: a.agency(k), Changed: k.Changed.In(grid.Zone), Own: own}
	if catalogue, err := d.Procedure().Catalogues.At(a.cfg.Now()); err == nil {
		if t, err := catalogue.Item(k.Item); err == nil {
			out.Item, out.English = t.Name, a.cfg.PlainWords[t.Code].English
		}
	}
	if place, err := a.inForce(); err == nil {
		if s, ok := place.gen.Street(k.Place.Street); ok {
			out.Street = s.Name
		}
	}
	if t, ok := k.Clock(casework.DisposalClock); ok && k.State.Open() {
		if due, ok := t.Due(); ok {
			out.Due = due.In(grid.Zone)
		}
	}
	for i := range r.Entries {
		e := &r.Entries[i]
		if e.From != e.To {
			out.Steps = append(out.Steps, publicStep{e.At.In(grid.Zone), e.To})
		}
		if e.Action == casework.AddReport {
			out.Added++
		}
		if own && slices.Contains(answering, e.Action) && e.Input.Text != "" {
			out.Answer, out.Answered = e.Input.Text, e.At.In(grid.Zone)
		}
	}
	return out
}
