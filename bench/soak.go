package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// soak is the figure of a service that runs for long: it must not grow. Its
// readers come and go.
func soak(ctx context.Context, b *bench) error {
	if b.soak == 0 {
		return nil
	}
	s, err := b.startPatrols(ctx, "SQLite", "sqlite", districtUnits)
	if err != nil {
		return err
	}
	defer s.end()
	d, err := b.district(1)
	if err != nil {
		return err
	}
	t := table{title: fmt.Sprintf("Soak: %s units at 1 Hz and 20 readers, of whom one is replaced every second, for %s", number(districtUnits), b.soak),
		head: []string{"after", "MB resident", "MB of live heap", "goroutines", "server, % of a core"}}
	ctx, cancel := context.WithTimeout(ctx, b.soak+time.Minute)
	defer cancel()
	comeAndGo, stop := context.WithCancel(ctx)
	left := make(chan error, 1)
	go func() { left <- s.comeAndGo(comeAndGo, 20) }()
	sampling := make(chan error, 1)
	go func() {
		var err error
		before, began, last := s.cpu(), time.Now(), time.Now()
		for step := 0; err == nil && step <= 10; step++ {
			select {
			case <-time.After(time.Until(began.Add(b.soak*time.Duration(step)/10 - time.Second*time.Duration(min(step, 5))))):
			case <-ctx.Done():
				err = ctx.Err()
				continue
			}
			var figures []byte
			if figures, err = fetch("http://"+s.addr+"/metrics", ""); err != nil {
				break
			}
			now, used := time.Now(), s.cpu()
			share := 100 * (used - before).Seconds() / max(0.01, now.Sub(last).Seconds())
			t.row(now.Sub(began).Round(time.Second).String(), number(resident(s.cmd.Process.Pid)), number(gauge(figures, "go_memstats_heap_alloc_bytes")/1e6),
				number(gauge(figures, "go_goroutines")), number(share))
			before, last = used, now
		}
		sampling <- err
	}()
	acked, err := newCrowd(d, s, districtUnits, 100).drive(ctx, s.addr, 4, time.Second, b.soak, &latencies{})
	err = errors.Join(err, <-sampling)
	stop()
	err = errors.Join(err, <-left)
	if err != nil {
		return err
	}
	found, err := s.stored(ctx, acked)
	if err != nil {
		return err
	}
	t.note("%s fixes acknowledged, %s found.", number(float64(acked)), number(float64(found)))
	t.print()
	return nil
}

// comeAndGo keeps n readers, and replaces the oldest every second.
func (s *patrolService) comeAndGo(ctx context.Context, n int) (err error) {
	var all []*stream
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for err == nil && ctx.Err() == nil {
		for len(all) < n {
			all = append(all, s.open(context.WithoutCancel(ctx), "/api/v1/live", nil))
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
			err = all[0].close()
			all = all[1:]
		}
	}
	for _, r := range all {
		err = errors.Join(err, r.close())
	}
	return err
}

// gauge is one value among Prometheus's figures, or 0.
func gauge(figures []byte, name string) float64 {
	m := regexp.MustCompile(`(?m)^` + name + ` ([0-9.e+]+)$`).FindSubmatch(figures)
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return 0
	}
	return v
}
