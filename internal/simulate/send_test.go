package simulate

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

// phoneServer takes OsmAnd's form and is out of order for a while, breaks
// connections, and refuses one device.
type phoneServer struct {
	mu       sync.Mutex
	got      map[string][]int64 // times by device
	requests int
	open     int
	most     int
	fail     func(n int, id string) int // status, 0 to break the connection
}

func (p *phoneServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests++
	p.open++
	p.most = max(p.most, p.open)
	status := p.fail(p.requests, r.FormValue("id"))
	if status == http.StatusOK {
		at, _ := strconv.ParseInt(r.FormValue("timestamp"), 10, 64)
		p.got[r.FormValue("id")] = append(p.got[r.FormValue("id")], at)
	}
	p.open--
	p.mu.Unlock()
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

func identities(n int) (out []Identity) {
	for i := range n {
		out = append(out, Identity{Unit: fmt.Sprintf("u%d", i), Secret: fmt.Sprintf("s%d", i), Terminal: fmt.Sprint(19_000_000_000 + i)})
	}
	return out
}

func TestWhatCouldNotBeSentIsSentLaterAndInOrder(t *testing.T) {
	p := &phoneServer{got: make(map[string][]int64), fail: func(n int, id string) int {
		switch {
		case id == "s3":
			return http.StatusUnauthorized
		case n > 50 && n < 70:
			return http.StatusServiceUnavailable
		case n == 100 || n == 110:
			return 0
		}
		return http.StatusOK
	}}
	server := httptest.NewServer(p)
	defer server.Close()
	const units, connections = 20, 4
	w, err := Target{URL: server.URL, Devices: identities(units), Conns: connections}.Dial("osmand")
	if err != nil {
		t.Fatal(err)
	}
	f := fleet(t, units, Options{Seed: 1, Truth: true})
	record := NewRecord(units)
	count, refusal := Run(t.Context(), f, w, connections, Pace{Begin: begin, Duration: 2 * time.Minute, Drain: 20 * time.Second}, record, nil)
	if refusal == nil || count.Refused == 0 || count.Retries == 0 {
		t.Errorf("%+v, first refusal %v: want a refused device and repeated sendings", count, refusal)
	}
	if count.Unsent != 0 || count.Dropped != 0 || count.Answered+count.Refused != count.Made {
		t.Errorf("%+v does not add up", count)
	}
	total := 0
	for id, times := range p.got {
		total += len(times)
		for i := 1; i < len(times); i++ {
			if times[i] <= times[i-1] {
				t.Fatalf("%s sent %d after %d", id, times[i], times[i-1])
			}
		}
	}
	if int64(total) != count.Answered || total < 400 {
		t.Errorf("%d arrived, %d answered", total, count.Answered)
	}
	if p.most > connections {
		t.Errorf("%d requests at once, want %d at most", p.most, connections)
	}
}

func TestARunKeepsThePaceAndEndsWithItsContext(t *testing.T) {
	p := &phoneServer{got: make(map[string][]int64), fail: func(int, string) int { return http.StatusOK }}
	server := httptest.NewServer(p)
	defer server.Close()
	w, err := Target{URL: server.URL, Devices: identities(10)}.Dial("osmand")
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	count, _ := Run(t.Context(), fleet(t, 10, Options{Seed: 1}), w, 2, Pace{Begin: begin, Duration: 20 * time.Second, Speed: 40, Drain: time.Second}, nil, nil)
	if took := time.Since(started); took < 350*time.Millisecond {
		t.Errorf("20 s at 40 times the speed took %v", took)
	}
	if count.Made < 30 || count.Answered != count.Made {
		t.Errorf("%+v", count)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	w, err = Target{URL: server.URL, Devices: identities(10)}.Dial("osmand")
	if err != nil {
		t.Fatal(err)
	}
	Run(ctx, fleet(t, 10, Options{Seed: 1}), w, 2, Pace{Begin: begin, Speed: 1}, nil, nil)
}
