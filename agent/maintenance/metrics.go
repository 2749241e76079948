package maintenance

// measure shows a drain as metrics.
func (k *Keeper) measure(s Seen) {
	r, m := k.record, k.cfg.Metrics
	m.DrainAsked.Set(truth(r.wanted(s.Now)))
	m.DrainInForce.Set(truth(r.Level == Shut && r.inForce(s)))
	m.Drained.Set(truth(r.Drained))
	m.DrainPorts.Set(float64(s.Overlay.Off))
	begun := 0.0
	if !r.Begun.IsZero() {
		begun = float64(r.Begun.UnixMilli()) / 1000
	}
	m.DrainStart.Set(begun)
	var rates map[string]float64
	if r.Level == Shut && !r.Drained {
		rates = k.traffic.rates
	}
	m.DrainTraffic.Replace(rates)
}

// truth is 1 for what is so.
func truth(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
