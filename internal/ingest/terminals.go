package ingest

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"lianqin/internal/fault"
	"lianqin/internal/patrol"
)

// jtPatience is how many messages that cannot be read, or may not be sent, a
// connection has.
const jtPatience = 10

// ServeJT808 takes what terminals report by JT/T 808 until ctx ends, and closes
// l. A location is answered with success once it is durable, with failure when
// it cannot be made so.
//
// The protocol gives the authentication code to whoever registers with a
// terminal's number: those who can reach the port have to be kept few, as by
// an operator's private network.
func (s *Station) ServeJT808(ctx context.Context, l net.Listener) error {
	in := s.listen(l, "jt808")
	var serving sync.WaitGroup
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			c, err := in.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				defer func() {
					if v := recover(); v != nil {
						s.cfg.Log.Error("panic over JT/T 808", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
					}
				}()
				t := &terminal{s: s, c: c.(*conn), ctx: context.WithoutCancel(ctx)}
				t.frames.r = c
				t.serve()
			})
		}
	}()
	<-ctx.Done()
	in.cut() // a terminal keeps what was not answered
	<-accepting
	serving.Wait()
	return nil
}

// terminal is one connection.
type terminal struct {
	s      *Station
	c      *conn
	ctx    context.Context
	frames jtFrames
	number string // authenticated; empty before
	parts  jtParts
	done   jtParts // the last message in parts that was answered
	serial uint16  // of ours
	wrongs int
}

func (t *terminal) serve() {
	for t.wrongs < jtPatience {
		_ = t.c.SetReadDeadline(t.deadline())
		frame, err := t.frames.next()
		switch {
		case errors.Is(err, errFrame):
			t.s.refused(patrol.FromJT808, patrol.Malformed, 1)
			return // where the next frame begins cannot be told
		case errors.Is(err, os.ErrDeadlineExceeded) && t.parts.missing > 0:
			if !t.askForParts() {
				return
			}
			continue
		case err != nil:
			return
		}
		m, err := readMessage(frame)
		if err != nil {
			t.s.refused(patrol.FromJT808, patrol.Malformed, 1)
			t.wrongs++
			continue // of a damaged message nobody knows the serial number
		}
		if !t.hear(&m) {
			return
		}
	}
}

// deadline is by when the next frame has to be there.
func (t *terminal) deadline() time.Time {
	now := time.Now() // the connection's clock is the real one
	switch {
	case t.number == "":
		return now.Add(t.s.cfg.Limits.Handshake)
	case t.parts.missing > 0:
		return now.Add(min(jtPartsWait, t.s.cfg.Limits.Idle))
	}
	return now.Add(t.s.cfg.Limits.Idle)
}

// hear answers one message, and reports whether to go on.
func (t *terminal) hear(m *jtMessage) bool {
	switch {
	case m.id == jtTerminalAnswer:
		return true
	case m.id == jtRegister && m.total == 0:
		return t.register(m)
	case m.id == jtAuthenticate && m.total == 0:
		return t.authenticate(m)
	case t.number == "" || m.number != t.number:
		t.s.refused(patrol.FromJT808, patrol.WrongCredentials, 1)
		t.wrongs++
		return t.answer(m, jtFailed)
	case m.id == jtLogout:
		t.number = ""
		return t.answer(m, jtDone)
	case m.id == jtHeartbeat:
		t.s.other(patrol.FromJT808)
		return t.answer(m, jtDone)
	case m.id != jtLocation && m.id != jtLocations:
		return t.answer(m, jtUnsupported)
	case m.total > 1:
		return t.part(m)
	}
	result, err := t.locations(m)
	return t.answer(m, result) && (err == nil || fault.KindOf(err) != fault.Denied)
}

func (t *terminal) register(m *jtMessage) bool {
	from, err := t.s.enterTerminal(t.ctx, m.number, t.c.addr)
	switch {
	case fault.KindOf(err) == fault.Denied && err != nil:
		t.wrongs++
		return t.send(m, jtRegisterAnswer, append(binary.BigEndian.AppendUint16(nil, m.serial), jtNoTerminal))
	case err != nil:
		return false // there is no answer for an outage: it registers again
	}
	t.s.other(patrol.FromJT808)
	body := append(binary.BigEndian.AppendUint16(nil, m.serial), jtDone)
	return t.send(m, jtRegisterAnswer, append(body, jtCode(t.s.cfg.Key, &from.Device)...))
}

func (t *terminal) authenticate(m *jtMessage) bool {
	t.number = ""
	from, err := t.s.enterTerminal(t.ctx, m.number, t.c.addr)
	if err == nil && subtle.ConstantTimeCompare([]byte(jtCode(t.s.cfg.Key, &from.Device)), []byte(presentedCode(m))) != 1 {
		t.s.door.bad(m.number, t.c.addr, t.s.cfg.Now())
		t.s.refused(patrol.FromJT808, patrol.WrongCredentials, 1)
		err = fault.New(fault.Denied, "a wrong code")
	}
	if err != nil {
		t.wrongs++
		return t.answer(m, jtFailed)
	}
	t.s.other(patrol.FromJT808)
	t.number = m.number
	return t.answer(m, jtDone)
}

// locations takes in the locations of m.
func (t *terminal) locations(m *jtMessage) (result byte, err error) {
	from, err := t.s.enterTerminal(t.ctx, m.number, t.c.addr)
	if err == nil {
		in := t.s.begin(&from, patrol.FromJT808, "")
		in.takeLocations(m)
		err = t.s.take(t.ctx, in)
	}
	if err != nil {
		return jtFailed, err
	}
	return jtDone, nil
}

// part takes in one part of a message. The standard lets all parts be answered
// once all are there: so what is answered is durable.
func (t *terminal) part(m *jtMessage) bool {
	if m.total > jtMaxParts || m.index < 1 || m.index > m.total {
		t.s.refused(patrol.FromJT808, patrol.Malformed, 1)
		t.wrongs++
		return t.answer(m, jtWrong)
	}
	if t.done.of(m) {
		return t.answer(m, jtDone) // the answer was lost
	}
	if !t.parts.of(m) {
		if !t.abandon() {
			return false
		}
		t.parts.begin(m)
	}
	again := t.parts.add(m)
	switch {
	case t.parts.missing > 0 && again: // it waits for an answer instead of sending the next
		return t.askForParts()
	case t.parts.missing > 0:
		return true
	}
	result, err := t.locations(t.parts.whole())
	serials := make([]uint16, m.total)
	for i := range serials {
		serials[i] = t.parts.first + uint16(i)
	}
	if err == nil {
		t.parts = jtParts{}
		t.done.begin(m)
	}
	return t.answer(m, result, serials...) && (err == nil || fault.KindOf(err) != fault.Denied)
}

// askForParts asks for the parts that are missing, or gives them up.
func (t *terminal) askForParts() bool {
	if t.parts.asked++; t.parts.asked > jtPartsAsked {
		return t.abandon()
	}
	return t.send(&t.parts.message, jtResend, t.parts.resend())
}

// abandon puts a message whose parts are not all there into quarantine.
func (t *terminal) abandon() bool {
	if t.parts.missing == 0 {
		return true
	}
	m := t.parts.message
	from, err := t.s.enterTerminal(t.ctx, m.number, t.c.addr)
	if err != nil {
		return false
	}
	in := t.s.begin(&from, patrol.FromJT808, "")
	in.malformed([]byte(hex.EncodeToString(bytes.Join(t.parts.bodies, nil))), "%d of the %d parts of a message did not come", t.parts.missing, len(t.parts.bodies))
	t.parts = jtParts{}
	return t.s.take(t.ctx, in) == nil
}

// answer is the general answer to m, or to the parts of it with these serial
// numbers.
func (t *terminal) answer(m *jtMessage, result byte, serials ...uint16) bool {
	if len(serials) == 0 {
		serials = []uint16{m.serial}
	}
	var out []byte
	for _, serial := range serials {
		body := binary.BigEndian.AppendUint16(nil, serial)
		body = append(binary.BigEndian.AppendUint16(body, m.id), result)
		out = appendFrame(out, m, jtAnswer, t.serial, body)
		t.serial++
	}
	return t.write(out)
}

func (t *terminal) send(m *jtMessage, id uint16, body []byte) bool {
	out := appendFrame(nil, m, id, t.serial, body)
	t.serial++
	return t.write(out)
}

func (t *terminal) write(b []byte) bool {
	_ = t.c.SetWriteDeadline(time.Now().Add(t.s.cfg.Limits.Write))
	_, err := t.c.Write(b)
	return err == nil
}
