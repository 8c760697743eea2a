package casework

import "time"

// IndicatorRules is the version of the definitions in Indicators.
const IndicatorRules = "1"

// NearLimit is how long before it is due a case is near its limit.
const NearLimit = 2 * time.Hour

// Words are a name in Chinese and in English.
type Words struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// basis is the instant that places a fact in a window.
type basis uint8

const (
	whenReceived basis = iota
	whenAccepted
	whenFiled
	whenDispatched
	whenDue
	whenDisposed
	whenCheckDue
	atAsOf // what stands then; the window does not matter
	bases  = iota
)

var basisWords = [bases]Words{
	whenReceived:   {"上报时刻在期内", "received in the window"},
	whenAccepted:   {"受理时刻在期内", "accepted in the window"},
	whenFiled:      {"立案时刻在期内", "filed in the window"},
	whenDispatched: {"首次派遣在期内", "first dispatched in the window"},
	whenDue:        {"处置时限在期内且不晚于截止时刻", "due for disposal in the window and by as-of"},
	whenDisposed:   {"处置时刻在期内", "disposed in the window"},
	whenCheckDue:   {"核查时限在期内且不晚于截止时刻", "due for closing in the window and by as-of"},
	atAsOf:         {"截止时刻正在处置", "in disposal at as-of"},
}

// trait is a set of what is true of a fact as of an instant.
type trait uint32

const (
	isFirst trait = 1 << iota // not reopened
	isGrid
	isHotline
	isEvent
	isComponent
	isSelfHandled
	isFiledOnTime
	isKept // never returned by the department
	isDisposed
	isDisposedOnTime
	isExtended
	isReworked
	isClosed
	isOverdue
	isNear
	isFinished // the 12345 order
	isFinishedOnTime
)

var traitWords = []Words{
	{"首次上报", "not reopened"}, {"网格案件", "grid case"}, {"12345 工单", "12345 order"}, {"事件", "event"}, {"部件", "component"},
	{"自行处置", "done by who found it"}, {"立案不晚于时限", "filed by its limit"}, {"未退单", "never returned"},
	{"已处置", "disposed"}, {"处置不晚于时限", "disposed by its limit"}, {"曾延期", "extended"}, {"曾返工", "reworked"}, {"已结案", "closed"},
	{"已超时", "past its limit"}, {"2 小时内到期", "due within 2 h"}, {"已办结", "finished"}, {"办结不晚于时限", "finished by its limit"},
}

// words are those of all traits in t.
func (t trait) words(separator string, word func(Words) string) string {
	out := ""
	for i, w := range traitWords {
		if t>>i&1 != 0 {
			if out != "" {
				out += separator
			}
			out += word(w)
		}
	}
	return out
}

// Indicator defines a figure: what counts in its denominator, at which
// instant, and what of that counts in its numerator. A count has a numerator
// alone.
type Indicator struct {
	Code string
	Words
	// Count is a number of cases, not a rate.
	Count bool
	// Beside is the indicator with the same numerator's meaning on another
	// base, which is shown beside this one; empty for none.
	Beside string

	on  basis
	of  trait // further, to be in the denominator
	num trait // and in the numerator
}

// Indicators are all figures. "Due" is due within the window and not later
// than as-of, by the due time that held then; what is suspended or in
// coordination is left out.
var Indicators = []Indicator{
	{"received", Words{"上报数", "received"}, true, "", whenReceived, isFirst, 0},
	{"accepted", Words{"受理数", "accepted"}, true, "", whenAccepted, 0, 0},
	{"accepted-grid", Words{"网格案件", "accepted grid cases"}, true, "", whenAccepted, isGrid, 0},
	{"accepted-events", Words{"事件", "accepted events"}, true, "", whenAccepted, isGrid | isEvent, 0},
	{"accepted-components", Words{"部件", "accepted components"}, true, "", whenAccepted, isGrid | isComponent, 0},
	{"accepted-orders", Words{"12345 工单", "accepted 12345 orders"}, true, "", whenAccepted, isHotline, 0},
	{"self-handled", Words{"自行处置数", "done by who found it"}, true, "", whenDisposed, isSelfHandled, 0},

	{"disposal", Words{"处置率（按应处置）", "disposed / due for disposal"}, false, "disposal-of-accepted", whenDue, 0, isDisposed},
	{"disposal-of-accepted", Words{"处置率（按受理）", "disposed / accepted grid cases"}, false, "disposal", whenAccepted, isGrid, isDisposed},
	{"disposal-on-time", Words{"按时处置率（按应处置）", "disposed on time / due for disposal"}, false, "disposal-on-time-of-accepted", whenDue, 0, isDisposedOnTime},
	{"disposal-on-time-of-accepted", Words{"按时处置率（按受理）", "disposed on time / accepted grid cases"}, false, "disposal-on-time", whenAccepted, isGrid, isDisposedOnTime},
	{"closing", Words{"结案率", "closed / due for closing"}, false, "", whenCheckDue, 0, isClosed},
	{"rework", Words{"返工率", "reworked / due for closing"}, false, "", whenCheckDue, 0, isReworked},
	{"extension", Words{"延期率", "extended / due for disposal"}, false, "", whenDue, 0, isExtended},
	{"filing-on-time", Words{"按时立案率", "filed on time / filed"}, false, "", whenFiled, 0, isFiledOnTime},
	{"dispatch-accurate", Words{"派遣准确率", "dispatched once / dispatched"}, false, "", whenDispatched, 0, isKept},

	{"in-disposal", Words{"处置中", "in disposal at as-of"}, true, "", atAsOf, 0, 0},
	{"near-limit", Words{"即将超时", "near the limit / in disposal at as-of"}, false, "", atAsOf, 0, isNear},
	{"overdue-pending", Words{"超时未处置", "overdue / in disposal at as-of"}, false, "", atAsOf, 0, isOverdue},

	{"orders-finished", Words{"12345 办结率", "finished / accepted 12345 orders"}, false, "", whenAccepted, isHotline, isFinished},
	{"orders-on-time", Words{"12345 按时办结率（按受理）", "finished on time / accepted 12345 orders"}, false, "orders-on-time-of-finished", whenAccepted, isHotline, isFinishedOnTime},
	{"orders-on-time-of-finished", Words{"12345 按时办结率（按办结）", "finished on time / finished 12345 orders"}, false, "orders-on-time", whenAccepted, isHotline | isFinished, isFinishedOnTime},
}

// Numerator says in words what counts: of a count all that is placed, of a
// rate what of that has what the rate is of.
func (d *Indicator) Numerator() Words {
	if d.Count {
		return d.placed()
	}
	return Words{d.num.words("、", Words.chinese), d.num.words(", ", Words.english)}
}

// Denominator says in words what it counts of; empty for a count.
func (d *Indicator) Denominator() Words {
	if d.Count {
		return Words{}
	}
	return d.placed()
}

func (d *Indicator) placed() Words {
	w := basisWords[d.on]
	if d.of == 0 {
		return w
	}
	return Words{w.Name + "的" + d.of.words("、", Words.chinese), w.Text + ": " + d.of.words(", ", Words.english)}
}

func (w Words) chinese() string { return w.Name }
func (w Words) english() string { return w.Text }

// happened reports whether an instant is one, and not after asOf.
func happened(at, asOf int64) bool { return at != 0 && at <= asOf }

// judge says what is true of a fact as of asOf, and when it counts on each
// basis; 0 is not at all.
func (f *Instants) judge(asOf int64, first bool) (t trait, at [bases]int64) {
	set := func(is trait, ok bool) {
		if ok {
			t |= is
		}
	}
	due := f.dueAsOf(asOf)
	at = [bases]int64{whenReceived: f.Received, whenAccepted: f.Accepted, whenFiled: f.Filed, whenDispatched: f.Dispatched,
		whenDue: due, whenDisposed: f.Disposed, whenCheckDue: f.CheckDue}
	set(isFirst, first)
	set(isGrid, !f.Hotline)
	set(isHotline, f.Hotline)
	set(isEvent, f.Kind == Event)
	set(isComponent, f.Kind == Component)
	set(isSelfHandled, f.SelfHandled)
	set(isFiledOnTime, f.Filed <= f.FileDue)
	set(isKept, !happened(f.Returned, asOf))
	if happened(f.Disposed, asOf) {
		t |= isDisposed
		set(isDisposedOnTime, f.Disposed <= due)
	} else if due != 0 {
		at[atAsOf] = asOf
		set(isOverdue, due < asOf)
		set(isNear, due >= asOf && due < asOf+NearLimit.Milliseconds())
	}
	set(isExtended, happened(f.Extended, asOf))
	set(isReworked, happened(f.Reworked, asOf))
	set(isClosed, happened(f.Closed, asOf))
	if happened(f.OrderFinished, asOf) {
		t |= isFinished
		set(isFinishedOnTime, f.OrderFinished <= f.OrderDue)
	}
	return t, at
}
