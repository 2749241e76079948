package converge

import (
	"time"

	"github.com/switchlet/switchlet/agent/report"
)

// measure shows the facts as metrics.
func (c *Converger) measure(f report.Facts) {
	m := c.cfg.Metrics
	if f.Inventory != nil {
		m.Info.Only(1, c.cfg.AgentVersion, f.Inventory.NOSVersion)
	}
	if f.AppliedRevision != "" {
		m.Revision.Only(1, f.AppliedRevision)
	}
	bad := 0.0
	if f.BadRevision != "" {
		bad = 1
	}
	m.BadRevision.Set(bad)
	owners := map[string]bool{}
	for _, problem := range f.Problems {
		owners[problem.Owner.String()] = true
	}
	m.Quarantined.Set(float64(len(owners)))
	if t := f.LastChange; t != nil {
		for stage, microseconds := range map[string]int64{"render": t.Render, "read": t.Read, "diff": t.Diff, "write": t.Write, "wait": t.Wait} {
			m.LastChange.Set((time.Duration(microseconds) * time.Microsecond).Seconds(), stage)
		}
	}
}

// measureRows counts the agent's rows.
func (c *Converger) measureRows() {
	rows := map[string]float64{}
	for key := range c.cfg.Store.Ledger() {
		rows[key.Table]++
	}
	c.cfg.Metrics.OwnedRows.Replace(rows)
}
