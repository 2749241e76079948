package rack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/node/control"
	"github.com/switchlet/switchlet/deploy/lab/patch"
	"github.com/switchlet/switchlet/deploy/lab/state"
	"github.com/switchlet/switchlet/deploy/lab/upgrade"
)

// maxAnswer bounds what is read of an answer: a cable takes some 100 bytes.
const maxAnswer = 16 << 20

// Client speaks to a rack.
type Client struct {
	address netip.AddrPort
	token   string
}

// NewClient is a client of the rack at an address.
func NewClient(address netip.AddrPort, token string) Client { return Client{address, token} }

// Of is a client of the rack of a lab that runs.
func Of(lab state.Lab) (Client, error) {
	running, err := lab.Process.Running()
	if err != nil {
		return Client{}, err
	}
	if !running {
		return Client{}, fmt.Errorf("lab %s does not run", lab.Name)
	}
	token, err := os.ReadFile(lab.TokenFile())
	return NewClient(Address(lab), string(token)), err
}

// Address is where the rack of a lab answers.
func Address(lab state.Lab) netip.AddrPort {
	plan := network.NewPlan(lab.Subnet)
	if lab.UML {
		return netip.AddrPortFrom(plan.Rack().Addr(), Port)
	}
	return netip.AddrPortFrom(plan.ControlPlane().Addr(), Port)
}

// URL is the root of everything that the rack serves; HTTP shows the token.
func (c Client) URL() string { return "http://" + c.address.String() }

// HTTP is a client that shows the token.
func (c Client) HTTP() *http.Client { return &http.Client{Transport: c} }

// RoundTrip sends a request with the token.
func (c Client) RoundTrip(request *http.Request) (*http.Response, error) {
	shown := request.Clone(request.Context())
	shown.Header.Set("Authorization", "Bearer "+c.token)
	return http.DefaultTransport.RoundTrip(shown)
}

// Cables are all ends that have a link.
func (c Client) Cables(ctx context.Context) ([]patch.Status, error) {
	text, err := c.do(ctx, http.MethodGet, "/cables")
	if err != nil {
		return nil, err
	}
	var all []patch.Status
	return all, json.Unmarshal(text, &all)
}

// Change does what patch.Panel's methods Move, Plug and Pull do: verb is one of their
// names in lower case.
func (c Client) Change(ctx context.Context, verb string, ends ...cabling.End) error {
	query := url.Values{}
	for _, end := range ends {
		query.Add("end", end.String())
	}
	_, err := c.do(ctx, http.MethodPost, "/cables/"+url.PathEscape(verb)+"?"+query.Encode())
	return err
}

// SetLink switches the link at an end on or off.
func (c Client) SetLink(ctx context.Context, end cabling.End, up bool) error {
	state := map[bool]string{true: "up", false: "down"}[up]
	_, err := c.do(ctx, http.MethodPost, "/links/"+url.PathEscape(end.Node)+"/"+url.PathEscape(end.Port)+"/"+state)
	return err
}

// Go tells a node to go on, see node.Start.
func (c Client) Go(ctx context.Context, node string) error {
	_, err := c.do(ctx, http.MethodPost, "/nodes/"+url.PathEscape(node)+"/go")
	return err
}

// Reboot takes the power from a host and gives it back, and returns its process id in the
// rack.
func (c Client) Reboot(ctx context.Context, node string) (pid int, err error) {
	text, err := c.do(ctx, http.MethodPost, "/nodes/"+url.PathEscape(node)+"/reboot")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

// Node does things in a node.
func (c Client) Node(name string) control.Client {
	return control.Client{Dial: func(ctx context.Context) (net.Conn, error) { return c.Dial(ctx, name, control.Socket) }}
}

// Dial connects to a Unix socket in a node.
func (c Client) Dial(ctx context.Context, node, socket string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.address.String())
	if err != nil {
		return nil, err
	}
	query := url.Values{"socket": {socket}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+"/nodes/"+url.PathEscape(node)+"/dial?"+query.Encode(), nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	return upgrade.Request(conn, request)
}

func (c Client) do(ctx context.Context, method, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.URL()+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		// What the rack says is for people, and says by itself what it is about.
		return nil, errors.New(strings.TrimSpace(string(bytes.TrimSpace(text))))
	}
	return text, nil
}
