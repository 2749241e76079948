package rack

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/patch"
	"github.com/switchlet/switchlet/deploy/lab/upgrade"
)

// Port at which a rack answers.
const Port = 7020

// Handler answers those who show the token: it lets them be root in every node.
func (r *Rack) Handler(token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cables", r.getCables)
	mux.HandleFunc("POST /cables/{verb}", r.postCables)
	mux.HandleFunc("POST /links/{node}/{port}/{state}", r.postLink)
	mux.HandleFunc("GET /nodes/{node}/dial", r.dial)
	mux.HandleFunc("POST /nodes/{node}/go", r.postGo)
	mux.HandleFunc("POST /nodes/{node}/reboot", r.postReboot)
	mux.Handle("/matrix/", http.StripPrefix("/matrix", serve.New(serve.Config{Log: r.log, Namespace: r.hostNamespace, Pod: r.podNamespace})))
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if subtle.ConstantTimeCompare([]byte(request.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			http.Error(w, "the token of the lab is missing", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, request)
	})
}

// Serve answers at a listener until ctx is done.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s: %w", listener.Addr(), err)
	}
	return nil
}

func (r *Rack) getCables(w http.ResponseWriter, _ *http.Request) {
	var all []patch.Status
	err := r.recable(func(panel *patch.Panel) (err error) {
		all, err = panel.Status()
		return err
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // or nobody listens
}

// postCables finds the ends in the query.
func (r *Rack) postCables(w http.ResponseWriter, request *http.Request) {
	ends, err := parseEnds(request.URL.Query())
	if err == nil {
		err = r.change(request.PathValue("verb"), ends)
	}
	reply(w, err)
}

func parseEnds(query url.Values) ([]cabling.End, error) {
	var ends []cabling.End
	for _, text := range query["end"] {
		end, err := cabling.ParseEnd(text)
		if err != nil {
			return nil, err
		}
		ends = append(ends, end)
	}
	return ends, nil
}

func (r *Rack) postLink(w http.ResponseWriter, request *http.Request) {
	end := cabling.End{Node: request.PathValue("node"), Port: request.PathValue("port")}
	switch state := request.PathValue("state"); state {
	case "up", "down":
		reply(w, r.setLink(end, state == "up"))
	default:
		reply(w, fmt.Errorf("%s: %q is neither up nor down", end, state))
	}
}

// dial connects to a Unix socket in a node.
func (r *Rack) dial(w http.ResponseWriter, request *http.Request) {
	name := request.PathValue("node")
	if err := r.has(name); err != nil {
		reply(w, err)
		return
	}
	there, err := new(net.Dialer).DialContext(request.Context(), "unix", r.socket(name, request.URL.Query().Get("socket")))
	if err != nil {
		reply(w, fmt.Errorf("%s: %w", name, err))
		return
	}
	here, err := upgrade.Accept(w, request)
	if err != nil {
		_ = there.Close()
		return
	}
	upgrade.Join(here, there)
}

// postGo tells a node to go on, see node.Start.
func (r *Rack) postGo(w http.ResponseWriter, request *http.Request) {
	name := request.PathValue("node")
	err := r.has(name)
	if err == nil {
		err = r.Go(name)
	}
	reply(w, err)
}

// postReboot takes the power from a host and gives it back. It answers with the host's
// new process id, see state.Node.
func (r *Rack) postReboot(w http.ResponseWriter, request *http.Request) {
	name := request.PathValue("node")
	// Who does not wait for the answer has the host back all the same.
	if err := r.Reboot(context.WithoutCancel(request.Context()), name); err != nil {
		reply(w, err)
		return
	}
	fmt.Fprint(w, r.Pid(name))
}

// hostNamespace is where the endpoints of a host are made.
func (r *Rack) hostNamespace(name string) (string, error) {
	if err := r.has(name); err != nil {
		return "", err
	}
	return r.Namespace(name), nil
}

// reply says that it is done, or why not.
func reply(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
