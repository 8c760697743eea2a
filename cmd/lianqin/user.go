package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"lianqin/internal/auth"
	"lianqin/internal/fault"
)

type userCommand struct {
	Add      userAddCommand      `cmd:"" help:"Make an account. 新建账号。"`
	List     userListCommand     `cmd:"" help:"List accounts. 列出账号。"`
	Change   userChangeCommand   `cmd:"" help:"Change an account's name, role or jurisdiction. 修改账号。"`
	Password userPasswordCommand `cmd:"" help:"Set an account's password. 重设密码。"`
	Disable  userDisableCommand  `cmd:"" help:"Keep somebody out, from now on. 停用账号。"`
	Enable   userEnableCommand   `cmd:"" help:"Let somebody in again. 启用账号。"`
}

func (*userCommand) Help() string {
	return `Roles 角色: administrator, district-operator, street-operator, acceptance-clerk, shift-leader, dispatcher, deputy-director, village-station, department-handler, inspector, planner, approver, viewer.
Jurisdictions 辖区: district, street:310114004, village:310114004A12, department:U02.

Examples 示例:

  lianqin user add admin --role administrator
  lianqin user add wang --role street-operator --jurisdiction street:310114004 --name 王五
  lianqin user password wang --password-stdin < secret.txt
  lianqin user disable wang`
}

// operator is whoever runs the command, as the audit chain has it.
func operator() auth.Caller { return auth.Operator(whoFlags{}.who()) }

// withGate runs f on the accounts of an existing database, or of a new one.
func (d *databaseFlags) withGate(s *session, existing bool, f func(*auth.Gate) error) error {
	st, err := d.open(s, existing)
	if err != nil {
		return err
	}
	return errors.Join(f(auth.NewGate(st.Accounts(), time.Now)), st.Close())
}

type passwordFlags struct {
	PasswordStdin bool `help:"Read the password from the first line of standard input instead of asking. 从标准输入读取密码。" env:"-"`
}

// read asks for a new password twice without showing it, or takes a line of
// standard input.
func (p *passwordFlags) read(s *session, login string) (string, error) {
	if p.PasswordStdin {
		line, err := bufio.NewReader(io.LimitReader(s.in, auth.MaxPassword+2)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		password := strings.TrimRight(line, "\r\n")
		return password, auth.CheckPassword(login, password)
	}
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usagef("没有终端可输入密码 there is no terminal to ask for the password; use --password-stdin")
	}
	first, err := s.secret(f, "新密码 new password: ")
	if err != nil {
		return "", err
	}
	if err := auth.CheckPassword(login, first); err != nil {
		return "", err
	}
	again, err := s.secret(f, "再输一次 once more: ")
	if err == nil && again != first {
		err = fault.InvalidField("password", "两次不一致 was not the same twice")
	}
	return first, err
}

func (s *session) secret(f *os.File, prompt string) (string, error) {
	fmt.Fprint(s.err, prompt)
	line, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(s.err)
	return string(line), err
}

// userFields are what a command says about an account; empty ones stay.
type userFields struct {
	name         string
	role         auth.Role
	jurisdiction auth.Jurisdiction
	password     string
	subject      string
	disabled     *bool
	existing     bool // false makes an account, and is a Conflict when there is one
}

func setUser(s *session, g *auth.Gate, login string, u userFields) error {
	hash := ""
	if u.password != "" {
		var err error
		if hash, err = g.HashPassword(s.ctx, login, u.password); err != nil {
			return err
		}
	}
	return g.SetAccount(s.ctx, operator(), login, func(a *auth.Account) error {
		switch there := !a.Changed.IsZero(); {
		case there && !u.existing:
			return fault.New(fault.Conflict, "已有账号 there is an account %s already", login)
		case !there && u.existing:
			return fault.New(fault.NotFound, "没有账号 there is no account %s", login)
		}
		if u.name != "" {
			a.Name = u.name
		}
		if u.role != "" {
			a.Role = u.role
		}
		if u.jurisdiction.Level != "" {
			a.Jurisdiction = u.jurisdiction
		}
		if hash != "" {
			a.PasswordHash = hash
		}
		if u.subject != "" {
			a.Subject = u.subject
		}
		if u.disabled != nil {
			a.Disabled = *u.disabled
		}
		return nil
	})
}

// standing is a role and where it applies, on the command line.
type standing struct {
	Jurisdiction string `placeholder:"LEVEL:CODE" help:"Where the role applies: district, street:CODE, village:CODE or department:CODE. 辖区。"`
	Name         string `help:"The person's name. 姓名。"`
	Subject      string `placeholder:"ISSUER SUBJECT" help:"Identity at the single sign-on provider. 单点登录身份。"`
}

func (w *standing) fields() (u userFields, err error) {
	u = userFields{name: w.Name, subject: w.Subject}
	if w.Jurisdiction != "" {
		u.jurisdiction, err = auth.ParseJurisdiction(w.Jurisdiction)
	}
	return u, err
}

type userAddCommand struct {
	Login string `arg:"" help:"a–z, 0–9, dot, dash, underscore. 账号。"`
	Role  string `required:"" placeholder:"ROLE" help:"What the person is trusted with. 角色。"`
	standing
	passwordFlags
	databaseFlags
}

func (c *userAddCommand) Run(s *session) error {
	u, err := c.fields()
	if err != nil {
		return err
	}
	if u.role, err = auth.ParseRole(c.Role); err != nil {
		return err
	}
	if u.name == "" {
		u.name = c.Login
	}
	if c.Jurisdiction == "" {
		u.jurisdiction = auth.WholeDistrict
	}
	if u.password, err = c.read(s, c.Login); err != nil {
		return err
	}
	return c.withGate(s, false, func(g *auth.Gate) error {
		if err := setUser(s, g, c.Login, u); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "已创建 made: %s, %s, %s\n", c.Login, u.role, u.jurisdiction)
		return nil
	})
}

type userChangeCommand struct {
	Login string `arg:"" help:"Whom. 账号。"`
	Role  string `placeholder:"ROLE" help:"What the person is trusted with. 角色。"`
	standing
	databaseFlags
}

func (c *userChangeCommand) Run(s *session) error {
	u, err := c.fields()
	if err != nil {
		return err
	}
	if c.Role != "" {
		if u.role, err = auth.ParseRole(c.Role); err != nil {
			return err
		}
	}
	return c.change(s, c.Login, u, "已修改 changed")
}

func (d *databaseFlags) change(s *session, login string, u userFields, said string) error {
	u.existing = true
	return d.withGate(s, true, func(g *auth.Gate) error {
		if err := setUser(s, g, login, u); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s: %s\n", said, login)
		return nil
	})
}

type userPasswordCommand struct {
	Login string `arg:"" help:"Whose. 账号。"`
	passwordFlags
	databaseFlags
}

func (c *userPasswordCommand) Run(s *session) error {
	password, err := c.read(s, c.Login)
	if err != nil {
		return err
	}
	return c.change(s, c.Login, userFields{password: password}, "密码已重设 password set")
}

type userDisableCommand struct {
	Login string `arg:"" help:"Whom. 账号。"`
	databaseFlags
}

func (c *userDisableCommand) Run(s *session) error {
	return c.change(s, c.Login, userFields{disabled: new(true)}, "已停用 disabled")
}

type userEnableCommand struct {
	Login string `arg:"" help:"Whom. 账号。"`
	databaseFlags
}

func (c *userEnableCommand) Run(s *session) error {
	return c.change(s, c.Login, userFields{disabled: new(false)}, "已启用 enabled")
}

type userListCommand struct {
	JSON bool `help:"Print JSON. 输出 JSON。"`
	databaseFlags
}

func (c *userListCommand) Run(s *session) error {
	return c.withGate(s, true, func(g *auth.Gate) error {
		all, err := g.Accounts(s.ctx, operator())
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, all)
		}
		for _, a := range all {
			state := ""
			if a.Disabled {
				state = "  已停用 disabled"
			}
			fmt.Fprintf(s.out, "%s  %s  %s  %s%s\n", left(a.Login, 16), left(string(a.Role), 18), left(a.Jurisdiction.String(), 24), a.Name, state)
		}
		return nil
	})
}
