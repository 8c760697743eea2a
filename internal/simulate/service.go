package simulate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"lianqin/internal/fault"
	"lianqin/internal/grid"
)

// Service is our own API as a person or a device uses it: it enters what a
// simulation needs, and asks afterwards what became of it. It shares no code
// with what answers.
type Service struct {
	base   *url.URL
	client *http.Client
	bearer string
	csrf   string
}

// maxAnswer bounds what is read of one answer.
const maxAnswer = 1 << 30

// NewService is the service at server, for whoever holds bearer; nobody in
// particular when it is empty. It is Invalid when server is no address.
func NewService(server, bearer string) (*Service, error) {
	base, err := url.Parse(server)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fault.InvalidField("server", "%q is not an address such as http://127.0.0.1:8080", server)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Service{base: base, client: &http.Client{Jar: jar, Timeout: 2 * time.Minute}, bearer: bearer}, nil
}

// SignIn makes s a person's. It is Denied for wrong credentials.
func (s *Service) SignIn(ctx context.Context, login, password string) error {
	var session struct {
		CSRF string `json:"csrf"`
	}
	err := s.send(ctx, "POST", "api/v1/session", nil, map[string]string{"login": login, "password": password}, &session)
	s.csrf = session.CSRF
	return err
}

// send makes one request and reads the JSON that comes back. Body is JSON, or
// CSV when it is []byte.
func (s *Service) send(ctx context.Context, method, path string, query url.Values, body, answer any) error {
	r, err := s.open(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer r.Close()
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(r, maxAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (s *Service) open(ctx context.Context, method, path string, query url.Values, body any) (io.ReadCloser, error) {
	u := s.base.JoinPath(path)
	u.RawQuery = query.Encode()
	media, text := "text/csv; charset=utf-8", []byte(nil)
	switch b := body.(type) {
	case nil:
	case []byte:
		text = b
	default:
		media = "application/json"
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", media)
	}
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	if s.csrf != "" {
		req.Header.Set("X-CSRF-Token", s.csrf)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, unreached(s.base.Host, withoutURL(err))
	}
	if res.StatusCode/100 == 2 {
		return res.Body, nil
	}
	defer res.Body.Close()
	return nil, problem(method+" "+path, res)
}

var kinds = map[int]fault.Kind{
	http.StatusBadRequest: fault.Invalid, http.StatusUnprocessableEntity: fault.Invalid, http.StatusUnauthorized: fault.Denied,
	http.StatusForbidden: fault.Denied, http.StatusNotFound: fault.NotFound, http.StatusConflict: fault.Conflict,
	http.StatusServiceUnavailable: fault.Unavailable, http.StatusTooManyRequests: fault.Unavailable,
}

// problem is the fault that an answer tells (RFC 9457).
func problem(what string, res *http.Response) error {
	var p struct {
		Detail string `json:"detail"`
		Title  string `json:"title"`
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if json.Unmarshal(body, &p) != nil {
		p.Detail = text(body)
	}
	return fault.New(kinds[res.StatusCode], "%s: %s: %s", what, res.Status, cmp.Or(p.Detail, p.Title))
}

// Borders is the generation in force, exactly as the service has it: its hash
// is compared.
func (s *Service) Borders(ctx context.Context) (*grid.Generation, error) {
	var streets struct {
		Streets []struct {
			Code string     `json:"code"`
			Name string     `json:"name"`
			Seat *orb.Point `json:"seat"`
		} `json:"streets"`
	}
	if err := s.send(ctx, "GET", "api/v1/streets", nil, nil, &streets); err != nil {
		return nil, err
	}
	var grids struct {
		Generation struct {
			Number int    `json:"number"`
			Hash   string `json:"hash"`
		} `json:"generation"`
		Features []struct {
			Geometry   *geojson.Geometry `json:"geometry"`
			Properties struct {
				ID             grid.ID   `json:"id"`
				Code           string    `json:"code"`
				Name           string    `json:"name"`
				Kind           grid.Kind `json:"kind"`
				Street         string    `json:"street"`
				Department     string    `json:"department"`
				DepartmentName string    `json:"department_name"`
			} `json:"properties"`
		} `json:"features"`
	}
	if err := s.send(ctx, "GET", "api/v1/grids", nil, nil, &grids); err != nil {
		return nil, err
	}
	var list []grid.Street
	for _, x := range streets.Streets {
		street := grid.Street{Code: x.Code, Name: x.Name}
		if x.Seat != nil {
			street.Seat = *x.Seat
		}
		list = append(list, street)
	}
	areas := make([]grid.Area, 0, len(grids.Features))
	for _, x := range grids.Features {
		p := &x.Properties
		area := grid.Area{Grid: grid.Grid{ID: p.ID, Code: p.Code, Name: p.Name, Kind: p.Kind, Street: p.Street,
			Department: grid.Department{Code: p.Department, Name: p.DepartmentName}}}
		if x.Geometry != nil {
			switch g := x.Geometry.Geometry().(type) {
			case orb.Polygon:
				area.Polygons = orb.MultiPolygon{g}
			case orb.MultiPolygon:
				area.Polygons = g
			}
		}
		areas = append(areas, area)
	}
	src, err := grid.Assemble(list, areas)
	if err != nil {
		return nil, fmt.Errorf("the service's borders: %w", err)
	}
	gen, err := grid.New(grids.Generation.Number, src)
	if err != nil {
		return nil, fmt.Errorf("the service's borders: %w", err)
	}
	if gen.Hash() != grids.Generation.Hash {
		return nil, fault.New(fault.Conflict, "the service's borders have hash %.12s here and %.12s there", gen.Hash(), grids.Generation.Hash)
	}
	return gen, nil
}

// EnterTeams, EnterUnits and EnterRoster enter CSV, whole or not at all.
func (s *Service) EnterTeams(ctx context.Context, csv []byte) error {
	return s.send(ctx, "POST", "api/v1/teams", nil, csv, nil)
}

// EnterUnits enters units; what is there already is changed.
func (s *Service) EnterUnits(ctx context.Context, csv []byte) error {
	return s.send(ctx, "POST", "api/v1/units/import", nil, csv, nil)
}

// EnterRoster enters shifts in the place of those that its units have in the
// same time.
func (s *Service) EnterRoster(ctx context.Context, csv []byte) error {
	return s.send(ctx, "POST", "api/v1/roster", url.Values{"gaps": {"1"}}, csv, nil)
}

// NewDevice makes a device that reports for unit, or a gateway of the whole
// district when unit is empty, and returns its secret.
func (s *Service) NewDevice(ctx context.Context, d Identity) (Identity, error) {
	in := map[string]any{"name": strings.TrimSpace("模拟 simulated " + d.Unit)}
	if d.Unit != "" {
		in["unit"] = d.Unit
	}
	if d.Terminal != "" {
		in["terminal"] = d.Terminal
	}
	var out struct {
		Secret string `json:"secret"`
	}
	err := s.send(ctx, "POST", "api/v1/devices", nil, in, &out)
	if err == nil && out.Secret == "" {
		err = errors.New("POST api/v1/devices: no secret came back")
	}
	d.Secret = out.Secret
	return d, err
}
