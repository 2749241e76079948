// Package probe answers one question: does what worked before a change still
// work after it? It asks SONiC for uplinks, BGP sessions and LLDP neighbours,
// and the API server whether it can be reached from this switch.
//
//	before := prober.Baseline(ctx, rows)
//	… the change is written …
//	watch := probe.NewWatch(probe.Rules{}, probe.Working(before), time.Now())
//	watch.Observe(time.Now(), prober.Check(ctx, watch.Names())) → Undecided, Confirm or Revert
//
// A probe that cannot be asked, such as when Redis is away, is Unknown. That
// says nothing: after a change it neither takes it back nor confirms it, and
// what is Unknown before a change is not watched.
package probe
