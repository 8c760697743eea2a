package httpapi

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"strconv"
	"time"

	"lianqin/internal/fault"
)

// receipt is what a citizen holds of a case: by it he follows what becomes of
// what he said, without an account.
type receipt struct {
	Kind receiptKind
	Case int64
}

type receiptKind byte

const (
	// ownReceipt is of whoever reported a case.
	ownReceipt receiptKind = 'r'
	// addedReceipt is of whoever added to another's.
	addedReceipt receiptKind = 'a'
	// hintReceipt names a case that may be the same, to add to it; one follows
	// nothing by it.
	hintReceipt receiptKind = 'h'
)

// receiptPrefix lets a leaked receipt be recognised for what it is.
const receiptPrefix = "lqr_"

// receiptMAC is how many bytes of a receipt cannot be guessed.
const receiptMAC = 16

// The purposes of the key of public reports, each with codes of its own.
const (
	forReceipts = "receipt"
	forTickets  = "ticket"
)

func (a *API) publicMAC(purpose string, body []byte) []byte {
	m := hmac.New(sha256.New, a.publicKey)
	m.Write([]byte(purpose))
	m.Write([]byte{0})
	m.Write(body)
	return m.Sum(nil)[:receiptMAC]
}

// writeReceipt is r as a secret that only we can make.
func (a *API) writeReceipt(r receipt) string {
	body := binary.AppendUvarint([]byte{byte(r.Kind)}, uint64(r.Case))
	return receiptPrefix + base64.RawURLEncoding.EncodeToString(append(body, a.publicMAC(forReceipts, body)...))
}

var errReceipt = fault.New(fault.NotFound, "查询码无效 there is no such receipt")

// readReceipt is NotFound for what writeReceipt did not write.
func (a *API) readReceipt(s string) (receipt, error) {
	if len(s) < len(receiptPrefix) || s[:len(receiptPrefix)] != receiptPrefix {
		return receipt{}, errReceipt
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s[len(receiptPrefix):])
	if err != nil || len(b) < 2+receiptMAC {
		return receipt{}, errReceipt
	}
	body, sum := b[:len(b)-receiptMAC], b[len(b)-receiptMAC:]
	if !hmac.Equal(sum, a.publicMAC(forReceipts, body)) {
		return receipt{}, errReceipt
	}
	id, _ := binary.Uvarint(body[1:])
	return receipt{receiptKind(body[0]), int64(id)}, nil
}

// A ticket says when somebody was given the form. People take longer to fill it
// in than programs that know it by heart.
const (
	ticketYoungest = 2 * time.Second
	ticketOldest   = 24 * time.Hour
)

func (a *API) writeTicket(at time.Time) string {
	body := binary.AppendVarint(nil, at.UnixMilli())
	return base64.RawURLEncoding.EncodeToString(append(body, a.publicMAC(forTickets, body)...))
}

// checkTicket is Invalid for one that is none, or is too old or too new: then
// another is asked for.
func (a *API) checkTicket(s string) error {
	wrong := fault.InvalidField("ticket", "页面已过期，请重试 the form is out of date: ask for another ticket")
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) <= receiptMAC {
		return wrong
	}
	body, sum := b[:len(b)-receiptMAC], b[len(b)-receiptMAC:]
	if !hmac.Equal(sum, a.publicMAC(forTickets, body)) {
		return wrong
	}
	ms, _ := binary.Varint(body)
	age := a.cfg.Now().Sub(time.UnixMilli(ms))
	if age > ticketOldest || age < -ticketYoungest {
		return wrong
	}
	if age < ticketYoungest {
		return fault.InvalidField("ticket", "提交过快，请稍候 too fast: try again in %s", ticketYoungest)
	}
	return nil
}

// publicLimits bound what comes in by the public channels.
type publicLimits struct {
	one, every *limiter
	perHour    float64
}

func newPublicLimits(l Limits, now func() time.Time) publicLimits {
	return publicLimits{
		one:     newLimiter(l.Reports/3600, l.ReportsBurst, now),
		every:   newLimiter(l.AllReports/3600, int(l.AllReports/6), now),
		perHour: l.Reports,
	}
}

// all takes one of the reports that may come in from everybody.
func (p *publicLimits) all() error {
	if wait := p.every.take(everybody); wait > 0 {
		return tooManyReports(wait, "上报过多，请稍后再试 too many are reporting at once")
	}
	return nil
}

// from takes one of the reports that one address may send, and one of all.
func (p *publicLimits) from(a *API, r *http.Request) error {
	if wait := p.one.take(a.clientAddr(r)); wait > 0 {
		return tooManyReports(wait, "同一网络上报过多，请稍后再试 more reports from one network than "+strconv.FormatFloat(p.perHour, 'f', -1, 64)+" an hour")
	}
	return p.all()
}

// waitError is a refusal that ends after some time.
type waitError struct {
	wait time.Duration
	error
}

func (e waitError) Unwrap() error { return e.error }

func tooManyReports(wait time.Duration, why string) error {
	return waitError{wait, withStatus(http.StatusTooManyRequests, fault.New(fault.Unavailable, "%s", why))}
}

func (e waitError) seconds() string { return strconv.Itoa(int(math.Ceil(e.wait.Seconds()))) }

// newPublicKey is a key for as long as the process lives, where none was given.
func newPublicKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}
