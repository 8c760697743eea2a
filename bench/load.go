package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"sync"
	"time"
)

// The load generator keeps so many connections open, each with one request
// under way, and does as little as can be for an answer: it looks at the
// status and skips the body by its length. It runs on the same cores as the
// server, so that its cost is part of every rate, and the same part.
const connections = 16

// roundTime is how long one round of requests takes.
const roundTime = time.Second

// loadResult is what the rounds of one service gave.
type loadResult struct {
	rate  sample // requests a second
	cpuUS sample // processor time of the server in µs a request
}

// pressure puts load on all services by turns, so that what else the machine
// does meets all alike. Each gets its own requests.
func pressure(ctx context.Context, rounds int, services []*service, requests [][][]byte, read func(*bufio.Reader) error) ([]loadResult, error) {
	out := make([]loadResult, len(services))
	for round := range rounds + 1 {
		for i, s := range services {
			before := s.cpu()
			n, took, err := press(ctx, s.addr, requests[i], read)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			if round == 0 {
				continue // to warm up
			}
			out[i].rate = append(out[i].rate, float64(n)/took.Seconds())
			out[i].cpuUS = append(out[i].cpuUS, float64((s.cpu()-before).Microseconds())/float64(n))
		}
	}
	return out, nil
}

// press is one round.
func press(ctx context.Context, addr string, requests [][]byte, read func(*bufio.Reader) error) (int, time.Duration, error) {
	var wg sync.WaitGroup
	counts, errs := make([]int, connections), make([]error, connections)
	began := time.Now()
	for c := range connections {
		wg.Go(func() {
			counts[c], errs[c] = converse(ctx, addr, requests, c*len(requests)/connections, began.Add(roundTime), read)
		})
	}
	wg.Wait()
	took := time.Since(began)
	n := 0
	for _, k := range counts {
		n += k
	}
	return n, took, errors.Join(errs...)
}

// converse sends one request after another until the time is up.
func converse(ctx context.Context, addr string, requests [][]byte, first int, until time.Time, read func(*bufio.Reader) error) (int, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(until.Add(20 * time.Second))
	in := bufio.NewReaderSize(conn, 64<<10)
	n := 0
	for time.Now().Before(until) {
		if _, err := conn.Write(requests[(first+n)%len(requests)]); err != nil {
			return n, err
		}
		if err := read(in); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// skipHTTP reads one answer and forgets it.
func skipHTTP(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 || string(line[9:11]) != "20" {
		return fmt.Errorf("answered %q", line)
	}
	length, chunked := 0, false
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		key, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(key, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		case bytes.EqualFold(key, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	if chunked {
		return skipChunks(in)
	}
	_, err = in.Discard(length)
	return err
}

func skipChunks(in *bufio.Reader) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if _, err := in.Discard(int(n) + 2); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

// skipRESP reads one integer.
func skipRESP(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err == nil && line[0] != ':' {
		err = fmt.Errorf("answered %q", line)
	}
	return err
}

// httpRequest is a request as it goes over the wire.
func httpRequest(method, target, headers string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, target, headers)
	if body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	_, _ = io.WriteString(&b, "\r\n")
	b.Write(body)
	return b.Bytes()
}

// orDash is a time that /proc may not have told.
func orDash(v float64) string {
	if v == 0 || math.IsNaN(v) {
		return "–"
	}
	return number(v)
}
