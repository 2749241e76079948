package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// Result is one figure. Names stay the same from run to run, so that results
// can be compared.
type Result struct {
	Name string `json:"name"`
	// Unit of P50, P99 and Floor: "ms", "MiB", or "Gbit/s", of which more is better.
	Unit string  `json:"unit"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	// Floor is the rival or the limit that was measured in the same run.
	Floor float64 `json:"floor"`
	// Ratio is P50 / Floor.
	Ratio float64 `json:"ratio"`
	// About says what the figure and its floor are.
	About string `json:"about"`
}

// durations makes a result of samples in milliseconds. The floor's median
// counts.
func durations(name, about string, samples, floor []time.Duration) Result {
	r := Result{Name: name, Unit: "ms", About: about, P50: ms(quantile(samples, 0.5)), P99: ms(quantile(samples, 0.99)), Floor: ms(quantile(floor, 0.5))}
	r.Ratio = r.P50 / r.Floor
	return r
}

// rates makes a result of samples in Gbit/s.
func rates(name, about string, samples, floor []float64) Result {
	of := func(all []float64, at int) float64 { return slices.Sorted(slices.Values(all))[at] }
	r := Result{Name: name, Unit: "Gbit/s", About: about, P50: of(samples, len(samples)/2), P99: of(samples, 0), Floor: of(floor, len(floor)/2)}
	r.Ratio = r.P50 / r.Floor
	return r
}

// quantile is the smallest sample that at least the fraction q of all reach.
func quantile(samples []time.Duration, q float64) time.Duration {
	s := slices.Sorted(slices.Values(samples))
	i := int(q*float64(len(s))+0.999999) - 1
	return s[max(0, min(i, len(s)-1))]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func printTable(w io.Writer, results []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "name\tp50\tp99\tunit\tfloor\tratio\t  what")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%s\t%.2f\t%.2f\t  %s\n", r.Name, r.P50, r.P99, r.Unit, r.Floor, r.Ratio, r.About)
	}
	return t.Flush()
}

func writeJSON(file string, results []Result) error {
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}
