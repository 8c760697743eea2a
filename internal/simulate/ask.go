package simulate

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// page is how many events or refusals are asked for at once.
const page = 1000

// wrongForWhatTheySay are the reasons of the quarantine that are about a fix
// itself, and so about the device that made it.
var wrongForWhatTheySay = []string{"implausible-speed", "future", "too-old", "inaccurate", "no-position", "no-time"}

// Conclusions asks the service what it made of units, by their codes, in
// [from, to): in the order of codes. Tracks and the quarantine may be Denied
// to who asks; then what they tell is left out, and tracks or quarantine is
// false. Every look at a track is entered in the service's audit chain.
func (s *Service) Conclusions(ctx context.Context, codes []string, from, to time.Time) (got []Concluded, tracks, quarantine bool, err error) {
	got = make([]Concluded, len(codes))
	at := make(map[string]int, len(codes))
	for i, code := range codes {
		got[i] = Concluded{Kept: make(map[int64]int), Caught: make(map[int64]bool)}
		at[code] = i
	}
	if err = s.events(ctx, from, to, got, at); err != nil {
		return nil, false, false, err
	}
	if quarantine, err = allowed(s.refusals(ctx, from, got, at)); err != nil {
		return nil, false, false, err
	}
	for i, code := range codes {
		if tracks, err = allowed(s.track(ctx, code, from, to, &got[i])); err != nil || !tracks {
			break
		}
	}
	return got, tracks, quarantine, err
}

// allowed tells a refusal from a failure.
func allowed(err error) (bool, error) {
	if fault.KindOf(err) == fault.Denied {
		return false, nil
	}
	return err == nil, err
}

type serviceEvent struct {
	ID       int64     `json:"id"`
	Unit     string    `json:"unit"`
	Kind     string    `json:"kind"`
	At       time.Time `json:"at"`
	From, To *struct{ ID grid.ID }
	Evidence []struct{ At int64 }
	// Retracted is when it was withdrawn.
	Retracted time.Time
}

func (s *Service) events(ctx context.Context, from, to time.Time, got []Concluded, at map[string]int) error {
	seen := make(map[int64]bool)
	for {
		var out struct {
			Events []serviceEvent
			More   bool
		}
		q := url.Values{"from": {stamp(from)}, "to": {stamp(to)}, "retracted": {"1"}, "limit": {strconv.Itoa(page)}}
		if err := s.send(ctx, "GET", "api/v1/events", q, nil, &out); err != nil {
			return err
		}
		fresh := 0
		for _, e := range out.Events {
			i, mine := at[e.Unit]
			if seen[e.ID] {
				continue
			}
			seen[e.ID] = true
			fresh++
			if mine {
				got[i].take(&e)
			}
			from = e.At
		}
		if !out.More {
			return nil
		}
		if fresh == 0 {
			return fault.New(fault.Internal, "more than %d events at %s", page, stamp(from))
		}
	}
}

func (c *Concluded) take(e *serviceEvent) {
	switch {
	case e.Kind == "datum":
		c.Suspect = c.Suspect || e.Retracted.IsZero()
	case e.Kind != "crossed":
	case !e.Retracted.IsZero():
		c.Retracted++
	default:
		x := Crossing{At: e.At.UnixMilli(), Known: e.At.UnixMilli()}
		if e.From != nil {
			x.From = e.From.ID
		}
		if e.To != nil {
			x.To = e.To.ID
		}
		for _, v := range e.Evidence {
			x.Known = max(x.Known, v.At)
		}
		c.Crossings = append(c.Crossings, x)
	}
}

func (s *Service) refusals(ctx context.Context, from time.Time, got []Concluded, at map[string]int) error {
	for _, reason := range wrongForWhatTheySay {
		for before := int64(0); ; {
			var out struct {
				Refusals []struct {
					ID   int64     `json:"id"`
					Unit string    `json:"unit"`
					At   time.Time `json:"at"`
				}
				More bool
			}
			q := url.Values{"reason": {reason}, "from": {stamp(from)}, "to": {stamp(time.Now().Add(time.Minute))}, "limit": {strconv.Itoa(page)}}
			if before > 0 {
				q.Set("before", strconv.FormatInt(before, 10))
			}
			if err := s.send(ctx, "GET", "api/v1/quarantine", q, nil, &out); err != nil {
				return err
			}
			for _, r := range out.Refusals {
				before = r.ID
				if i, mine := at[r.Unit]; mine {
					got[i].Caught[r.At.UnixMilli()] = true
				}
			}
			if !out.More || len(out.Refusals) == 0 {
				break
			}
		}
	}
	return nil
}

// track reads the times of a unit's fixes.
func (s *Service) track(ctx context.Context, code string, from, to time.Time, c *Concluded) error {
	path := "api/v1/units/" + url.PathEscape(code) + "/track"
	body, err := s.open(ctx, "GET", path, url.Values{"from": {stamp(from)}, "to": {stamp(to)}, "format": {"csv"}}, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	rows := csv.NewReader(body)
	for n := 0; ; n++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("track of %s: %w", code, err)
		}
		if n == 0 {
			continue
		}
		t, err := time.Parse(time.RFC3339, row[1])
		if err != nil {
			return fmt.Errorf("track of %s: row %d: %w", code, n+1, err)
		}
		c.Kept[t.UnixMilli()]++
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
