package auth

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
)

// The test binary runs itself again as a helper with helpEnv set.
const helpEnv = "LIANQIN_AUTH_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helpEnv) == "" {
		os.Exit(m.Run())
	}
	if err := HelpHash(os.Stdin, os.Stdout); err != nil {
		os.Exit(1)
	}
}

func helper() *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helpEnv+"=1")
	return cmd
}

// own is the process of h's only helper, nil when none runs.
func own(h *Hasher) *os.Process {
	one := <-h.slots
	defer func() { h.slots <- one }()
	if one.process == nil {
		return nil
	}
	return one.process.Process
}

func TestHashesAreMadeInAnotherProcess(t *testing.T) {
	ctx := context.Background()
	here, there := NewHasher(1, nil), NewHasher(1, helper)
	hash, err := there.Hash(ctx, "春风十里不如你 2026")
	if err != nil {
		t.Fatal(err)
	}
	first := own(there)
	if first == nil {
		t.Fatal("no helper was started")
	}
	for _, h := range []*Hasher{here, there} {
		for password, want := range map[string]bool{"春风十里不如你 2026": true, "春风十里不如你 2027": false} {
			if got, err := h.Matches(ctx, hash, password); got != want || err != nil {
				t.Errorf("%s: %v, %v", password, got, err)
			}
		}
	}
	if again := own(there); again.Pid != first.Pid {
		t.Error("each hash has a helper of its own")
	}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // made here, then by another helper
		if ok, err := there.Matches(ctx, hash, "春风十里不如你 2026"); !ok || err != nil {
			t.Errorf("after the helper was killed: %v, %v", ok, err)
		}
	}
	if another := own(there); another == nil || another.Pid == first.Pid {
		t.Error("the helper did not come back")
	}
	there.Close()

	none := NewHasher(1, func() *exec.Cmd { return exec.Command("/nowhere/at/all") })
	defer none.Close()
	if ok, err := none.Matches(ctx, hash, "春风十里不如你 2026"); !ok || err != nil {
		t.Errorf("with a helper that cannot be started: %v, %v", ok, err)
	}
}

func TestARushIsTurnedAway(t *testing.T) {
	h := NewHasher(1, nil)
	one := <-h.slots
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range maxWaiting {
		all.Go(func() {
			if _, err := h.Hash(ctx, "x"); !isBusy(err) {
				t.Errorf("one who waits: %v", err)
			}
		})
	}
	for h.waiting.Load() < maxWaiting {
		runtime.Gosched()
	}
	if _, err := h.Hash(context.Background(), "x"); !isBusy(err) {
		t.Errorf("one more: %v", err)
	}
	cancel()
	all.Wait()
	h.slots <- one
	if _, err := h.Hash(context.Background(), "x"); err != nil {
		t.Error(err)
	}
}
