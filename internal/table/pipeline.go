package table

import (
	"context"
	"errors"
	"io"
	"sync"
)

// block is a run of whole rows on its way through the pipeline.
type block struct {
	in    []byte
	ends  []int32 // where each row of in ends
	first int64   // rows before it
	bytes int64   // read for it
	long  bool    // in is the beginning of one row that is too long

	out   []byte
	count Summary
	done  chan struct{}
}

// worker answers the rows of a block into out. One worker serves all
// goroutines.
type worker interface {
	layout() Layout
	// preamble is written before all rows.
	preamble() []byte
	work(b *block)
}

// pipeline reads blocks, has them worked on side by side, and writes them in
// the order they came.
type pipeline struct {
	in       *source
	split    func(b []byte, eof bool) int
	work     worker
	w        io.Writer
	progress func(Summary)
	threads  int
}

func (p *pipeline) run(ctx context.Context) (Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	// The blocks in flight are all there ever are: that bounds the memory.
	flight := 2*p.threads + 2
	free := make(chan *block, flight)
	for range flight {
		free <- &block{done: make(chan struct{}, 1)}
	}
	jobs, order := make(chan *block, flight), make(chan *block, flight)
	var workers sync.WaitGroup
	for range p.threads {
		workers.Go(func() {
			for b := range jobs {
				b.count = Summary{Bytes: b.bytes}
				b.out = b.out[:0]
				p.work.work(b)
				b.done <- struct{}{}
			}
		})
	}
	total := Summary{Bytes: p.in.read} // by those who looked at the header
	var readErr error                  // set before order is closed
	go func() {
		defer close(order)
		defer close(jobs)
		readErr = p.read(ctx, free, jobs, order)
	}()
	err := p.write(ctx, free, order, &total)
	cancel()
	if err == nil {
		workers.Wait()
		err = readErr
	}
	return total, err
}

// runAlone is run without any other goroutine.
func (p *pipeline) runAlone(ctx context.Context) (Summary, error) {
	total := Summary{Bytes: p.in.read}
	if err := writeAll(p.w, p.work.preamble()); err != nil {
		return total, err
	}
	for b := (&block{}); ; {
		if ctx.Err() != nil {
			return total, context.Cause(ctx)
		}
		if err := p.in.block(b, p.split); errors.Is(err, io.EOF) {
			return total, nil
		} else if err != nil {
			return total, err
		}
		b.count, b.out = Summary{Bytes: b.bytes}, b.out[:0]
		p.work.work(b)
		if err := writeAll(p.w, b.out); err != nil {
			return total, err
		}
		total.add(&b.count)
		if p.progress != nil {
			p.progress(total)
		}
	}
}

func (p *pipeline) read(ctx context.Context, free <-chan *block, jobs, order chan<- *block) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b := <-free:
			err := p.in.block(b, p.split)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			jobs <- b // never blocks: there are as many places as blocks
			order <- b
		}
	}
}

func (p *pipeline) write(ctx context.Context, free chan<- *block, order <-chan *block, total *Summary) error {
	if err := writeAll(p.w, p.work.preamble()); err != nil {
		return err
	}
	for {
		var b *block
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case next, ok := <-order:
			if !ok {
				return nil
			}
			b = next
		}
		<-b.done
		if err := writeAll(p.w, b.out); err != nil {
			return err
		}
		total.add(&b.count)
		free <- b
		if p.progress != nil {
			p.progress(*total)
		}
	}
}

// WriteError is a failure of the output, as against the input.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "write: " + e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

func writeAll(w io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return &WriteError{err}
	}
	return nil
}
