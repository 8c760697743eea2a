package auth

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
)

// Hasher makes and checks password hashes, a few at a time: the rest wait, so
// that signing in cannot take the machine from everyone else.
type Hasher struct {
	slots   chan *hashHelper
	waiting atomic.Int64
}

// maxWaiting is how many may wait for their turn: whoever comes later would
// have given up before it came.
const maxWaiting = 100

// NewHasher allows as many hashes at once as parallel. Each is made in a
// process of its own, which command starts and which runs HelpHash: a hash
// inside this one would hold a processor that requests wait for, and litter 19
// MiB that the garbage collector has to look after. With a nil command, and
// whenever a helper does not answer, hashes are made here.
func NewHasher(parallel int, command func() *exec.Cmd) *Hasher {
	h := &Hasher{slots: make(chan *hashHelper, parallel)}
	for range parallel {
		h.slots <- &hashHelper{command: command}
	}
	return h
}

// Close ends the helpers, after the hashes under way.
func (h *Hasher) Close() {
	for range cap(h.slots) {
		(<-h.slots).stop()
	}
}

// busyWait is when to try again where too many sign in: their turn then is
// over.
const busyWait = 5 * time.Second

// key waits for a slot; *TooMany when ctx ends first, or many wait already.
func (h *Hasher) key(ctx context.Context, j hashJob) ([]byte, error) {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return nil, &TooMany{Wait: busyWait, Busy: true}
	}
	defer h.waiting.Add(-1)
	select {
	case helper := <-h.slots:
		defer func() { h.slots <- helper }()
		return helper.key(j), nil
	case <-ctx.Done():
		return nil, &TooMany{Wait: busyWait, Busy: true}
	}
}

// hashJob is what a helper is asked for, as a gob.
type hashJob struct {
	Password       string
	Salt           []byte
	Memory, Passes uint32
	Lanes          uint8
}

func (j hashJob) key() []byte {
	return argon2.IDKey([]byte(j.Password), j.Salt, j.Passes, j.Memory, j.Lanes, hashBytes)
}

// helpMemory is above what one hash takes: the one before is collected first.
const helpMemory = 32 << 20

// HelpHash answers what another process's Hasher asks on in, with what the
// machine has left over, until in ends.
func HelpHash(in io.Reader, out io.Writer) error {
	runtime.LockOSThread() // the priority is a thread's
	yieldToOthers()
	debug.SetMemoryLimit(helpMemory)
	jobs, keys := gob.NewDecoder(in), gob.NewEncoder(out)
	for {
		var j hashJob
		if err := jobs.Decode(&j); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := keys.Encode(j.key()); err != nil {
			return err
		}
	}
}

// hashHelper is another process that hashes, started when it is first needed
// and again when it has ended. It is one caller's at a time.
type hashHelper struct {
	command func() *exec.Cmd // nil for none
	process *exec.Cmd        // nil while it does not run
	in, out *os.File
	jobs    *gob.Encoder
	keys    *gob.Decoder
}

// helpTime is how long a helper may take for one hash. Beyond, something is
// wrong with it.
const helpTime = 5 * time.Second

// key asks the helper and, should it fail, makes the hash here: nobody is kept
// out for want of it.
func (h *hashHelper) key(j hashJob) []byte {
	if h.command == nil {
		return j.key()
	}
	key, err := h.ask(j)
	if err != nil || len(key) != hashBytes {
		h.stop()
		return j.key()
	}
	return key
}

func (h *hashHelper) ask(j hashJob) (key []byte, err error) {
	if h.process == nil {
		if err := h.start(); err != nil {
			return nil, err
		}
	}
	_ = h.out.SetReadDeadline(time.Now().Add(helpTime)) // not every system's pipes have deadlines
	if err := h.jobs.Encode(j); err != nil {
		return nil, err
	}
	err = h.keys.Decode(&key)
	return key, err
}

func (h *hashHelper) start() error {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		return errors.Join(err, in.Close())
	}
	defer theirOut.Close()
	process := h.command()
	process.Stdin, process.Stdout = theirIn, theirOut
	if err := process.Start(); err != nil {
		return errors.Join(err, in.Close(), out.Close())
	}
	h.process, h.in, h.out = process, in, out
	h.jobs, h.keys = gob.NewEncoder(in), gob.NewDecoder(out)
	return nil
}

// stop ends the helper's process, if there is one.
func (h *hashHelper) stop() {
	if h.process == nil {
		return
	}
	h.in.Close()
	h.out.Close()
	_ = h.process.Process.Kill() // it holds nothing, and may hang
	_ = h.process.Wait()
	h.process = nil
}
