// Package serve lets others test who reaches whom, by HTTP and JSON: it runs where the
// hosts' network namespaces are.
//
//	PUT    /endpoints  a Scene: these endpoints are there from now on
//	POST   /probe      a ProbeRequest: ask everyone for everyone, once
//	POST   /watch      a WatchRequest: send all the time
//	GET    /watch      what the watch has seen so far
//	DELETE /watch      end it, and what it has seen
package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
	"github.com/switchlet/switchlet/deploy/lab/matrix/probe"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

const (
	// maxBody bounds what is read of a request: 200 endpoints, and all their pairs.
	maxBody     = 8 << 20
	maxPatience = time.Minute
	patience    = 5 * time.Second
	rate        = 20
)

// Config is what a Server needs.
type Config struct {
	Log *slog.Logger
	// Namespace is the path of a host's network namespace, for endpoints that come
	// without; nil if they all come with it.
	Namespace func(host string) (string, error)
	// Pod is the same for a pod, by namespace/name.
	Pod func(host, pod string) (string, error)
}

// Server is a handler. Its endpoints are there until Close.
type Server struct {
	cfg Config
	mux *http.ServeMux

	// mu is held while endpoints are set, and while they are used by a probe.
	mu     sync.Mutex
	plugs  *plug.Plugs
	name   string
	expect matrix.Expectation
	watch  *watch.Watch
	run    uint32
}

// New has no endpoints yet.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, mux: http.NewServeMux(), plugs: plug.New(cfg.Log), expect: matrix.Expectation{}, run: rand.Uint32()}
	s.mux.HandleFunc("PUT /endpoints", handle(s.setEndpoints))
	s.mux.HandleFunc("POST /probe", handle(s.probe))
	s.mux.HandleFunc("POST /watch", handle(s.startWatch))
	s.mux.HandleFunc("GET /watch", handle(s.report))
	s.mux.HandleFunc("DELETE /watch", handle(s.stopWatch))
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends a watch and takes all endpoints away.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.watch != nil {
		_, err = s.watch.Stop()
		s.watch = nil
	}
	return errors.Join(err, s.plugs.Close())
}

// failure is an error with a status of HTTP.
type failure struct {
	status int
	error
}

func (f failure) Unwrap() error { return f.error }

func fail(status int, format string, args ...any) error {
	return failure{status, fmt.Errorf(format, args...)}
}

// handle decodes the request, of which GET and DELETE have none, and encodes the answer.
func handle[Q, A any](do func(*http.Request, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request Q
		var answer A
		var err error
		if r.Method == http.MethodPut || r.Method == http.MethodPost {
			decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
			decoder.DisallowUnknownFields()
			if err = decoder.Decode(&request); err != nil {
				err = fail(http.StatusBadRequest, "read the request: %w", err)
			}
		}
		if err == nil {
			answer, err = do(r, request)
		}
		if err != nil {
			status := http.StatusInternalServerError
			if f := (failure{}); errors.As(err, &f) {
				status = f.status
			}
			http.Error(w, err.Error(), status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // the client went away
	}
}

func (s *Server) setEndpoints(_ *http.Request, scene Scene) (Nothing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	expect := matrix.Expectation{}
	for _, pair := range scene.Reach {
		expect[pair] = true
	}
	if err := s.locate(scene.Endpoints); err != nil {
		return Nothing{}, fail(http.StatusUnprocessableEntity, "%w", err)
	}
	s.name, s.expect = scene.Name, expect
	err := s.plugs.Set(scene.Endpoints)
	if s.watch != nil {
		err = errors.Join(err, s.watch.Set(s.name, s.plugs.Rooms(), expect))
	}
	if err != nil {
		return Nothing{}, fail(http.StatusUnprocessableEntity, "%w", err)
	}
	return Nothing{}, nil
}

// locate finds the network namespaces of hosts and pods.
func (s *Server) locate(endpoints []matrix.Endpoint) error {
	for i := range endpoints {
		e := &endpoints[i]
		var err error
		switch {
		case e.Namespace != "":
		case e.Pod != "" && s.cfg.Pod != nil:
			e.Namespace, err = s.cfg.Pod(e.Host, e.Pod)
		case e.Pod == "" && s.cfg.Namespace != nil:
			e.Namespace, err = s.cfg.Namespace(e.Host)
		}
		if err != nil {
			return fmt.Errorf("endpoint %s: %w", e, err)
		}
	}
	return nil
}

func (s *Server) probe(r *http.Request, request ProbeRequest) (ProbeAnswer, error) {
	wait := time.Duration(request.PatienceMS) * time.Millisecond
	if wait == 0 {
		wait = patience
	}
	if wait < 0 || wait > maxPatience {
		return ProbeAnswer{}, fail(http.StatusBadRequest, "patienceMs %d: it has to be from 1 to %d", request.PatienceMS, maxPatience.Milliseconds())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run++
	begin := time.Now()
	seen, err := probe.Run(r.Context(), probe.Config{Rooms: s.plugs.Rooms(), Expect: s.expect, Patience: wait, Run: s.run})
	took := time.Since(begin)
	s.cfg.Log.Info("probed", "questions", len(seen), "took", took, "error", err)
	return ProbeAnswer{Observations: seen, Seconds: took.Seconds()}, err
}

func (s *Server) startWatch(_ *http.Request, request WatchRequest) (Nothing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watch != nil {
		return Nothing{}, fail(http.StatusConflict, "a watch is going on: end it first, by DELETE /watch")
	}
	if request.Rate == 0 {
		request.Rate = rate
	}
	s.run++
	w, err := watch.New(watch.Config{Rate: request.Rate, ForbiddenRate: request.ForbiddenRate, Run: s.run, Keep: request.Keep})
	if err != nil {
		return Nothing{}, fail(http.StatusBadRequest, "%w", err)
	}
	if err := w.Set(s.name, s.plugs.Rooms(), s.expect); err != nil {
		_, stop := w.Stop()
		return Nothing{}, errors.Join(err, stop)
	}
	s.watch = w
	return Nothing{}, nil
}

// errNoWatch says that there is none.
func errNoWatch() error {
	return fail(http.StatusNotFound, "no watch is going on: begin one by POST /watch")
}

func (s *Server) report(*http.Request, Nothing) (watch.Report, error) {
	s.mu.Lock()
	w := s.watch
	s.mu.Unlock()
	if w == nil {
		return watch.Report{}, errNoWatch()
	}
	return w.Report(), nil
}

func (s *Server) stopWatch(*http.Request, Nothing) (watch.Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watch == nil {
		return watch.Report{}, errNoWatch()
	}
	report, err := s.watch.Stop()
	s.watch = nil
	return report, err
}
