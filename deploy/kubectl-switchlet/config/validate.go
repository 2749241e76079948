package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/configdb"
	"github.com/switchlet/switchlet/sonic/yang"
)

// ErrInvalid is the error of a configuration that the models do not allow. What
// is wrong is printed already.
var ErrInvalid = errors.New("the configuration is not valid")

// libyang is where libyang keeps the IETF's modules, on a switch and on Debian.
const libyang = "/usr/share/yang/modules/libyang"

const stdinName = "-"

const about = `Check config_db.json files against the YANG models of a switch, as SONiC's own
validator does: what passes here, config reload, config apply-patch and an image
upgrade will take too.

Each violation is one line on the standard output:

  FILE: TABLE|KEY FIELD: RULE: what is wrong, with the value

Tables that the models do not know are not checked; they are named on the standard
error.

Exit status: 0 valid, 1 not valid, 2 no answer (wrong flags, a file that cannot
be read or is no config_db.json, models that cannot be read).`

const examples = `  # on a switch
  kubectl switchlet config validate --yang-dir /usr/local/yang-models /etc/sonic/config_db.json

  # what is in force on a switch, checked here
  ssh leaf1 sonic-cfggen -d --print-data | kubectl switchlet config validate --yang-dir yang-models -`

type validate struct {
	dirs   []string
	output string
}

func validateCommand() *cobra.Command {
	v := &validate{}
	c := &cobra.Command{
		Use:     "validate --yang-dir DIR [--yang-dir DIR] [-o text|json] FILE...",
		Short:   "Check config_db.json files against YANG models",
		Long:    about,
		Example: examples,
		Args:    cobra.ArbitraryArgs,
		RunE:    func(c *cobra.Command, files []string) error { return v.run(c, files) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	c.Flags().StringArrayVar(&v.dirs, "yang-dir", nil, "folder with the switch's YANG models; a second one is searched for modules that they import, as "+libyang+" always is")
	c.Flags().StringVarP(&v.output, "output", "o", "text", "text or json")
	// Neither fails for flags that exist.
	_ = c.MarkFlagDirname("yang-dir")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (v *validate) run(c *cobra.Command, files []string) error {
	switch {
	case len(v.dirs) == 0:
		return errors.New("--yang-dir is missing: name the folder with the YANG models, on a switch /usr/local/yang-models")
	case v.output != "text" && v.output != "json":
		return fmt.Errorf("--output %q: it must be text or json", v.output)
	case len(files) == 0:
		return errors.New("FILE is missing: name a config_db.json, or - for the standard input")
	}
	schema, err := yang.Load(v.dirs[0], append(v.dirs[1:len(v.dirs):len(v.dirs)], libyang)...)
	if err != nil {
		return fmt.Errorf("--yang-dir: %w", err)
	}
	for _, line := range schema.Unchecked() {
		fmt.Fprintf(c.ErrOrStderr(), "note: not checked: %s\n", line)
	}
	var reports []report
	for _, name := range files {
		db, err := read(name, c.InOrStdin())
		if err != nil {
			return err
		}
		checker := yang.NewChecker(schema, db)
		reports = append(reports, newReport(name, checker.Violations(), checker.Unmodelled()))
	}
	return v.print(c, reports)
}

// read reads a file, or the standard input.
func read(name string, stdin io.Reader) (sonic.DB, error) {
	in := stdin
	if name != stdinName {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	db, err := configdb.Decode(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return db, nil
}

func (v *validate) print(c *cobra.Command, reports []report) error {
	if v.output == "json" {
		if err := printJSON(c.OutOrStdout(), reports); err != nil {
			return err
		}
	}
	valid := true
	for _, r := range reports {
		valid = valid && r.Valid
		if v.output == "json" {
			continue
		}
		if err := r.print(c.OutOrStdout()); err != nil {
			return err
		}
		if len(r.Unmodelled) > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "%s: note: not checked, because there is no YANG model: %s\n", r.File, strings.Join(r.Unmodelled, ", "))
		}
	}
	if !valid {
		return ErrInvalid
	}
	return nil
}
