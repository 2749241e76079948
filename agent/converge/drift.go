package converge

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/agent/metrics"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// Bounds of what is told of changes by others.
const (
	maxDrift = 64
	// keepDrift is how long what was put back is still told.
	keepDrift = time.Hour
	maxWord   = 256
)

// drift is what others changed of what the agent wrote.
type drift struct {
	settled sonic.DB // the rows that were last wanted and written; nil if that is not known
	writing bool     // a change was begun and has not come to its end
	// policy is what is to become of drift, and meanwhile has the rows that others
	// changed while the agent was writing, as they were before.
	policy    v1alpha1.DriftPolicy
	meanwhile sonic.DB
	// reloaded: SONiC has loaded CONFIG_DB anew, or Redis was away. Rows that are
	// missing since were not deleted by anybody.
	reloaded bool
	rows     map[sonic.Key][]v1alpha1.Drift
	past     []v1alpha1.Drift // what is as wanted again, the newest last
	metric   *metrics.Metric
}

// look compares rows that were read again with what was written.
func (f *drift) look(keys []sonic.Key, all bool, rows sonic.DB, ledger sonic.Ledger, now time.Time) {
	if all {
		keys = slices.Collect(maps.Keys(f.settled))
	}
	for key := range f.rows { // what the agent itself put back was not announced as changed
		keys = append(keys, key)
	}
	for _, key := range keys {
		want, ok := f.settled[key]
		names, own := ledger[key]
		if !ok || !own {
			f.end(key, now)
			continue
		}
		if _, there := rows[key]; !there && f.reloaded && f.rows[key] == nil {
			continue
		}
		f.note(key, different(key, rows, want.Only(names)), now)
	}
	f.reloaded = false
}

// different are the fields of a row that are not as written.
func different(key sonic.Key, rows sonic.DB, want sonic.Fields) []v1alpha1.Drift {
	have, there := rows[key]
	row := v1alpha1.Drift{Table: cut(key.Table), Key: cut(key.Name)}
	if !there {
		return []v1alpha1.Drift{row}
	}
	var changed []v1alpha1.Drift
	for _, field := range want {
		if value, _ := have.Get(field.Name); value != field.Value {
			row.Field, row.Have, row.Want = cut(field.Name), cut(value), cut(field.Value)
			changed = append(changed, row)
		}
	}
	return changed
}

// note takes over how a row differs now.
func (f *drift) note(key sonic.Key, found []v1alpha1.Drift, now time.Time) {
	if len(found) == 0 {
		f.end(key, now)
		return
	}
	if f.rows == nil {
		f.rows = map[sonic.Key][]v1alpha1.Drift{}
	}
	known := f.rows[key]
	for i := range found {
		found[i].Since = metav1.NewTime(now.Truncate(time.Second))
		old := slices.IndexFunc(known, func(d v1alpha1.Drift) bool { return d.Field == found[i].Field && d.Have == found[i].Have })
		if old >= 0 {
			found[i].Since = known[old].Since
		} else {
			f.metric.Add(1, key.Table)
		}
	}
	f.rows[key] = found
}

// end says that a row is as wanted.
func (f *drift) end(key sonic.Key, now time.Time) {
	reverted := metav1.NewTime(now.Truncate(time.Second))
	for _, d := range f.rows[key] {
		d.RevertedAt = &reverted
		f.past = append(f.past, d)
	}
	delete(f.rows, key)
}

// list is what is told: what is not as wanted, then what was put back lately.
func (f *drift) list(now time.Time) []v1alpha1.Drift {
	f.past = slices.DeleteFunc(f.past, func(d v1alpha1.Drift) bool { return now.Sub(d.RevertedAt.Time) > keepDrift })
	f.past = f.past[max(0, len(f.past)-maxDrift):]
	var all []v1alpha1.Drift
	for _, key := range slices.SortedFunc(maps.Keys(f.rows), sonic.Key.Compare) {
		all = append(all, f.rows[key]...)
	}
	newest := slices.Clone(f.past)
	slices.SortStableFunc(newest, func(a, b v1alpha1.Drift) int {
		return cmp.Or(b.RevertedAt.Compare(a.RevertedAt.Time), strings.Compare(a.Table+a.Key+a.Field, b.Table+b.Key+b.Field))
	})
	all = append(all, newest...)
	return all[:min(len(all), maxDrift)]
}

// left are the rows that are not to be put back, as they are wanted: what
// depends on them stays too.
func (f *drift) left() sonic.Stuck {
	if f.policy != v1alpha1.DriftReport || len(f.rows) == 0 {
		return nil
	}
	left := sonic.Stuck{}
	for key := range f.rows {
		fields, ok := f.meanwhile[key]
		if !ok {
			fields = f.settled[key]
		}
		left[key] = sonic.StuckRow{Fields: fields}
	}
	return left
}

// disturbed takes note of rows that others changed while the agent was writing:
// half of what is wanted is there then, so that they are compared with what they
// were before.
func (f *drift) disturbed(keys []sonic.Key, before, rows sonic.DB, ledger sonic.Ledger, now time.Time) {
	for _, key := range keys {
		was, there := before[key]
		names, own := ledger[key]
		if !own || !there {
			continue
		}
		if known, again := f.meanwhile[key]; again {
			was = known
		}
		found := different(key, rows, was.Only(names))
		if len(found) > 0 && f.meanwhile == nil {
			f.meanwhile = sonic.DB{}
		}
		if f.note(key, found, now); len(found) > 0 {
			f.meanwhile[key] = was.Only(names)
		}
	}
}

// written says that a change came to its end, and what is wanted now.
func (f *drift) written(rows sonic.DB) {
	f.settled, f.writing, f.meanwhile = rows, false, nil
}

// leftAlone are the rows that the agent leaves as they are: daemons do not let go
// of them, or somebody else changed them and nobody wants them back.
func (c *Converger) leftAlone() sonic.Stuck {
	left := c.drift.left()
	if left == nil {
		return c.stuck.rows
	}
	maps.Copy(left, c.stuck.rows)
	return left
}

// lookForDrift compares what Redis announced with what was written. After a
// start, what was written is the last good configuration, unless a change of it
// was begun.
func (c *Converger) lookForDrift(keys []sonic.Key, all bool) {
	f := &c.drift
	f.metric = c.cfg.Metrics.Drift
	if f.settled == nil && c.good != nil && c.cfg.Store.Journal() == nil {
		if wanted, err := c.renderGood(); err == nil {
			f.settled = wanted.Rows
			all = true
		}
	}
	ledger := c.cfg.Store.Ledger()
	if ledger == nil || f.writing {
		return // not known yet which rows are the agent's, or they are half written
	}
	now := time.Now()
	f.look(keys, all, c.session.mirror.Rows(), ledger, now)
	c.tellDrift(now)
}

// tellDrift reports what others changed in CONFIG_DB and in FRR.
func (c *Converger) tellDrift(now time.Time) {
	all := slices.Concat(c.drift.list(now), c.routing.drift.list(now))
	c.facts.Drift = all[:min(len(all), maxDrift)]
}

// cut bounds what comes from the switch to what the API takes.
func cut(s string) string { return cutTo(s, maxWord) }

func cutTo(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "")
	}
	return s
}
