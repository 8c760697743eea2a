package main

import (
	"runtime"
	"slices"
	"time"
)

// sample is what the rounds of one measurement gave.
type sample []float64

func (s sample) median() float64 {
	c := slices.Sorted(slices.Values(s))
	if n := len(c); n%2 == 0 {
		return (c[n/2-1] + c[n/2]) / 2
	}
	return c[len(c)/2]
}

func (s sample) min() float64 { return slices.Min(s) }
func (s sample) max() float64 { return slices.Max(s) }

// processor is the processor time of f in nanoseconds for each of the n things
// it handles, a round at a time: that of the whole process, collecting its
// garbage included, and none of what other programs took meanwhile.
func processor(rounds, n int, f func() error) (sample, error) {
	return measure(rounds, n, selfCPU, f)
}

// clock is the time by the clock that f takes, for work done elsewhere.
func clock(rounds, n int, f func() error) (sample, error) {
	began := time.Now()
	return measure(rounds, n, func() time.Duration { return time.Since(began) }, f)
}

func measure(rounds, n int, now func() time.Duration, f func() error) (sample, error) {
	var s sample
	for range rounds {
		began := now()
		if err := f(); err != nil {
			return nil, err
		}
		s = append(s, float64((now()-began).Nanoseconds())/float64(n))
	}
	return s, nil
}

// heap is the memory that build leaves in use.
func heap[T any](build func() (T, error)) (T, int, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	v, err := build()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(v)
	return v, int(after.HeapAlloc) - int(before.HeapAlloc), err
}
