package httpapi

import "time"

// Limits bound what one request and one caller may cost. A zero field stands
// for its default; a negative Rate lifts the limit of requests.
type Limits struct {
	// BodyBytes is the greatest request body, after decompression: 32 MB.
	BodyBytes int64
	// ImportBytes is the greatest file of cases, which is never in memory as a
	// whole: 16 GB.
	ImportBytes int64
	// BodiesBytes is how much all requests under way may hold together: 256 MB.
	BodiesBytes int64
	// Points is the greatest number of points in one request: 100,000.
	Points int
	// HeaderBytes is the greatest request header: 32 kB.
	HeaderBytes int
	// ReadHeader is how long a client may take to send its header: 10 s.
	ReadHeader time.Duration
	// Request is how long reading a body and writing an answer may take: 60 s.
	Request time.Duration
	// Idle is how long an unused connection is kept: 2 minutes.
	Idle time.Duration
	// Shutdown is how long Serve waits for requests under way: 10 s.
	Shutdown time.Duration
	// Rate is how many requests a second one address may send, and Burst how
	// many at once: 2,000 and 10,000. An IPv6 address counts by its /64.
	Rate  float64
	Burst int
	// Reports is how many public reports an hour one address may send, and
	// ReportsBurst how many at once: 60 and 20, since many phones may share one.
	// AllReports is how many an hour all may: 3,600, a sixth of it at once.
	Reports      float64
	ReportsBurst int
	AllReports   float64
	// Streams is how many streams may be open, StreamsPerAddress how many from
	// one address, which may be a whole control room: 2,000 and 1,000.
	Streams           int
	StreamsPerAddress int
	// Replays is how many of them may be replays: 16.
	Replays int
	// StreamWrite is how long the reader of a stream may take to accept what
	// there is for it: 10 s.
	StreamWrite time.Duration
	// Upload is how long sending or fetching one file may take: 3 minutes, for
	// a photo over a slow network.
	Upload time.Duration
	// UploadBytes is how much all files that are being sent may hold together,
	// half of it those of callers who have not signed in: 512 MB.
	UploadBytes int64
	// PublicFileRate is how many files a second one address may send without
	// signing in, and PublicFileBurst how many at once: one in 20 s, and 20. A
	// negative rate lifts the limit.
	PublicFileRate  float64
	PublicFileBurst int
	// TileCacheBytes is how much memory the tiles of one generation may hold:
	// 64 MB.
	TileCacheBytes int64
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.BodyBytes, 32<<20)
	setDefault(&l.ImportBytes, 16<<30)
	setDefault(&l.BodiesBytes, 256<<20)
	setDefault(&l.Points, 100_000)
	setDefault(&l.HeaderBytes, 32<<10)
	setDefault(&l.ReadHeader, 10*time.Second)
	setDefault(&l.Request, time.Minute)
	setDefault(&l.Idle, 2*time.Minute)
	setDefault(&l.Shutdown, 10*time.Second)
	setDefault(&l.Rate, 2000)
	setDefault(&l.Burst, 10_000)
	setDefault(&l.Reports, 60)
	setDefault(&l.ReportsBurst, 20)
	setDefault(&l.AllReports, 3600)
	setDefault(&l.Streams, 2000)
	setDefault(&l.StreamsPerAddress, 1000)
	setDefault(&l.Replays, 16)
	setDefault(&l.StreamWrite, 10*time.Second)
	setDefault(&l.Upload, 3*time.Minute)
	setDefault(&l.UploadBytes, 512<<20)
	setDefault(&l.PublicFileRate, 0.05)
	setDefault(&l.PublicFileBurst, 20)
	setDefault(&l.TileCacheBytes, 64<<20)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
