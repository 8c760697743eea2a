package httpapi

import (
	"context"
	"errors"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"lianqin/internal/evidence"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// lane is where uploads of one kind of sender wait, so that one kind cannot
// keep the other from sending.
type lane struct {
	under census
	bytes budget        // that uploads under way hold
	turn  chan struct{} // held by who has a file looked at
}

// uploads are the files that are being sent. Those of callers who have not
// signed in have a lane, and a rate, of their own.
type uploads struct {
	public, own lane
	rate        *limiter
}

// framing is how much longer than its file a multipart body may be.
const framing = 64 << 10

func newUploads(l Limits, now func() time.Time) *uploads {
	u := &uploads{rate: newLimiter(l.PublicFileRate, l.PublicFileBurst, now)}
	u.public.init(l, 256, 3, 1)
	u.own.init(l, 256, 64, 4)
	return u
}

func (l *lane) init(limits Limits, inAll, perAddress, turns int) {
	l.under.what, l.under.inAll, l.under.perAddress = "uploads", inAll, perAddress
	l.bytes.limit = limits.UploadBytes / 2
	l.turn = make(chan struct{}, turns)
}

// laneOf is where a file of sender goes, or 429.
func (u *uploads) laneOf(sender string, addr netip.Addr) (*lane, time.Duration) {
	if sender != "" {
		return &u.own, 0
	}
	return &u.public, u.rate.take(addr)
}

func (a *API) shelf() (*evidence.Shelf, error) {
	if a.cfg.Files == nil {
		return nil, fault.New(fault.Unavailable, "files are not kept here")
	}
	return a.cfg.Files, nil
}

// fileAnswer is a file that was kept. Position and time are as the photo told
// them, and are told this once.
type fileAnswer struct {
	Name     string        `json:"name"`
	Type     evidence.Type `json:"type"`
	Size     int64         `json:"size"`
	Width    int           `json:"width,omitempty"`
	Height   int           `json:"height,omitempty"`
	Position *lonLat       `json:"position,omitempty"`
	Taken    *time.Time    `json:"taken,omitempty"`
}

type lonLat struct {
	Lon float64 `json:"lon"`
	Lat float64 `json:"lat"`
}

// sendFile answers POST /api/v1/files.
func (a *API) sendFile(c *gin.Context) error {
	shelf, err := a.shelf()
	if err != nil {
		return err
	}
	sender, addr := callerOf(c).Name, a.clientAddr(c.Request)
	l, wait := a.uploads.laneOf(sender, addr)
	if wait > 0 {
		c.Writer.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		return withStatus(http.StatusTooManyRequests, fault.New(fault.Unavailable, "上传过于频繁，请稍后再试 too many files from one address, try again later"))
	}
	leave, err := l.under.enter(addr)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := a.longer(c)
	defer cancel()
	b, err := l.receive(c)
	if err != nil {
		return err
	}
	defer b.release()
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "too many files at once: %w", ctx.Err())
	}
	f, told, err := shelf.Keep(ctx, sender, b.bytes)
	if err != nil {
		return err
	}
	out := fileAnswer{Name: f.Name, Type: f.Type, Size: f.Size, Width: f.Width, Height: f.Height}
	if p := told.Position; p != nil {
		out.Position = &lonLat{p.Lon(), p.Lat()}
	}
	if !told.Taken.IsZero() {
		taken := told.Taken.In(grid.Zone)
		out.Taken = &taken
	}
	return writeValue(c, http.StatusCreated, out)
}

// longer gives a transfer of a file the time that it may take.
func (a *API) longer(c *gin.Context) (context.Context, context.CancelFunc) {
	deadline := time.Now().Add(a.cfg.Limits.Upload) // the connection's clock is the real one
	rc := http.NewResponseController(c.Writer)
	_ = rc.SetReadDeadline(deadline) // not every writer has deadlines
	_ = rc.SetWriteDeadline(deadline.Add(writeGrace))
	return context.WithDeadline(c.Request.Context(), deadline)
}

// receive reads a multipart body of one part, "file". Its name and media type
// mean nothing here.
func (l *lane) receive(c *gin.Context) (*body, error) {
	r := c.Request
	if r.ContentLength > evidence.MostBytes+framing {
		return nil, tooLarge(evidence.MostBytes)
	}
	r.Body = http.MaxBytesReader(c.Writer, r.Body, evidence.MostBytes+framing)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, withStatus(http.StatusUnsupportedMediaType, fault.InvalidField("Content-Type", "send multipart/form-data with one part, file"))
	}
	part, err := parts.NextRawPart()
	if err != nil {
		return nil, notMultipart(err)
	}
	if part.FormName() != "file" {
		return nil, fault.InvalidField("body", "the part %.40q is not known; send one part, file", part.FormName())
	}
	b := &body{bytes: (*bodyPool.Get().(*[]byte))[:0], from: &l.bytes}
	if err = b.fill(part, evidence.MostBytes); err == nil {
		err = end(parts)
	}
	if err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

// end is nil when nothing but the last boundary follows.
func end(parts *multipart.Reader) error {
	part, err := parts.NextRawPart()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return notMultipart(err)
	}
	return fault.InvalidField("body", "the part %.40q is one too many; send one part, file", part.FormName())
}

func notMultipart(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(evidence.MostBytes)
	}
	return fault.InvalidField("body", "not the multipart form wanted: %w", err)
}

var (
	fileParams = []string{"size"}
	// filePolicy keeps what is opened by itself from doing anything at all.
	filePolicy = []string{"default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox"}
	fileCache  = []string{"private, max-age=3600"}
	fileVary   = []string{"Cookie, Authorization"}
	sameOrigin = []string{"same-origin"}
)

// showFile answers GET /api/v1/cases/{id}/files/{name}: a file that the case
// names, for whoever may see the case.
func (a *API) showFile(c *gin.Context) error {
	_, r, err := a.caseOf(c)
	if err != nil {
		return err
	}
	if name := c.Param("name"); !slices.Contains(r.Case.Evidence, name) {
		return fault.New(fault.NotFound, "case %d has no file %q", r.Case.ID, clipText(name))
	}
	// A history that was imported may name what another case has.
	return a.serveFile(c, func(f *evidence.File) bool { return f.Case == r.Case.ID || f.Shared })
}

// serveFile answers with the file that the path names, if shows says so: any
// other is as if it were not there.
func (a *API) serveFile(c *gin.Context, shows func(*evidence.File) bool) error {
	p, err := readParams(c.Request.URL.RawQuery, fileParams)
	if err != nil {
		return err
	}
	small := p.has(0)
	if small && p.values[0] != "thumb" {
		return fault.InvalidField("size", "%.40q is not thumb", p.values[0])
	}
	shelf, err := a.shelf()
	if err != nil {
		return err
	}
	name := c.Param("name")
	ctx, cancel := a.longer(c)
	defer cancel()
	open, tag := shelf.Open, ""
	if small {
		open, tag = shelf.OpenThumb, "-thumb"
	}
	f, content, err := open(ctx, name)
	if err != nil {
		return err
	}
	defer content.Close()
	if !shows(&f) {
		return fault.New(fault.NotFound, "there is no file %q", clipText(name))
	}
	h := c.Writer.Header()
	mediaType, disposition := f.Type, "inline"
	switch {
	case small:
		mediaType = evidence.JPEG
	case f.Type == evidence.PDF:
		disposition = "attachment" // it may hold scripts
	}
	h.Set("Content-Type", string(mediaType))
	h.Set("Content-Disposition", disposition+`; filename="`+f.Name+`"`)
	h.Set("ETag", `"`+f.SHA256[:32]+tag+`"`)
	h["Content-Security-Policy"], h["Cross-Origin-Resource-Policy"] = filePolicy, sameOrigin
	h["Cache-Control"], h["Vary"] = fileCache, fileVary
	http.ServeContent(c.Writer, c.Request, "", f.Received, content)
	return nil
}
