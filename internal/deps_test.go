package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "lianqin/"

// onlyIn says which packages alone may import a module or standard package,
// so that what it stands for stays in one place.
var onlyIn = map[string][]string{
	"github.com/gin-gonic/gin":             {"internal/httpapi"},
	"github.com/nats-io/":                  {"internal/bus"},
	"github.com/jackc/pgx/":                {"internal/store"},
	"github.com/pressly/goose/":            {"internal/store"},
	"github.com/klauspost/compress/":       {"internal/store", "internal/casework", "internal/httpapi"},
	"modernc.org/sqlite":                   {"internal/store", "internal/geofile"},
	"database/sql":                         {"internal/store", "internal/geofile"},
	"github.com/twpayne/go-geom":           {"internal/geofile"},
	"github.com/xuri/excelize/":            {"internal/export"},
	"github.com/alecthomas/kong":           {"cmd/lianqin"},
	"github.com/schollz/progressbar/":      {"cmd/lianqin"},
	"flag":                                 {"cmd/lianqin"},
	"github.com/mochi-mqtt/":               {"internal/ingest"},
	"github.com/eclipse/paho.mqtt.golang":  {"internal/simulate"}, // a phone
	"github.com/minio/minio-go/":           {"internal/evidence"},
	"github.com/bep/imagemeta":             {"internal/evidence"},
	"golang.org/x/image/":                  {"internal/evidence", "internal/demo"},
	"github.com/peterstace/simplefeatures": {}, // an oracle in tests
}

// environment are the calls that read settings: those are cmd/lianqin's.
var environment = []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}

// listed are the packages in ARCHITECTURE.md's table, each with the packages
// of ours that it may import. The table is the rule: a package that is not in
// it needs a decision first.
func listed(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]string)
	name := regexp.MustCompile("`([a-z/]+)`")
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		own := name.FindStringSubmatch(cells[1])
		if own == nil {
			t.Fatalf("ARCHITECTURE.md: no package in %q", line)
		}
		out[own[1]] = []string{}
		for _, m := range name.FindAllStringSubmatch(cells[3], -1) {
			out[own[1]] = append(out[own[1]], m[1])
		}
	}
	return out
}

// onDisk are the packages of the repository, with their source files other
// than tests. The benchmarks are a module of their own, and a package whose
// name ends in test is part of the tests.
func onDisk(t *testing.T) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || name == "bench" || strings.HasSuffix(name, "test") || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			out[path.Dir(name)] = append(out[path.Dir(name)], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestArchitectureListsThePackagesThatThereAre(t *testing.T) {
	want := slices.Sorted(maps.Keys(onDisk(t)))
	got := slices.Sorted(maps.Keys(listed(t)))
	for _, p := range want {
		if !slices.Contains(got, p) {
			t.Errorf("%s is missing from the table in ARCHITECTURE.md", p)
		}
	}
	for _, p := range got {
		if !slices.Contains(want, p) {
			t.Errorf("ARCHITECTURE.md lists %s, which is not there", p)
		}
	}
}

func TestImportsPointOneWay(t *testing.T) {
	may := listed(t)
	for pkg, files := range onDisk(t) {
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			for _, im := range f.Imports {
				checkImport(t, pkg, file, strings.Trim(im.Path.Value, `"`), may)
			}
			if pkg != "cmd/lianqin" {
				checkEnvironment(t, file, f)
			}
		}
	}
}

func checkImport(t *testing.T, pkg, file, imported string, may map[string][]string) {
	t.Helper()
	if ours, ok := strings.CutPrefix(imported, module); ok {
		ours = strings.TrimPrefix(ours, "internal/")
		allowed := may[pkg]
		if !slices.Contains(allowed, ours) && !slices.Contains(allowed, "everything") {
			t.Errorf("%s imports %s: ARCHITECTURE.md lets %s import only %v", file, imported, pkg, allowed)
		}
	}
	if strings.HasPrefix(imported, module) && strings.HasSuffix(imported, "test") {
		t.Errorf("%s imports %s, which is for tests", file, imported)
	}
	for prefix, owners := range onlyIn {
		if (imported == prefix || strings.HasPrefix(imported, strings.TrimSuffix(prefix, "/")+"/")) && !slices.Contains(owners, pkg) {
			t.Errorf("%s imports %s: only %v may", file, imported, owners)
		}
	}
}

// checkEnvironment reports calls of package os that read the environment.
func checkEnvironment(t *testing.T, file string, f *ast.File) {
	t.Helper()
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "os" && slices.Contains(environment, s.Sel.Name) {
			t.Errorf("%s reads the environment with os.%s: only cmd/lianqin may", file, s.Sel.Name)
		}
		return true
	})
}
