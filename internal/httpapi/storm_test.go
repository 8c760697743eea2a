package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lianqin/internal/auth"
)

// BenchmarkAsOf is a resolution of now and of a time past.
func BenchmarkAsOf(b *testing.B) {
	a := newAPI(b, Config{}, nil)
	one, other := lattice(b, 10, 10), lattice(b, 10, 11)
	putInForce(b, a.cfg.Atlas, one, day(2001, 1, 1))
	putInForce(b, a.cfg.Atlas, other, day(2002, 1, 1))
	<-shown(b, a).tiles.done
	for name, target := range map[string]string{
		"now":     "/api/v1/resolve?lon=121.1771&lat=31.3031",
		"current": "/api/v1/resolve?lon=121.1771&lat=31.3031&at=2020-01-01T00:00:00Z",
		"past":    "/api/v1/resolve?lon=121.1771&lat=31.3031&at=2001-06-01T00:00:00Z",
	} {
		b.Run(name, func(b *testing.B) {
			w := &nullWriter{h: http.Header{}}
			r := httptest.NewRequest("GET", target, nil)
			b.ReportAllocs()
			for b.Loop() {
				a.ServeHTTP(w, r)
			}
		})
	}
}

// The test binary runs itself again with helpEnv set, to hash passwords.
const helpEnv = "LIANQIN_HTTPAPI_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helpEnv) == "" {
		os.Exit(m.Run())
	}
	if err := auth.HelpHash(os.Stdin, os.Stdout); err != nil {
		os.Exit(1)
	}
}

func hashHelper() *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helpEnv+"=1")
	return cmd
}

// BenchmarkSignInStorm measures GET /api/v1/resolve over loopback, a thousand
// a second, alone and while a hundred people a second sign in.
func BenchmarkSignInStorm(b *testing.B) {
	s := openStore(b)
	gate := auth.NewGateWith(s.Accounts(), auth.NewHasher(1, hashHelper), time.Now)
	defer gate.Close()
	a := newAPI(b, Config{Now: time.Now, Gate: gate}, lattice(b, 20, 35))
	addAccount(b, a, "root", auth.Administrator, auth.WholeDistrict)
	hash, err := a.cfg.Gate.HashPassword(b.Context(), "wang", testPassword)
	if err != nil {
		b.Fatal(err)
	}
	const people = 200
	for i := range people {
		err := a.cfg.Gate.SetAccount(b.Context(), auth.Operator("root"), fmt.Sprint("wang", i), func(acc *auth.Account) error {
			acc.Name, acc.Role, acc.Jurisdiction, acc.PasswordHash = "王", auth.Viewer, auth.WholeDistrict, hash
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	<-shown(b, a).tiles.done
	srv := httptest.NewServer(a)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}}
	quiet := latencies(b, client, srv.URL)
	b.ReportMetric(quiet[0], "p50-quiet-µs")
	b.ReportMetric(quiet[1], "p99-quiet-µs")

	stop := make(chan struct{})
	var storm sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	storm.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			body := fmt.Sprintf(`{"login":"wang%d","password":"%s"}`, i%people, testPassword)
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			storm.Go(func() {
				resp, err := client.Post(srv.URL+"/api/v1/session", "application/json", strings.NewReader(body))
				if err != nil {
					return
				}
				resp.Body.Close()
				mu.Lock()
				statuses[resp.StatusCode]++
				mu.Unlock()
			})
		}
	})
	time.Sleep(time.Second)
	loud := latencies(b, client, srv.URL)
	close(stop)
	storm.Wait()
	b.Logf("sign-ins by status: %v", statuses)
	b.ReportMetric(loud[0], "p50-storm-µs")
	b.ReportMetric(loud[1], "p99-storm-µs")
}

// latencies are p50 and p99 of 4,000 requests at a thousand a second.
func latencies(b *testing.B, client *http.Client, url string) [2]float64 {
	const n = 4000
	took := make([]time.Duration, n)
	var all sync.WaitGroup
	begin := time.Now()
	for i := range n {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Millisecond)))
		all.Go(func() {
			at := time.Now()
			resp, err := client.Get(url + "/api/v1/resolve?lon=121.2471&lat=31.3831")
			if err != nil {
				b.Error(err)
				return
			}
			resp.Body.Close()
			took[i] = time.Since(at)
		})
	}
	all.Wait()
	slices.Sort(took)
	return [2]float64{float64(took[n/2].Microseconds()), float64(took[n*99/100].Microseconds())}
}
