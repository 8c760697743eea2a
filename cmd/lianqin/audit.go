package main

import (
	"encoding/json"
	"fmt"

	"lianqin/internal/auth"
)

type auditCommand struct {
	List   auditListCommand   `cmd:"" help:"List what was done. 列出审计记录。"`
	Verify auditVerifyCommand `cmd:"" help:"Find a changed or missing row. 校验审计链。"`
}

func (*auditCommand) Help() string {
	return `Each row of the record carries a hash over itself and the row before, so that nobody can change one, take one out or put one in unseen. verify exits 3 and names the first row that does not fit. 审计记录逐条链接，篡改、缺失可被发现。

Examples 示例:

  lianqin audit verify
  lianqin audit list --action account.create
  lianqin audit list --json > audit.ndjson`
}

type auditListCommand struct {
	After  int64  `placeholder:"SEQ" help:"Only rows after this one. 起始序号。"`
	Who    string `placeholder:"NAME" help:"Only what this one did. 操作者。"`
	Action string `placeholder:"ACTION" help:"Only this, such as generation.publish. 动作。"`
	JSON   bool   `help:"Print one JSON object a line, with before and after. 输出 NDJSON。"`
	databaseFlags
}

func (c *auditListCommand) Run(s *session) error {
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	return c.withGate(s, true, func(g *auth.Gate) error {
		_, err := g.Audit(s.ctx, auth.AuditQuery{After: c.After, Who: c.Who, Action: c.Action}, func(e auth.Entry) error {
			if c.JSON {
				return enc.Encode(e)
			}
			_, err := fmt.Fprintf(s.out, "%6d  %s  %s  %s  %s  %s\n", e.Seq, shanghai(e.At), left(e.Who, 16), left(e.Address, 15), left(e.Action, 20), e.Subject)
			return err
		})
		return err
	})
}

type auditVerifyCommand struct{ databaseFlags }

func (c *auditVerifyCommand) Run(s *session) error {
	return c.withGate(s, true, func(g *auth.Gate) error {
		head, err := g.VerifyAudit(s.ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "完整 whole: %d 条 rows, 末条哈希 head %s\n", head.Seq, head.Hash)
		return err
	})
}
