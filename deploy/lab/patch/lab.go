package patch

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// OpenLab opens the panel of a lab that runs, from outside it.
func OpenLab(lab state.Lab) (*Panel, error) {
	running, err := lab.Process.Running()
	if err != nil {
		return nil, err
	}
	if !running {
		return nil, fmt.Errorf("lab %s does not run", lab.Name)
	}
	nodes, err := lab.Nodes()
	if err != nil {
		return nil, err
	}
	var places []Place
	for _, n := range nodes {
		if n.Role != "" || n.Host {
			places = append(places, Place{Name: n.Name, Host: n.Host, Namespace: lab.Namespace(n)})
		}
	}
	panel, err := Open(lab.OwnNamespace(), places)
	if err != nil {
		return nil, fmt.Errorf("cables of lab %s: %w", lab.Name, err)
	}
	return panel, nil
}

// Look is the Status of a lab that runs.
func Look(lab state.Lab) ([]Status, error) {
	panel, err := OpenLab(lab)
	if err != nil {
		return nil, err
	}
	defer panel.Close()
	return panel.Status()
}

// Table is one line for each cable, and for each end whose cable is pulled.
func Table(all []Status) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, s := range all {
		switch {
		case s.Far == cabling.End{}:
			fmt.Fprintf(table, "%s\t-\tpulled\n", s.End)
		case s.End.Compare(s.Far) < 0:
			fmt.Fprintf(table, "%s\t%s\t%s\n", s.End, s.Far, carrier(s.Carrier))
		}
	}
	table.Flush() // to memory
	return text.String()
}

func carrier(up bool) string {
	if up {
		return "up"
	}
	return "down"
}
