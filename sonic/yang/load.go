package yang

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"
)

const (
	maxModelSize = 1 << 20 // bytes; SONiC's models have up to 100 KiB
	maxModels    = 2000    // files in a folder; SONiC has 150
)

// Load reads the models of a folder, which is /usr/local/yang-models on a
// switch: each of its files. Modules that they import and that are not among them
// are looked for in the other folders; on a switch ietf-inet-types and
// ietf-yang-types are libyang's own, in /usr/share/yang/modules/libyang.
//
// A file that cannot be read or is no correct YANG, and an import that is
// nowhere, are errors, as they are for SONiC's own tools: with such a folder none
// of them works, and what a table may contain is not known. What is correct but
// beyond this package is left out of the checks and named by Unchecked.
func Load(dir string, more ...string) (*Schema, error) {
	names, err := modelFiles(dir)
	if err != nil {
		return nil, err
	}
	l := &library{more: more, modules: map[string]*module{}}
	for _, name := range names {
		if err := l.read(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	own := slices.Clone(l.order)
	for i := 0; i < len(l.order); i++ { // grows while imports are found
		if err := l.imports(l.order[i]); err != nil {
			return nil, err
		}
	}
	return compile(l, own)
}

// modelFiles are the names of the models in a folder, in rising order.
func modelFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the YANG models: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".yang") {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("read the YANG models: %s has no file *.yang", dir)
	}
	if len(names) > maxModels {
		return nil, fmt.Errorf("read the YANG models: %s has %d files, more than %d", dir, len(names), maxModels)
	}
	return names, nil
}

// library is the modules that were read.
type library struct {
	more    []string
	modules map[string]*module
	order   []*module
}

// module is one model as it was parsed.
type module struct {
	name, prefix string
	file         string
	body         *yang.Statement
	imported     map[string]*module // by prefix
}

// read reads a file. Of a module that is there twice the first one counts.
func (l *library) read(file string) error {
	statements, err := parseFile(file)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if s.Keyword != "module" && s.Keyword != "submodule" {
			return fmt.Errorf("%s: %s is no module", file, s.Keyword)
		}
		if s.Keyword == "submodule" || l.modules[s.Argument] != nil {
			continue
		}
		m := &module{name: s.Argument, prefix: argument(s, "prefix"), file: file, body: s, imported: map[string]*module{}}
		l.modules[m.name] = m
		l.order = append(l.order, m)
	}
	return nil
}

// imports finds the modules that a module imports.
func (l *library) imports(m *module) error {
	for _, s := range m.body.SubStatements() {
		if s.Keyword != "import" {
			continue
		}
		if l.modules[s.Argument] == nil {
			if err := l.find(s.Argument); err != nil {
				return fmt.Errorf("%s: import %s: %w", m.file, s.Argument, err)
			}
		}
		m.imported[argument(s, "prefix")] = l.modules[s.Argument]
	}
	return nil
}

// find reads a module from the other folders, where files may have a revision in
// their names: ietf-inet-types@2013-07-15.yang. The newest one counts.
func (l *library) find(name string) error {
	for _, dir := range l.more {
		files, err := filepath.Glob(filepath.Join(dir, name+"@*.yang"))
		if err != nil {
			return err
		}
		slices.Sort(files)
		slices.Reverse(files)
		for _, file := range append([]string{filepath.Join(dir, name+".yang")}, files...) {
			err := l.read(file)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if l.modules[name] != nil {
				return nil
			}
		}
	}
	return fmt.Errorf("there is no such module in the folder of the models nor in %q", l.more)
}

func parseFile(name string) ([]*yang.Statement, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxModelSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxModelSize {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxModelSize)
	}
	statements, err := yang.Parse(string(text), name)
	if err != nil {
		return nil, fmt.Errorf("parse a YANG model: %w", err)
	}
	return statements, nil
}

// argument is the argument of the first substatement of a keyword, or nothing.
func argument(s *yang.Statement, keyword string) string {
	if sub := first(s, keyword); sub != nil {
		return sub.Argument
	}
	return ""
}

// first is the first substatement of a keyword, or nil.
func first(s *yang.Statement, keyword string) *yang.Statement {
	for _, sub := range s.SubStatements() {
		if sub.Keyword == keyword {
			return sub
		}
	}
	return nil
}
