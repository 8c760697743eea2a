package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"lianqin/internal/partition"
)

// commandLine is everything that can be said to the program. Every flag has a
// variable: --id-property is LIANQIN_ID_PROPERTY.
type commandLine struct {
	Help  helpFlag `short:"h" help:"Show help and examples. 显示帮助和示例。"`
	Quiet bool     `short:"q" help:"Print errors only. 只输出错误。"`

	Serve   serveCommand   `cmd:"" help:"Serve map, API and tiles for a boundary file or the demonstration district. 启动服务。"`
	Resolve resolveCommand `cmd:"" help:"Append grid, street and department to the rows of a CSV or NDJSON. 批量落格：为每行追加网格、街镇、责任部门。"`
	Check   checkCommand   `cmd:"" help:"List gaps, overlaps, slivers and invalid rings of a boundary file. 检查边界文件的缝隙、重叠与无效环。"`
	Convert convertCommand `cmd:"" help:"Convert a boundary file to another format, cleaned on request. 转换边界文件格式，可同时清理。"`
	Demo    demoCommand    `cmd:"" help:"Serve the demonstration district, or write it to a file. 演示辖区。"`

	Simulate simulateCommand `cmd:"" help:"Simulated patrols that report to a service, and the score of what it made of them. 模拟巡防与评分。"`

	Cases casesCommand `cmd:"" help:"Cases: import, export. 案件导入、导出。"`

	User        userCommand        `cmd:"" help:"Accounts: add, list, change, disable. 账号管理。"`
	Audit       auditCommand       `cmd:"" help:"What was done, by whom; verify that the record is whole. 审计记录与校验。"`
	Generations generationsCommand `cmd:"" help:"Boundaries in time: import, check, publish, compare, export. 边界版本：导入、校验、发布、比较、导出。"`
	Migrate     migrateCommand     `cmd:"" help:"Bring the database's schema up to date, or look. 升级数据库结构。"`
	Backup      backupCommand      `cmd:"" help:"Back up the database into one file while it is in use. 在线备份。"`
	Restore     restoreCommand     `cmd:"" help:"Fill a new database from a backup. 恢复到新库。"`

	Version versionCommand `cmd:"" help:"Print the version. 显示版本。"`

	HashPasswords hashPasswordsCommand `cmd:"" hidden:"" help:"Hash passwords for lianqin serve, which starts it. 由 serve 启动，计算密码散列。"`
}

// command is one subcommand with its flags.
type command interface{ Run(s *session) error }

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// flagFields are the fields of faults that name a flag, and so make a fault a
// mistake of usage.
var flagFields = map[string]bool{
	"lon-column": true, "lat-column": true, "format": true, "encoding": true, "datum": true,
	"id-property": true, "name-property": true, "street-property": true, "department-property": true,
	"tolerance": true, "max-noise": true, "scale": true, "seed": true, "layer": true, "database": true, "s3-endpoint": true, "s3-credentials": true, "from": true,
}

// errHelped ends the reading of a command line that asked for help.
var errHelped = errors.New("help was shown")

type helpFlag bool

// BeforeReset shows help before anything can be found wrong with the rest.
func (helpFlag) BeforeReset(k *kong.Context) error {
	if err := k.PrintUsage(false); err != nil {
		return err
	}
	return errHelped
}

const description = `联勤 — 网格化责任落格服务。Grids, streets and responsible departments for any GPS point.

Every flag can be set by a variable: --id-property is LIANQIN_ID_PROPERTY. 每个参数都可用环境变量设置。

Exit codes 退出码: 0 done 完成; 1 defects found 发现缺陷; 2 wrong usage 用法错误; 3 unusable input 输入不可用; 4 system failure 系统故障; 130 interrupted 中断.`

// parse reads the command line and the environment. The command is nil when
// help was all that was wanted.
func parse(args []string, s *session) (command, error) {
	var line commandLine
	k, err := kong.New(&line,
		kong.Name("lianqin"), kong.Description(description), kong.Writers(s.out, s.err),
		kong.NoDefaultHelp(), kong.DefaultEnvars("LIANQIN"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110, FlagsLast: true}),
		kong.Vars{"threads": strconv.Itoa(runtime.GOMAXPROCS(0))})
	if err != nil {
		return nil, err // a mistake in the tags above
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := k.Parse(args)
	if errors.Is(err, errHelped) {
		return nil, nil
	}
	if err != nil {
		if p, ok := errors.AsType[*kong.ParseError](err); ok && p.Context.Selected() != nil {
			s.called = p.Context.Selected().Path()
		}
		return nil, &usageError{err}
	}
	s.quiet = line.Quiet
	s.called = parsed.Command()
	if i := strings.IndexByte(s.called, '<'); i > 0 {
		s.called = strings.TrimSpace(s.called[:i])
	}
	c, ok := parsed.Selected().Target.Addr().Interface().(command)
	if !ok {
		return nil, usagef("%s needs a subcommand", s.called)
	}
	return c, nil
}

// servingGC is how much a serving process lets its memory grow before it
// collects: half of what is in use. With 100,000 units that report every second
// it holds a fifth less then, for no processor time that could be measured.
const servingGC = 50

// tuneMemory is for a process that serves. What the environment says of the
// runtime goes first.
func tuneMemory() {
	if _, said := os.LookupEnv("GOGC"); !said {
		debug.SetGCPercent(servingGC)
	}
}

// metres is a length on the command line: 3m, 0.5m or 3.
type metres float64

func (m *metres) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(string(text), "m")), 64)
	if err != nil || !(v > 0 && v <= partition.MaxToleranceM) {
		return fmt.Errorf("%q is not a length above 0 and up to %dm, such as 3m", text, partition.MaxToleranceM)
	}
	*m = metres(v)
	return nil
}

// share is a fraction on the command line: 0.1% or 0.001.
type share float64

func (f *share) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(string(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v <= 1) {
		return fmt.Errorf("%q is not a share above 0, such as 0.1%%", text)
	}
	*f = share(v)
	return nil
}
