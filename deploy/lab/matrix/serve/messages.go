package serve

import "github.com/switchlet/switchlet/deploy/lab/matrix"

// Scene is which endpoints there are and who has to reach whom.
type Scene struct {
	// Name of the epoch that a watch begins with it.
	Name      string            `json:"name"`
	Endpoints []matrix.Endpoint `json:"endpoints"`
	// Reach are the pairs that have to reach each other; all others must not.
	Reach []matrix.Pair `json:"reach"`
}

// ProbeRequest asks everyone for everyone.
type ProbeRequest struct {
	// PatienceMS is how long an answer that is expected is waited for, in
	// milliseconds; 0 for 5 seconds.
	PatienceMS int `json:"patienceMs,omitempty"`
}

// ProbeAnswer is what was seen.
type ProbeAnswer struct {
	Observations []matrix.Observation `json:"observations"`
	// Seconds that it took.
	Seconds float64 `json:"seconds"`
}

// WatchRequest begins a watch.
type WatchRequest struct {
	// Rate in packets a second and flow; 0 for 20.
	Rate float64 `json:"rate,omitempty"`
	// ForbiddenRate is that to each who must not be reached; 0 for the same.
	ForbiddenRate float64 `json:"forbiddenRate,omitempty"`
	// Keep is that of watch.Config.
	Keep bool `json:"keep,omitempty"`
}

// Nothing is an empty request or answer.
type Nothing struct{}
