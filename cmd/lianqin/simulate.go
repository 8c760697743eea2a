package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"golang.org/x/term"

	"lianqin/internal/auth"
	"lianqin/internal/demo"
	"lianqin/internal/fault"
	"lianqin/internal/grid"
	"lianqin/internal/locate"
	"lianqin/internal/patrol"
	"lianqin/internal/simulate"
)

type simulateCommand struct {
	Run_      simulateRunCommand       `cmd:"" name:"run" default:"withargs" help:"Send what simulated patrols report, and score what the service made of it. 运行模拟并评分。"`
	Provision simulateProvisionCommand `cmd:"" help:"Enter units, roster and devices at a service, and write the devices' secrets to a file. 向服务录入队员、排班与设备。"`
}

const simulateHelp = `Patrols that walk and drive along the borders and streets of the service's own boundaries, on shifts, with devices that err as real ones do: noise, tunnels, dead batteries, backlogs, clocks that are ahead, GCJ-02 that claims to be WGS-84, duplicates, outliers, alarms. It knows where everybody truly was, and so reports what the service got wrong. 模拟巡防队员沿网格边界与道路巡逻，设备会漂移、断网补传、时钟偏快、误报坐标系；运行后对照真值给服务评分。

The same seed makes the same patrols. 同一随机种子结果相同。

Examples 示例:

  lianqin user add sim --role district-operator      # 需先有管理员 after the first administrator
  lianqin simulate provision --login sim --password-stdin < secret.txt
  lianqin simulate --duration 10m --login sim --password-stdin < secret.txt
  lianqin simulate --protocol osmand --units 200 --rate 1 --duration 1m
  lianqin simulate --protocol mqtt --address 127.0.0.1:1883 --units 50
  lianqin simulate --protocol jt808 --address 127.0.0.1:8808 --units 30
  lianqin simulate --from "2026-03-02 08:00" --duration 8h --speed 60
  lianqin simulate --replay fixes.csv --replay-to 121.25,31.38 --duration 30m`

func (*simulateCommand) Help() string { return simulateHelp }

// loginFlags say by whom the service is asked.
type loginFlags struct {
	Login         string `placeholder:"NAME" help:"Account of a district operator there. 区级值班员账号。"`
	PasswordStdin bool   `help:"Read the password from the first line of standard input instead of asking. 从标准输入读取密码。" env:"-"`
}

// password asks for the account's password, or takes a line of standard input.
func (l *loginFlags) password(s *session) (string, error) {
	if l.PasswordStdin {
		line, err := bufio.NewReader(io.LimitReader(s.in, auth.MaxPassword+2)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usagef("没有终端可输入密码 there is no terminal to ask for the password; use --password-stdin")
	}
	return s.secret(f, fmt.Sprintf("%s 的密码 password of %s: ", l.Login, l.Login))
}

// signIn is the service as that account sees it.
func (l *loginFlags) signIn(s *session, server, password string) (*simulate.Service, error) {
	service, err := simulate.NewService(server, "")
	if err != nil {
		return nil, err
	}
	return service, service.SignIn(s.ctx, l.Login, password)
}

// crewFile is what provision leaves for run: who there is, and the secrets of
// their devices. Staff is made anew from members and seed.
type crewFile struct {
	Server  string              `json:"server"`
	Members int                 `json:"members"` // 0 is the listed 1,283
	Seed    uint64              `json:"seed"`
	Always  bool                `json:"always"` // on duty day and night
	Gateway string              `json:"gateway"`
	Devices []simulate.Identity `json:"devices"`
}

func readCrew(path string) (*crewFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, notFound(path, err)
	}
	var c crewFile
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fault.New(fault.Invalid, "%s: %w", path, err)
	}
	return &c, nil
}

// write makes the file for its owner's eyes alone.
func (c *crewFile) write(path string) error {
	data, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".lianqin-*") // made 0600
	if err != nil {
		return noFolder(path, err)
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// staff is the patrols of the crew in gen.
func (c *crewFile) staff(gen *grid.Generation) (*demo.Staff, error) {
	staff, err := demo.Patrols(gen, c.Seed, c.Members)
	if err == nil && c.Always {
		staff.AlwaysOnDuty()
	}
	return staff, err
}

type simulateProvisionCommand struct {
	Server string `default:"http://127.0.0.1:8080" placeholder:"URL" help:"The service; ${default} if not said. 服务地址。"`
	loginFlags
	Members     int    `placeholder:"N" help:"How many members; the district's 1,283 if not said. Vehicles come on top. 队员数。"`
	Seed        uint64 `default:"1" help:"Another seed makes other people. 随机种子。"`
	Days        int    `default:"7" help:"How many days of roster, from yesterday on; ${default} if not said. 排班天数。"`
	OnDuty      bool   `help:"Everybody is on duty day and night, without a roster, as for a load test. 全员全天在岗。"`
	DevicesEach bool   `help:"A device for every unit, as all protocols but the gateway's need. 每人一台设备。"`
	Out         string `default:"devices.json" placeholder:"FILE" help:"File for the secrets, readable by its owner only; ${default} if not said. 密钥文件。" env:"-"`
}

func (*simulateProvisionCommand) Help() string { return simulateHelp }

func (c *simulateProvisionCommand) Run(s *session) error {
	if c.Login == "" {
		return usagef("--login: 需要账号 units and devices are entered by an account")
	}
	if c.Members < 0 || c.Days < 1 {
		return usagef("--members and --days count something")
	}
	if _, err := os.Stat(c.Out); err == nil {
		return usagef("%s 已存在 is there already, and may hold secrets that are in use; choose another with --out", c.Out)
	}
	password, err := c.password(s)
	if err != nil {
		return err
	}
	service, err := c.signIn(s, c.Server, password)
	if err != nil {
		return err
	}
	gen, err := service.Borders(s.ctx)
	if err != nil {
		return err
	}
	crew := &crewFile{Server: c.Server, Members: c.Members, Seed: c.Seed, Always: c.OnDuty}
	staff, err := crew.staff(gen)
	if err != nil {
		return err
	}
	if err := c.enter(s, service, gen, staff); err != nil {
		return err
	}
	if err := c.issue(s, service, staff, crew); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "已录入 entered: %s 名队员与车辆 units, %s 台设备 devices → %s\n", comma(int64(len(staff.Units))), comma(int64(len(crew.Devices)+1)), c.Out)
	return nil
}

func (c *simulateProvisionCommand) enter(s *session, service *simulate.Service, gen *grid.Generation, staff *demo.Staff) error {
	if err := service.EnterTeams(s.ctx, staff.TeamsCSV()); err != nil {
		return err
	}
	if err := service.EnterUnits(s.ctx, staff.UnitsCSV(gen)); err != nil {
		return err
	}
	if c.OnDuty {
		return nil
	}
	from := time.Now().AddDate(0, 0, -1)
	return service.EnterRoster(s.ctx, staff.RosterCSV(from, from.AddDate(0, 0, c.Days)))
}

// issue makes the gateway and, where wanted, a device for every unit. What was
// made before something failed is written down all the same.
func (c *simulateProvisionCommand) issue(s *session, service *simulate.Service, staff *demo.Staff, crew *crewFile) (err error) {
	defer func() { err = errors.Join(err, crew.write(c.Out)) }()
	gateway, err := service.NewDevice(s.ctx, simulate.Identity{})
	if err != nil {
		return err
	}
	crew.Gateway = gateway.Secret
	if !c.DevicesEach {
		return nil
	}
	for i, u := range staff.Units {
		d, err := service.NewDevice(s.ctx, simulate.Identity{Unit: u.Code, Terminal: staff.Terminal(i)})
		if err != nil {
			return err
		}
		crew.Devices = append(crew.Devices, d)
	}
	return nil
}

type simulateRunCommand struct {
	Server string `placeholder:"URL" help:"The service; the one in --devices if not said. 服务地址。"`
	loginFlags
	Devices     string        `default:"devices.json" placeholder:"FILE" help:"What provision wrote; ${default} if not said. 密钥文件。"`
	Protocol    string        `enum:"gateway,api,osmand,traccar,owntracks,mqtt,jt808" default:"gateway" help:"One of ${enum}. 协议。"`
	Address     string        `placeholder:"HOST:PORT" help:"Where MQTT or JT/T 808 is spoken. MQTT 或 808 地址。"`
	JT2013      bool          `name:"jt808-2013" help:"Speak JT/T 808 of 2013 rather than of 2019. 使用 2013 版。"`
	Units       int           `placeholder:"N" help:"How many units; all if not said. 单位数。"`
	Rate        float64       `default:"0.2" placeholder:"HZ" help:"Fixes a second of each unit; ${default} if not said. 每秒定位数。"`
	Duration    time.Duration `default:"10m" help:"How long, by the simulation's clock; ${default} if not said. 时长。"`
	Speed       float64       `default:"1" help:"Times as fast as the wall clock; 0 is as fast as it goes. 倍速。"`
	From        *instant      `placeholder:"INSTANT" help:"When the simulation begins; so that it ends now if not said. 起始时刻。"`
	Seed        uint64        `default:"1" help:"Another seed makes other walks and faults. 随机种子。"`
	Faults      string        `enum:"usual,none" default:"usual" help:"What devices get wrong: ${enum}. 设备故障。"`
	Accuracy    metres        `placeholder:"M" help:"Accuracy of all devices; 3m to 30m, each its own, if not said. 定位精度。"`
	Liars       share         `placeholder:"SHARE" help:"Share of devices that send GCJ-02 as WGS-84, such as 2%. 坐标系误报比例。"`
	Connections int           `default:"64" help:"Connections at once. 并发连接数。"`
	Batch       int           `default:"100" help:"Fixes in a request, where the protocol has batches. 批量。"`
	Replay      string        `placeholder:"FILE" help:"Send a file of real fixes instead: CSV with unit, time, lon, lat, gzipped or not. 回放真实轨迹。"`
	ReplayTo    string        `placeholder:"LON,LAT" help:"Where the middle of the file's fixes is to lie; where it lies if not said. 平移到。"`
	ReplayGap   time.Duration `default:"10m" help:"Longer pauses in the file are shortened to this. 停顿上限。"`
	Settle      time.Duration `default:"35s" help:"How long to wait, before scoring, for what late fixes correct; ${default} if not said. 评分前等待。"`
	JSON        bool          `help:"Print the score as JSON. 输出 JSON。"`
}

func (*simulateRunCommand) Help() string { return simulateHelp }

// outing is a run that is ready to go.
type outing struct {
	source simulate.Source
	fleet  *simulate.Fleet // nil for a replay
	record *simulate.Record
	units  []simulate.Identity // by their place in source
	begin  time.Time
}

func (c *simulateRunCommand) Run(s *session) error {
	if c.Rate <= 0 || c.Speed < 0 || c.Connections < 1 || c.Batch < 1 || c.Units < 0 || c.Duration <= 0 {
		return usagef("--rate, --connections, --batch and --duration are above 0; --speed and --units not below")
	}
	crew, err := readCrew(c.Devices)
	if err != nil {
		return err
	}
	c.Server = cmp.Or(c.Server, crew.Server)
	password := ""
	if c.Login != "" { // asked for before the run, not an hour later
		if password, err = c.loginFlags.password(s); err != nil {
			return err
		}
	}
	service, err := simulate.NewService(c.Server, cmp.Or(crew.Gateway, firstSecret(crew)))
	if err != nil {
		return err
	}
	gen, err := service.Borders(s.ctx)
	if err != nil {
		return err
	}
	sim, err := c.prepare(crew, gen)
	if err != nil {
		return err
	}
	target := simulate.Target{URL: c.Server, Address: c.Address, Gateway: crew.Gateway, Devices: sim.units, Conns: c.Connections, Batch: c.Batch, JT808Old: c.JT2013}
	wire, err := target.Dial(c.Protocol)
	if err != nil {
		return err
	}
	s.notef("%s 台设备 devices, %s → %s", comma(int64(len(sim.units))), c.Protocol, cmp.Or(c.Address, c.Server))
	pace := simulate.Pace{Begin: sim.begin, Duration: c.Duration, Speed: c.Speed, Drain: time.Minute}
	if c.Protocol == "gateway" {
		pace.Gather = gatewayGathers
	}
	count, refusal := simulate.Run(s.ctx, sim.source, wire, c.Connections, pace, sim.record, c.progress(s))
	fmt.Fprintf(s.out, "已生成 made %s, 已应答 answered %s, 被拒 refused %s, 放弃 dropped %s, 重试 retries %s, 未送达 unsent %s, 请求 sends %s\n",
		comma(count.Made), comma(count.Answered), comma(count.Refused), comma(count.Dropped), comma(count.Retries), comma(count.Unsent), comma(count.Sends))
	if refusal != nil {
		s.notef("首个拒绝 the first refusal: %v", refusal)
	}
	if sim.record == nil || s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	return c.score(s, sim, password)
}

// score asks the service what it made of the run, once it had time to run the
// past of late fixes again.
func (c *simulateRunCommand) score(s *session, sim *outing, password string) error {
	if c.Settle > 0 {
		s.notef("等待补传更正 %v for corrections…", c.Settle)
	}
	select {
	case <-s.ctx.Done():
		return s.ctx.Err()
	case <-time.After(c.Settle):
	}
	service, err := c.signIn(s, c.Server, password) // a session from before the run may have ended
	if err != nil {
		return err
	}
	codes := make([]string, len(sim.units))
	for i, d := range sim.units {
		codes[i] = d.Unit
	}
	// Clocks of devices are ahead, by up to a quarter of an hour at most.
	got, tracks, quarantine, err := service.Conclusions(s.ctx, codes, sim.begin.Add(-time.Minute), sim.begin.Add(c.Duration+15*time.Minute))
	if err != nil {
		return err
	}
	score := sim.fleet.Score(sim.record, got)
	score.Tracks, score.Quarantine = tracks, quarantine
	if c.JSON {
		return printJSON(s, score)
	}
	return score.Print(s.out)
}

// gatewayGathers is how long a gateway puts reports together.
const gatewayGathers = 200 * time.Millisecond

func firstSecret(crew *crewFile) string {
	if len(crew.Devices) == 0 {
		return ""
	}
	return crew.Devices[0].Secret
}

// progress prints how it goes every ten seconds.
func (c *simulateRunCommand) progress(s *session) func(simulate.Count) {
	last := time.Now()
	return func(n simulate.Count) {
		if time.Since(last) < 10*time.Second {
			return
		}
		last = time.Now()
		s.notef("已应答 answered %s, 待发 unsent %s, 重试 retries %s", comma(n.Answered), comma(n.Unsent), comma(n.Retries))
	}
}

func (c *simulateRunCommand) prepare(crew *crewFile, gen *grid.Generation) (*outing, error) {
	sim := &outing{begin: time.Now().Add(-c.ahead())}
	if c.From != nil {
		sim.begin = c.From.Time
	}
	staff, err := crew.staff(gen)
	if err != nil {
		return nil, err
	}
	identity := make(map[string]simulate.Identity, len(crew.Devices))
	for _, d := range crew.Devices {
		identity[d.Unit] = d
	}
	var units []simulate.Unit
	for i, u := range crewOf(staff, sim.begin) {
		d, ok := identity[u.Code]
		if !ok {
			d = simulate.Identity{Unit: u.Code, Terminal: staff.Terminal(i)}
		}
		if c.Units > 0 && len(units) == c.Units {
			break
		}
		if c.Protocol == "jt808" && d.Terminal == "" {
			continue
		}
		units, sim.units = append(units, u), append(sim.units, d)
	}
	if c.Replay != "" {
		return sim, c.prepareReplay(sim)
	}
	opt := simulate.Options{Seed: c.Seed, Begin: sim.begin, Interval: time.Duration(float64(time.Second) / c.Rate), Truth: c.Login != ""}
	if c.Faults == "usual" {
		opt.Faults = simulate.UsualFaults
	}
	opt.Faults.AccuracyM = float64(c.Accuracy)
	if c.Liars > 0 {
		opt.Faults.GCJ02 = float64(c.Liars)
	}
	if sim.fleet, err = simulate.NewFleet(locate.New(gen), units, opt); err != nil {
		return nil, err
	}
	sim.source = sim.fleet
	if opt.Truth {
		sim.record = simulate.NewRecord(len(units))
	}
	return sim, nil
}

// ahead is how much longer the simulation's time is than the wall clock's: it
// begins so long ago that it ends now.
func (c *simulateRunCommand) ahead() time.Duration {
	if c.Speed == 0 {
		return c.Duration
	}
	return max(0, c.Duration-time.Duration(float64(c.Duration)/c.Speed))
}

// continued is the greatest staff of whom those that are on duty all the time
// go on from where they were: larger ones begin anew, since a day's walk takes
// a millisecond to reckon.
const continued = 10_000

// crewOf is staff as the simulation has it. Who is on duty all the time sets
// out at the midnight before begin, so that two runs of a day find everybody
// in the same place at the same time.
func crewOf(staff *demo.Staff, begin time.Time) []simulate.Unit {
	units := make([]simulate.Unit, len(staff.Units))
	if len(units) <= continued {
		t := begin.In(grid.Zone)
		begin = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, grid.Zone)
	}
	for i, u := range staff.Units {
		units[i] = simulate.Unit{Code: u.Code, Street: u.Street, Grids: u.Grids, Drives: u.Kind != patrol.GridPatrol, Duty: simulate.Always(begin)}
		if u.Duty == patrol.ByRoster {
			units[i].Duty = func(after time.Time) simulate.Shift {
				sh := staff.Next(i, after)
				return simulate.Shift{From: sh.From, To: sh.To, Stationed: sh.Post == patrol.EmergencyPost}
			}
		}
	}
	return units
}

func (c *simulateRunCommand) prepareReplay(sim *outing) error {
	f, err := os.Open(c.Replay)
	if err != nil {
		return notFound(c.Replay, err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(c.Replay, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return fault.New(fault.Invalid, "%s: %w", c.Replay, err)
		}
	}
	opt := simulate.ReplayOptions{Begin: sim.begin, MaxGap: c.ReplayGap, AccuracyM: float64(c.Accuracy)}
	if c.ReplayTo != "" {
		lon, lat, _ := strings.Cut(c.ReplayTo, ",")
		x, err := strconv.ParseFloat(strings.TrimSpace(lon), 64)
		y, wrong := strconv.ParseFloat(strings.TrimSpace(lat), 64)
		if err != nil || wrong != nil {
			return usagef("--replay-to: %q is not LON,LAT such as 121.25,31.38", c.ReplayTo)
		}
		opt.To = &orb.Point{x, y}
	}
	replay, err := simulate.ReadReplay(bufio.NewReaderSize(r, 1<<20), opt)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Replay, err)
	}
	if n := len(replay.Units()); n > len(sim.units) {
		return fault.New(fault.Invalid, "%s has %d units, and there are devices for %d only", c.Replay, n, len(sim.units))
	}
	sim.source, sim.units = replay, sim.units[:len(replay.Units())]
	return nil
}
