// Command bench measures what Switchlet promises about speed, each figure
// beside its floor or a limit, both from the same run on the same machine. It
// prints a table and writes bench.json.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// benchmark is one thing to measure; it may give several results.
type benchmark struct {
	name string
	run  func(ctx context.Context, dir string) ([]Result, error)
}

func main() {
	out := flag.String("o", "bench.json", "file for the results as JSON")
	only := flag.String("only", "", "comma-separated names: run only these benchmarks")
	flag.Parse()
	ctrl.SetLogger(logr.Discard()) // what is measured in this process would speak in between
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, out, only string) error {
	var results []Result
	for _, b := range []benchmark{
		{"plan", measurePlan},
		{"topology", measureTopology},
		{"yang", measureYANG},
		{"redis", measureRedis},
		{"markers", measureMarkers},
		{"fabric", measureFabric},
		{"agent", measureAgent},
		{"cni", measureCNI},
		{"bound", measureBound},
		{"throughput", measureThroughput},
	} {
		if only != "" && !strings.Contains(","+only+",", ","+b.name+",") {
			continue
		}
		fmt.Fprintf(w, "measuring %s …\n", b.name)
		start := time.Now()
		dir, err := os.MkdirTemp("", "swl-bench")
		if err != nil {
			return err
		}
		r, err := b.run(ctx, dir)
		os.RemoveAll(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		fmt.Fprintf(w, "measured %s in %s\n", b.name, time.Since(start).Round(time.Second))
		results = append(results, r...)
	}
	if err := printTable(w, results); err != nil {
		return err
	}
	return writeJSON(out, results)
}
