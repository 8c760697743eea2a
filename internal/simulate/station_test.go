package simulate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/geo"
	"lianqin/internal/ingest"
	"lianqin/internal/patrol"
)

// keys know the devices of identities: each its unit, and the gateway all.
type keys struct {
	devices []Identity
	gateway string
}

func (k *keys) unit(i int) patrol.Unit {
	return patrol.Unit{ID: patrol.UnitID(i + 1), Code: k.devices[i].Unit, Street: "310114001"}
}

func (k *keys) find(is func(Identity) bool) (ingest.Sender, error) {
	for i, d := range k.devices {
		if is(d) {
			u := k.unit(i)
			return ingest.Sender{Device: patrol.Device{ID: "d-" + d.Unit, Unit: u.ID, Terminal: d.Terminal}, Unit: u}, nil
		}
	}
	return ingest.Sender{}, fault.New(fault.Denied, "unknown")
}

func (k *keys) Secret(_ context.Context, secret, _ string) (ingest.Sender, error) {
	if secret == k.gateway {
		return ingest.Sender{Device: patrol.Device{ID: "gateway"}, Speaks: func(code string) (patrol.Unit, bool) {
			for i, d := range k.devices {
				if d.Unit == code {
					return k.unit(i), true
				}
			}
			return patrol.Unit{}, false
		}}, nil
	}
	return k.find(func(d Identity) bool { return d.Secret == secret })
}

func (k *keys) Terminal(_ context.Context, number string) (ingest.Sender, error) {
	return k.find(func(d Identity) bool { return d.Terminal == number })
}

// sink keeps what it accepts, and at first, now and then, cannot.
type sink struct {
	mu       sync.Mutex
	calls    int
	fixes    map[[2]int64]patrol.Fix // by unit and time
	refusals []patrol.Refusal
}

func (s *sink) Accept(_ context.Context, b patrol.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls++; s.calls < 150 && s.calls%17 == 5 {
		return fault.New(fault.Unavailable, "out of order")
	}
	for _, f := range b.Fixes {
		s.fixes[[2]int64{int64(f.Unit), f.At}] = f
	}
	s.refusals = append(s.refusals, b.Refusals...)
	return nil
}

// station serves phones and the own API over loopback, without the rest of
// the service.
func station(t *testing.T, k *keys, s *sink, now time.Time) (*ingest.Station, *httptest.Server) {
	t.Helper()
	st := ingest.New(ingest.Config{Keys: k, Sink: s, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	mux := http.NewServeMux()
	mux.HandleFunc("/ingest", func(w http.ResponseWriter, r *http.Request) { st.ServeRequest(w, r, "127.0.0.1") })
	mux.HandleFunc("POST /api/v1/positions", func(w http.ResponseWriter, r *http.Request) {
		from, err := k.Secret(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "")
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		body, _ := io.ReadAll(r.Body)
		receipt, err := st.Positions(r.Context(), from, ingest.JSON, body)
		if err != nil {
			w.WriteHeader(map[fault.Kind]int{fault.Unavailable: 503, fault.Invalid: 400}[fault.KindOf(err)])
			return
		}
		json.NewEncoder(w).Encode(receipt)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return st, server
}

// Every sender's reports are accepted by the real station, over loopback, all
// of them and as they were meant, though it is out of order now and then.
func TestStationUnderstandsEveryProtocol(t *testing.T) {
	const units = 24
	devices := identities(units)
	for i := range devices { // as secrets are
		devices[i].Secret = fmt.Sprintf("lqd_%043d", i)
	}
	k := &keys{devices: devices, gateway: "lqd_" + strings.Repeat("g", 43)}
	for _, name := range append(slices.Clone(Protocols), "jt808 of 2013") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			protocol, old := strings.CutSuffix(name, " of 2013")
			s := &sink{fixes: make(map[[2]int64]patrol.Fix)}
			target := Target{Devices: devices, Gateway: k.gateway, Conns: 16, Batch: 20, JT808Old: old, Timeout: 3 * time.Second}
			st, server := station(t, k, s, begin.Add(5*time.Minute))
			target.URL = server.URL
			target.Address = listening(t, st, protocol)
			w, err := target.Dial(protocol)
			if err != nil {
				t.Fatal(err)
			}
			faults := UsualFaults
			faults.SOS, faults.Outliers, faults.Duplicates, faults.Offline, faults.Latency = 2, 0, 0.02, 1, 800*time.Millisecond
			f := fleet(t, units, Options{Seed: 4, Faults: faults})
			kept := &keeper{Source: f}
			count, refusal := Run(t.Context(), kept, w, 8, Pace{Begin: begin, Duration: 3 * time.Minute, Drain: time.Minute}, nil, nil)
			if refusal != nil || count.Refused+count.Dropped+count.Unsent > 0 || count.Answered != count.Made {
				t.Fatalf("%+v, first refusal %v", count, refusal)
			}
			if count.Retries == 0 {
				t.Error("the station was out of order, and nothing was sent again")
			}
			for _, r := range s.refusals {
				t.Errorf("refused: %+v", r)
			}
			for _, r := range kept.reports {
				got, ok := s.fixes[[2]int64{int64(r.Unit) + 1, r.At}]
				if !ok {
					t.Fatalf("unit %d: the fix of %d is lost", r.Unit, r.At)
				}
				same(t, protocol, &r, &got)
			}
			if len(kept.reports) < 600 {
				t.Errorf("only %d reports", len(kept.reports))
			}
		})
	}
}

// keeper remembers what a Source made.
type keeper struct {
	Source
	reports []Report
}

func (k *keeper) Next() Report {
	r := k.Source.Next()
	k.reports = append(k.reports, r)
	return r
}

// same compares what was meant with what was understood, as far as the
// protocol tells it.
func same(t *testing.T, protocol string, want *Report, got *patrol.Fix) {
	t.Helper()
	tolerance := map[string]float64{"jt808": 0.12}[protocol]
	if d := geo.DistanceM(want.Pos.Point(), got.Pos.Point()); d > cmp.Or(tolerance, 0.011) {
		t.Errorf("position is %.3f m off", d)
	}
	rounding := map[string]float64{"owntracks": 0.5 / 3.6, "mqtt": 0.5 / 3.6, "jt808": 0.05 / 3.6, "osmand": 0.005 * knotMPS}[protocol]
	if off := math.Abs(float64(got.SpeedMPS) - want.SpeedMPS); off > cmp.Or(rounding, 0.005)+1e-4 {
		t.Errorf("speed %v became %v m/s", want.SpeedMPS, got.SpeedMPS)
	}
	if turned := math.Abs(math.Remainder(float64(got.HeadingDeg)-want.HeadingDeg, 360)); turned > 0.51 {
		t.Errorf("heading %v became %v", want.HeadingDeg, got.HeadingDeg)
	}
	if protocol != "jt808" { // which tells neither
		if off := math.Abs(float64(got.AccuracyM) - want.AccuracyM); off > 1 {
			t.Errorf("accuracy %v became %v m", want.AccuracyM, got.AccuracyM)
		}
		if int(got.BatteryPct) != want.Battery {
			t.Errorf("battery %v became %v %%", want.Battery, got.BatteryPct)
		}
	}
	ownTracks := protocol == "owntracks" || protocol == "mqtt" // has no alarm
	if sos := got.Flags&patrol.SOS != 0; sos != want.SOS && !ownTracks {
		t.Errorf("alarm %v became %v", want.SOS, sos)
	}
}

// listening is where the station speaks the protocol, empty for those over
// HTTP.
func listening(t *testing.T, st *ingest.Station, protocol string) string {
	t.Helper()
	serve := map[string]func(context.Context, net.Listener) error{"mqtt": st.ServeMQTT, "jt808": st.ServeJT808}[protocol]
	if serve == nil {
		return ""
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}
