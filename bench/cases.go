package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"lianqin/geodata"
	"lianqin/internal/casework"
	"lianqin/internal/demo"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/store"
)

// casesNow is when the desk of the figures about cases is open.
var casesNow = time.Date(2026, 3, 11, 10, 0, 0, 0, grid.Zone)

// casework figures: a year of cases, and with -large ten years.
func cases(ctx context.Context, b *bench) error {
	years := []int{1}
	if b.large {
		years = append(years, 10)
	}
	for _, n := range years {
		if err := b.casesOf(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) casesOf(ctx context.Context, years int) error {
	within := 1.0
	title := "Cases: the demonstration year, and what stands open in March after it"
	if years > 1 {
		within, title = 3, fmt.Sprintf("Cases: %d years, and what stands open in March after them", years)
	}
	t := table{title: title, head: []string{"", "cases", "loaded, s", "target", "processor s", "MB on disk", "desk open, s", "MB in memory",
		"open a case at 200/s, p50 ms", "p99 ms", "target", "queue page of a street, ms", "target", "counts of a street, ms",
		"all figures of a year, ms", "target", "with the year before, ms"}}
	err := b.onEach(ctx, &t, func(name string, fresh func() (string, error)) error {
		o, err := newOffice(ctx, name, fresh)
		if err != nil {
			return err
		}
		defer o.close()
		cpu, began := selfCPU(), time.Now()
		n, err := o.load(ctx, years)
		if err != nil {
			return err
		}
		took, used := time.Since(began).Seconds(), (selfCPU() - cpu).Seconds()
		began = time.Now()
		_, memory, err := heap(func() (*casework.Desk, error) { return o.openDesk(ctx) })
		if err != nil {
			return err
		}
		opened := time.Since(began).Seconds()
		var l latencies
		if err := o.openCases(ctx, &l); err != nil {
			return err
		}
		page, counts, err := o.lookAtQueues(ctx)
		if err != nil {
			return err
		}
		figures, both, err := o.figures()
		if err != nil {
			return err
		}
		t.row(name, number(float64(n)), number(took), atMost(took, 20*float64(years)), number(used), number(o.diskMB(ctx)), number(opened), number(float64(memory)/1e6),
			number(l.quantile(.5)), number(l.quantile(.99)), atMost(l.quantile(.99), 20*within),
			number(page.median()), atMost(page.median(), 30*within), number(counts.median()),
			number(figures.median()), atMost(figures.median(), 300*within), number(both.median()))
		if o.url != "" {
			return o.plain(ctx, &t)
		}
		return nil
	})
	t.note("Loading is making the cases, packing and entering them, on all processors. Opening the desk reads the facts of all cases into memory. Opening a case is: where it lies, to whom it goes, its deadline, durably, and what may be the same; a page is the first 50 of a street with all that is shown of them, as JSON.")
	t.note("Plain rows: the same table with its indexes by hand-written SQL on the same server: one row in one durable transaction, and 50 whole rows of a street by what is due. It knows no history, no audit and no clocks: a bound from below.")
	t.print()
	return err
}

// figures reads all figures of the last whole year in every dimension, as JSON;
// alone, and beside those of the year before.
func (o *office) figures() (alone, both sample, err error) {
	q := casework.Query{From: time.Date(demo.FirstYear, 1, 1, 0, 0, 0, 0, grid.Zone), To: time.Date(demo.FirstYear+1, 1, 1, 0, 0, 0, 0, grid.Zone), AsOf: o.now(),
		By: []casework.Dimension{casework.WholeDistrict, casework.PerStreet, casework.PerGrid, casework.PerDepartment, casework.PerItem, casework.PerMajor, casework.PerChannel, casework.PerTopic, casework.PerMonth}}
	for range 5 {
		began := time.Now()
		f, err := o.desk.Figures(q)
		if err == nil {
			_, err = json.Marshal(f)
		}
		if err != nil {
			return alone, both, err
		}
		alone = append(alone, float64(time.Since(began).Microseconds())/1000)
		began = time.Now()
		before, err := o.desk.Figures(q.YearBefore())
		if err == nil {
			f, err = o.desk.Figures(q)
		}
		if err == nil {
			f.Against(before)
			_, err = json.Marshal(f)
		}
		if err != nil {
			return alone, both, err
		}
		both = append(both, float64(time.Since(began).Microseconds())/1000)
	}
	return alone, both, nil
}

// office is a database of cases.
type office struct {
	dir, url, database string
	st                 *store.Store
	atlas              *grid.Atlas
	gen                *grid.Generation
	desk               *casework.Desk
	began              time.Time
	places             []casework.Place // of cases to come
	items              []string
}

func newOffice(ctx context.Context, name string, fresh func() (string, error)) (*office, error) {
	o := &office{began: time.Now()}
	var err error
	if o.dir, err = os.MkdirTemp("", "lianqin-bench-*"); err != nil {
		return nil, err
	}
	if o.database, err = fresh(); err != nil {
		return nil, err
	}
	if o.database == "sqlite" {
		o.database = "sqlite:" + filepath.Join(o.dir, "cases.db")
	} else {
		o.url = o.database
	}
	if o.st, err = store.Open(ctx, o.database, store.Options{Log: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, err
	}
	if o.gen, err = demonstration(1); err != nil {
		return nil, err
	}
	if o.atlas, _, err = inForce(o.gen); err != nil {
		return nil, err
	}
	o.gen, _ = o.atlas.Current()
	_, err = o.openDesk(ctx)
	return o, err
}

func (o *office) close() {
	_ = o.st.Close()
	_ = os.RemoveAll(o.dir)
}

// now goes on from casesNow.
func (o *office) now() time.Time { return casesNow.Add(time.Since(o.began)) }

func (o *office) openDesk(ctx context.Context) (*casework.Desk, error) {
	catalogue, err := casework.ReadCatalogue(bytes.NewReader(geodata.Departments), bytes.NewReader(geodata.Catalogue))
	if err != nil {
		return nil, err
	}
	hours, err := casework.ParseHours(casework.UsualHours)
	if err != nil {
		return nil, err
	}
	calendar, err := casework.ReadCalendar(bytes.NewReader(geodata.Calendar), hours)
	if err != nil {
		return nil, err
	}
	standards, err := casework.ReadStandards(bytes.NewReader(geodata.Standards))
	if err != nil {
		return nil, err
	}
	o.desk, err = casework.OpenDesk(ctx, o.st.Cases(), casework.DeskConfig{Indexes: locate.NewIndexes(o.atlas), Rules: casework.UsualRules(), Standards: standards,
		Hours: hours, Catalogue: catalogue, Calendar: calendar, Now: o.now})
	return o.desk, err
}

// load enters so many years, and what is open now; and keeps some cases to
// come.
func (o *office) load(ctx context.Context, years int) (n int, err error) {
	made := func(year int, slow bool) (*demo.Cases, error) {
		return demo.NewCases(demo.CaseOptions{Index: locate.New(o.gen), Procedure: o.desk.Procedure(), Year: year, Slow: slow})
	}
	for year := demo.FirstYear - years + 1; year <= demo.FirstYear; year++ {
		c, err := made(year, false)
		if err != nil {
			return n, err
		}
		if err := o.enter(ctx, c, 0, c.Len(), &n, func(h demo.History) (demo.History, error) { return h, nil }); err != nil {
			return n, err
		}
	}
	c, err := made(casesNow.Year(), true)
	if err != nil {
		return n, err
	}
	now := c.Since(casesNow)
	err = o.enter(ctx, c, c.Since(casesNow.AddDate(0, 0, -30)), now, &n, func(h demo.History) (demo.History, error) {
		past, _, err := h.Until(casesNow)
		return past, err
	})
	for h, again := range c.Part(now, now+3000) {
		if again != nil {
			return n, again
		}
		o.places, o.items = append(o.places, h.Case.Place), append(o.items, h.Case.Item)
	}
	return n, err
}

func (o *office) enter(ctx context.Context, c *demo.Cases, from, to int, n *int, change func(demo.History) (demo.History, error)) error {
	failed := make(chan error, to-from+1)
	var batches iter.Seq2[casework.Batch, error] = func(yield func(casework.Batch, error) bool) {
		for at := from; at < to; at += 1000 {
			if !yield(func() (out []casework.Loading) {
				for h, err := range c.Part(at, min(to, at+1000)) {
					if err == nil {
						h, err = change(h)
					}
					if err != nil {
						failed <- err
						return nil
					}
					out = append(out, c.Loading(&h))
				}
				return out
			}, nil) {
				return
			}
		}
	}
	err := o.st.Cases().Load(ctx, batches, func(all []casework.Landing) {
		for _, l := range all {
			if l.Err != nil {
				failed <- l.Err
				return
			}
		}
		*n += len(all)
	})
	select {
	case first := <-failed:
		return errors.Join(err, first)
	default:
		return err
	}
}

// openCases opens 200 cases a second for three seconds, whether or not those
// before are through.
func (o *office) openCases(ctx context.Context, l *latencies) error {
	return paced(600, 200, l, func(i int) error {
		p := o.places[i%len(o.places)]
		_, err := o.desk.Open(ctx, casework.Arrival{By: []casework.Actor{{ID: "bench", Role: casework.Patrol}}, Item: o.items[i%len(o.items)], Answer: p.Grid,
			Intake: casework.Intake{Channel: casework.ByPatrol, Captured: o.now().Add(-time.Second), Text: "bench"}, Position: &casework.Position{At: p.At, AccuracyM: p.AccuracyM}})
		return err
	})
}

// paced calls f n times, so many a second, and adds how long each took from
// when it was to begin.
func paced(n, perSecond int, l *latencies, f func(i int) error) error {
	var wg sync.WaitGroup
	failed := make(chan error, n)
	began := time.Now()
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(due))
		wg.Go(func() {
			if err := f(i); err != nil {
				failed <- err
			}
			l.add(float64(time.Since(due).Microseconds()) / 1000)
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// lookAtQueues reads the first page and the counts of every street, some times.
func (o *office) lookAtQueues(ctx context.Context) (page, counts sample, err error) {
	for range 5 {
		for _, street := range o.gen.Streets() {
			began := time.Now()
			found, err := o.desk.Find(ctx, casework.Search{Street: street.Code, Limit: 50})
			if err != nil {
				return nil, nil, err
			}
			if _, err := json.Marshal(found.Records); err != nil {
				return nil, nil, err
			}
			page = append(page, float64(time.Since(began).Microseconds())/1000)
			if len(found.Records) < 50 {
				return nil, nil, fmt.Errorf("street %s has %d open cases", street.Code, len(found.Records))
			}
			began = time.Now()
			if _, err := o.desk.Find(ctx, casework.Search{Street: street.Code, Count: true, AsOf: o.now(), Within: 2 * time.Hour}); err != nil {
				return nil, nil, err
			}
			counts = append(counts, float64(time.Since(began).Microseconds())/1000)
		}
	}
	return page, counts, nil
}

// diskMB is how much the database takes.
func (o *office) diskMB(ctx context.Context) float64 {
	if o.url == "" {
		var sum int64
		files, _ := filepath.Glob(filepath.Join(o.dir, "*"))
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				sum += info.Size()
			}
		}
		return float64(sum) / 1e6
	}
	conn, err := pgx.Connect(ctx, o.url)
	if err != nil {
		return 0
	}
	defer conn.Close(ctx)
	var size int64
	_ = conn.QueryRow(ctx, `SELECT pg_database_size(current_database())`).Scan(&size)
	return float64(size) / 1e6
}

// plain is the same table by hand on the same server.
func (o *office) plain(ctx context.Context, t *table) error {
	pool, err := pgxpool.New(ctx, o.url)
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, sql := range []string{
		`CREATE TABLE plain (LIKE case_file INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING GENERATED)`,
		`INSERT INTO plain (id, change, seq, state, overlays, is_open, next_due, channel, item, street, grid, centre, lead, captured, received, lon_e7, lat_e7, order_number, facts)
			SELECT id, change, seq, state, overlays, is_open, next_due, channel, item, street, grid, centre, lead, captured, received, lon_e7, lat_e7, order_number, facts FROM case_file`,
		`ANALYZE plain`,
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			return err
		}
	}
	var l latencies
	err = paced(600, 200, &l, func(i int) error {
		_, err := pool.Exec(ctx, `INSERT INTO plain (id, change, seq, state, overlays, is_open, next_due, channel, item, street, grid, centre, lead, captured, received, lon_e7, lat_e7, facts)
			VALUES ($1, $1, 1, 'reported', 0, 1, $2, 'patrol', '0701', '310114001', 'x', '310114001', '', $2, $2, 1212000000, 313000000, '\x01')`, 1_000_000_000+int64(i), o.now().UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	var page sample
	for range 5 {
		for _, street := range o.gen.Streets() {
			began := time.Now()
			rows, err := pool.Query(ctx, `SELECT * FROM plain WHERE is_open = 1 AND street = $1 ORDER BY next_due, id LIMIT 50`, street.Code)
			if err != nil {
				return err
			}
			n := 0
			for rows.Next() {
				if _, err := rows.Values(); err != nil {
					return err
				}
				n++
			}
			if err := rows.Err(); err != nil || n < 50 {
				return errors.Join(err, fmt.Errorf("%d rows", n))
			}
			page = append(page, float64(time.Since(began).Microseconds())/1000)
		}
	}
	t.row("plain rows in PostgreSQL", "", "", "", "", "", "", "", number(l.quantile(.5)), number(l.quantile(.99)), "", number(page.median()), "", "")
	return nil
}
