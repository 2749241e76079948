// Command witness is the first process of a pod in tests: it looks at once whether the
// pod has the network that it was promised, says what it found in one line of JSON, and
// waits to be ended. Without its network it ends by itself, which makes the pod fail.
//
//	witness eth0 net1
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// testimony is what a process found when it started.
type testimony struct {
	// Addresses of each interface that has to be there.
	Addresses map[string][]string `json:"addresses"`
	// Gateway of the default route, and how long it took to answer.
	Gateway    string  `json:"gateway,omitempty"`
	AnsweredMS float64 `json:"answeredMs,omitempty"`
	// Missing is what is not there.
	Missing string `json:"missing,omitempty"`
}

// exitMissing is the exit code of a process without its network.
const exitMissing = 3

// patience is how long the gateway may take. Nothing is repeated meanwhile but what TCP
// repeats, after a second for the first time.
const patience = 10 * time.Second

func main() {
	t := testimony{Addresses: map[string][]string{}}
	if err := t.look(os.Args[1:]); err != nil {
		t.Missing = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(t); err != nil || t.Missing != "" {
		os.Exit(exitMissing)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	<-signals
}

// look looks for interfaces with addresses, and for the gateway.
func (t *testimony) look(interfaces []string) error {
	for _, name := range interfaces {
		link, err := net.InterfaceByName(name)
		if err != nil {
			return fmt.Errorf("interface %s: %w", name, err)
		}
		addresses, err := link.Addrs()
		if err != nil {
			return fmt.Errorf("interface %s: %w", name, err)
		}
		for _, a := range addresses {
			if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
				t.Addresses[name] = append(t.Addresses[name], ip.IP.String())
			}
		}
		if len(t.Addresses[name]) == 0 || link.Flags&net.FlagRunning == 0 {
			return fmt.Errorf("interface %s: it has the addresses %v and flags %s", name, addresses, link.Flags)
		}
	}
	return t.ask()
}

// errNoAnswer says that the gateway is not there.
var errNoAnswer = errors.New("no answer from the gateway")

// ask asks the gateway at a port that nobody listens at: whoever is there says so.
func (t *testimony) ask() error {
	text, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return err
	}
	gateway := defaultGateway(string(text))
	if gateway == nil {
		return fmt.Errorf("%w: there is no default route", errNoAnswer)
	}
	t.Gateway = gateway.String()
	begin := time.Now()
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(t.Gateway, "9"), patience)
	t.AnsweredMS = float64(time.Since(begin).Microseconds()) / 1000
	if err == nil {
		return conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return nil
}
