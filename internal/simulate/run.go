package simulate

import (
	"context"
	"time"
)

// Source is where reports come from: a Fleet, or a file of real fixes.
type Source interface {
	// Peek is when the next report is due, by the true clock; false at the end.
	Peek() (time.Time, bool)
	// Next is that report.
	Next() Report
}

// Pace is how the true clock of a run goes.
type Pace struct {
	Begin    time.Time     // true time at which the run begins
	Duration time.Duration // of true time; 0 is for good
	Speed    float64       // true seconds a second; 0 is as fast as possible
	Drain    time.Duration // how long, at the end, what is unsent is tried
	// Gather is how long a group's reports are put together before they are
	// sent, as a gateway does. Only as many as Wire.Batch go at once.
	Gather time.Duration
}

// backlogBound is how many reports may be unsent while a run goes as fast as
// it can.
const backlogBound = 50_000

// lastAnswers is how long, after the end of the context, answers are waited for.
const lastAnswers = 2 * time.Second

// Run sends what source makes over w until the end of pace or of ctx. Workers
// bounds what is under way at once. Record, when not nil, remembers what was
// made and answered. Progress, when not nil, is told the counts every second.
func Run(ctx context.Context, source Source, w Wire, workers int, pace Pace, record *Record, progress func(Count)) (Count, error) {
	answered := func([]Report) {}
	if record != nil {
		answered = record.answered
	}
	// What is under way when ctx ends may still be answered.
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastAnswers, cancel) })()
	s := newSender(sending, w, workers, pace.Gather, answered)
	feed(ctx, source, s, pace, record, progress)
	if drain := pace.Drain; drain > 0 && ctx.Err() == nil {
		until, end := context.WithTimeout(ctx, drain)
		s.drain(until)
		end()
	}
	s.stop()
	return s.counts()
}

// feed pushes reports when they are due.
func feed(ctx context.Context, source Source, s *sender, pace Pace, record *Record, progress func(Count)) {
	started, told := time.Now(), time.Now()
	tick := time.NewTimer(0)
	defer tick.Stop()
	for ctx.Err() == nil {
		due, more := source.Peek()
		if !more || pace.Duration > 0 && due.Sub(pace.Begin) >= pace.Duration {
			return
		}
		now := time.Now()
		if progress != nil && now.Sub(told) >= time.Second {
			count, _ := s.counts()
			progress(count)
			told = now
		}
		if wait := pace.wait(due, now.Sub(started), s); wait > 0 {
			tick.Reset(min(wait, time.Second))
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
			continue
		}
		r := source.Next()
		if record != nil {
			record.made(&r)
		}
		s.push(r)
	}
}

// wait is how long it is until due.
func (p *Pace) wait(due time.Time, elapsed time.Duration, s *sender) time.Duration {
	if p.Speed > 0 {
		return time.Duration(float64(due.Sub(p.Begin))/p.Speed) - elapsed
	}
	if count, _ := s.counts(); count.Unsent > backlogBound {
		return time.Millisecond
	}
	return 0
}
