package httpapi

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"lianqin/internal/auth"
	"lianqin/internal/grid"
	"lianqin/internal/live"
	"lianqin/internal/live/livetest"
)

func serveReplays(t *testing.T, limits Limits) (*liveService, *livetest.Past) {
	t.Helper()
	p := livetest.NewPast(t, 100, 4*time.Minute)
	kept := openStore(t)
	registry := p.Keep(t, kept, nil)
	return serveLiveIn(t, Config{Tracks: kept.Tracks(), Patrols: registry, Limits: limits,
		Now: func() time.Time { return p.Begin.Add(5 * time.Minute) }}, p.Index.Generation(), 10), p
}

func replayPath(from, to time.Time, more string) string {
	q := url.Values{"from": {from.In(grid.Zone).Format(time.RFC3339)}, "to": {to.In(grid.Zone).Format(time.RFC3339)}}
	return "/api/v1/replay?" + q.Encode() + more
}

// TestReplayOverHTTP cuts a replay off in the middle and lets it come back,
// until it is over. What each may see is in its frames, and nothing else.
func TestReplayOverHTTP(t *testing.T) {
	s, p := serveReplays(t, Limits{})
	street := p.Index.Generation().Streets()[3].Code
	addAccount(t, s.API, "district", auth.DistrictOperator, auth.WholeDistrict)
	addAccount(t, s.API, "street", auth.StreetOperator, auth.Jurisdiction{Level: auth.Street, Code: street})
	path := replayPath(p.Begin, p.Begin.Add(4*time.Minute), "&speed=0&step=5")
	for i, login := range []string{"district", "street"} {
		v := signedIn(t, s.API, login)
		var screen livetest.Screen
		for limit := 40_000; !screen.Ended; limit *= 2 {
			resp, err := s.open(t.Context(), v, path, "Last-Event-ID", screen.Last, "Accept-Encoding", []string{"gzip", "identity"}[i])
			if err != nil || resp.StatusCode != 200 {
				t.Fatal(resp, err)
			}
			err = screen.Read(&cutting{resp.Body, limit}, func() bool { return !screen.Ended })
			resp.Body.Close()
			if err != nil && err != io.ErrUnexpectedEOF {
				t.Fatal(err)
			}
		}
		if screen.Snaps < 2 || screen.At != p.Begin.Add(4*time.Minute).UnixMilli() {
			t.Errorf("%s: %d snapshots, the last frame is of %v", login, screen.Snaps, time.UnixMilli(screen.At))
		}
		n := 0
		for _, u := range p.Staff.Units() {
			ours := login == "district" || u.Street == street
			if _, there := screen.Units[int64(u.ID)]; there && !ours {
				t.Errorf("%s sees %s of %s", login, u.Code, u.Street)
			} else if there {
				n++
			}
		}
		if n == 0 || n != len(screen.Units) {
			t.Errorf("%s sees %d of %d units", login, n, len(screen.Units))
		}
		if w := v.call(s.API, "GET", path, "", "Last-Event-ID", screen.Last); w.Code != 204 {
			t.Errorf("coming back after the end: %d", w.Code)
		}
	}
	var looks []auth.Entry
	_, err := s.cfg.Gate.Audit(t.Context(), auth.AuditQuery{Action: "patrols.replay", Limit: 100, Latest: true}, func(e auth.Entry) error {
		looks = append(looks, e)
		return nil
	})
	if err != nil || len(looks) < 4 {
		t.Fatalf("%d looks are in the audit chain: %v", len(looks), err)
	}
	first := looks[len(looks)-1] // the newest comes first
	if first.Who != "district" || first.Subject != "district" || !strings.Contains(string(first.After), `"from":"2026-03-01T08:00:00+08:00"`) {
		t.Errorf("in the audit chain: %+v %s", first, first.After)
	}
}

func TestReplayRefuses(t *testing.T) {
	s, p := serveReplays(t, Limits{Replays: 1})
	addAccount(t, s.API, "district", auth.DistrictOperator, auth.WholeDistrict)
	v := signedIn(t, s.API, "district")
	end := p.Begin.Add(4 * time.Minute)
	for _, tt := range []struct{ path, parameter string }{
		{"/api/v1/replay", "from"},
		{"/api/v1/replay?from=2026-03-01", "to"},
		{"/api/v1/replay?from=yesterday&to=2026-03-01", "from"},
		{replayPath(end, p.Begin, ""), "to"},
		{replayPath(p.Begin, p.Begin.Add(time.Hour), ""), "to"}, // in the future
		{replayPath(p.Begin.Add(-live.MaxReplay), end, ""), "to"},
		{replayPath(p.Begin, end, "&speed=61"), "speed"},
		{replayPath(p.Begin, end, "&speed=NaN"), "speed"},
		{replayPath(p.Begin, end, "&step=0"), "step"},
		{replayPath(p.Begin, end, "&step=99999999999"), "step"},
		{replayPath(p.Begin, end, "&pace=2"), "pace"},
	} {
		if got := wantProblem(t, v.call(s.API, "GET", tt.path, ""), 400); got.Parameter != tt.parameter {
			t.Errorf("%s: %+v, want one about %s", tt.path, got, tt.parameter)
		}
	}
	if w := v.call(closedAPIWith(t, s.API), "GET", replayPath(p.Begin, end, ""), ""); w.Code != 503 {
		t.Errorf("without tracks: %d", w.Code)
	}
	one, err := s.open(t.Context(), v, replayPath(p.Begin, end, "&speed=1"))
	if err != nil {
		t.Fatal(err)
	}
	defer one.Body.Close()
	if two, err := s.open(t.Context(), v, replayPath(p.Begin, end, "&speed=1")); err != nil || two.StatusCode != 429 {
		t.Errorf("one too many: %v, %v", two, err)
	}
	begin := time.Now()
	s.stop() // with a replay under way
	if took := time.Since(begin); took > s.cfg.Limits.Shutdown/2 {
		t.Errorf("stopping took %v", took)
	}
	if _, err := io.Copy(io.Discard, one.Body); err != nil {
		t.Error(fmt.Errorf("the replay under way: %w", err))
	}
}
