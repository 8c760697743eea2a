package main

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestAccountsOnTheCommandLine makes, changes and disables accounts, and reads
// what the audit chain keeps of it.
func TestAccountsOnTheCommandLine(t *testing.T) {
	db := "--database=sqlite:" + filepath.Join(t.TempDir(), "lianqin.db")
	password := strings.NewReader
	const secret = "correct horse battery"
	for _, tt := range []struct {
		code     int
		in, args string
		says     string
	}{
		{exitInput, "", "user list", "lianqin.db"},
		{exitUsage, "", "user add admin --role administrator", "--password-stdin"},
		{exitInput, "short\n", "user add admin --role administrator --password-stdin", "at least 10"},
		{exitInput, secret, "user add admin --role king --password-stdin", "king"},
		{exitInput, secret, "user add admin --role administrator --jurisdiction town:1 --password-stdin", "town"},
		{exitDone, secret + "\n", "user add admin --role administrator --password-stdin", "admin, administrator, district"},
		{exitInput, secret, "user add admin --role administrator --password-stdin", "already"},
		{exitDone, secret, "user add wang --role street-operator --jurisdiction street:310114004 --name 王五 --password-stdin", "street:310114004"},
		{exitDone, "another long one", "user password wang --password-stdin", "wang"},
		{exitInput, "another long one", "user password li --password-stdin", "li"},
		{exitDone, "", "user change wang --role planner --jurisdiction district", "wang"},
		{exitDone, "", "user disable wang", "wang"},
		{exitInput, "", "user disable admin", "last administrator"},
		{exitDone, "", "user list", "停用"},
		{exitDone, "", "audit verify", "完整 whole: 5 "},
		{exitDone, "", "audit list --action account.create", "account.create"},
	} {
		got := must(t, tt.code, password(tt.in), append(strings.Fields(tt.args), db)...)
		if !strings.Contains(got.out+got.err, tt.says) {
			t.Errorf("%s says %q, %q; want %q", tt.args, got.out, got.err, tt.says)
		}
		if strings.Contains(got.out+got.err, secret) {
			t.Errorf("%s shows the password", tt.args)
		}
	}
	list := must(t, exitDone, nil, "audit", "list", "--json", db).out
	if strings.Count(list, "\n") != 5 || strings.Contains(list, "argon2id") || !strings.Contains(list, `"address":"local"`) {
		t.Errorf("audit list: %s", list)
	}
}

// TestDemoMakesAnAdministrator starts the demonstration twice: the password is
// told at the first start alone.
func TestDemoMakesAnAdministrator(t *testing.T) {
	db := filepath.Join(t.TempDir(), "demo.db")
	told := regexp.MustCompile(`admin .*password.*: (\w{26})`)
	for i := range 2 {
		out := started(t, "demo", "--no-cases", "--listen", "127.0.0.1:0", "--database", "sqlite:"+db)
		if told.MatchString(out) != (i == 0) || !strings.Contains(out, "417") {
			t.Errorf("start %d says %q", i+1, out)
		}
	}
	b, err := os.ReadFile(db)
	if err != nil || strings.Contains(string(b), "lqs_") {
		t.Errorf("the database holds a secret: %v", err)
	}
}

// started runs a command that serves until it is ready, stops it, and returns
// what it printed.
func started(t *testing.T, args ...string) string {
	t.Helper()
	c := program(t, args...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	var all strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "ready") {
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	return all.String()
}
