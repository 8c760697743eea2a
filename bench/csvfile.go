package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// csvRows is the length of the file that lianqin resolve is given.
const csvRows = 1_000_000

// csvFile is the figure of lianqin resolve: the real program, from a file to a
// file.
func csvFile(ctx context.Context, b *bench) error {
	d, err := b.district(1)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lianqin-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "lianqin")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/lianqin")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./cmd/lianqin: %w: %s", err, out)
	}
	in, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
	size, err := writeRows(in, d)
	if err != nil {
		return err
	}
	t := table{
		title: fmt.Sprintf("lianqin resolve, %s CSV rows (%s MB), file to file, %d cores", number(csvRows), number(float64(size)/1e6), runtime.NumCPU()),
		head:  []string{"", "s, median", "s, least", "target", "processor s", "MB held at most"},
	}
	var wall, cpu, held sample
	for range max(3, b.rounds/2) {
		took, used, rss, err := resolveFile(ctx, program, in, out)
		if err != nil {
			return err
		}
		wall, cpu, held = append(wall, took), append(cpu, used), append(held, rss)
	}
	if err := checkRows(out, d); err != nil {
		return err
	}
	t.row("Lianqin", number(wall.median()), number(wall.min()), atMost(wall.median(), 1.5), number(cpu.median()), orDash(held.max()))
	t.note("From starting the process to its end, the embedded district included. Each of the %s grids in the output is the one that Locate finds.", number(csvRows))
	t.print()
	return nil
}

func writeRows(path string, d *district) (int64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "id,reported,lon,lat,what")
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	var row []byte
	for i := range csvRows {
		p := d.random[i]
		row = strconv.AppendInt(row[:0], int64(i), 10)
		row = append(row, ',')
		row = at.Add(time.Duration(i)*time.Second).AppendFormat(row, time.DateTime)
		row = append(row, ',')
		row = strconv.AppendFloat(row, p[0], 'f', 7, 64)
		row = append(row, ',')
		row = strconv.AppendFloat(row, p[1], 'f', 7, 64)
		row = append(row, ",给水井盖缺损\n"...)
		if _, err := w.Write(row); err != nil {
			return 0, err
		}
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// resolveFile is one run: seconds by the clock and of the processors, and the
// most memory in MB.
func resolveFile(ctx context.Context, program, in, out string) (wall, cpu, heldMB float64, err error) {
	src, err := os.Open(in)
	if err != nil {
		return 0, 0, 0, err
	}
	defer src.Close()
	dst, err := os.Create(out)
	if err != nil {
		return 0, 0, 0, err
	}
	defer dst.Close()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "resolve")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = src, dst, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, 0, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for running := true; running; {
		select {
		case err = <-done:
			running = false
		case <-time.After(20 * time.Millisecond):
			heldMB = max(heldMB, peakMB(cmd.Process.Pid))
		}
	}
	wall = time.Since(began).Seconds()
	if err != nil {
		return 0, 0, 0, fmt.Errorf("lianqin resolve: %w: %s", err, said.Bytes())
	}
	cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return wall, cpu, heldMB, nil
}

// peakMB is the most memory that a process has held so far, zero where /proc
// does not tell. The Maxrss of a process that has ended will not do: it counts
// what its parent held when it was started.
func peakMB(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if size, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(size), " kB"), 64)
			return kB * 1024 / 1e6
		}
	}
	return 0
}

// checkRows holds every row's grid against the index.
func checkRows(path string, d *district) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	column, n := -1, 0
	for ; ; n++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err != nil && err != io.EOF {
			return err
		}
		fields := bytes.Split(bytes.TrimRight(line, "\r\n"), []byte(",")) // nothing in them is quoted
		if n == 0 {
			for i, name := range fields {
				if string(name) == "grid" {
					column = i
				}
			}
			continue
		}
		if n > csvRows || column < 0 || len(fields) <= column {
			return fmt.Errorf("row %d of the output: %q", n, line)
		}
		lon, _ := strconv.ParseFloat(string(fields[2]), 64)
		lat, _ := strconv.ParseFloat(string(fields[3]), 64)
		want := ""
		if id, ok := d.index.Locate([2]float64{lon, lat}); ok {
			g, _ := d.gen.Grid(id)
			want = g.Code
		}
		if got := string(fields[column]); got != want {
			return fmt.Errorf("row %d of the output: grid %q, want %q", n, got, want)
		}
	}
	if n-1 != csvRows {
		return fmt.Errorf("%d rows in, %d out", csvRows, n-1)
	}
	return nil
}
