package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// maxAnswer bounds what is read of an answer: the observations of 100 endpoints.
const maxAnswer = 64 << 20

// Client asks a Server.
type Client struct {
	// URL of the server, such as http://198.18.1.2:8080/matrix.
	URL string
	// HTTP is used for that.
	HTTP *http.Client
}

// Set makes the endpoints what the scene says.
func (c *Client) Set(ctx context.Context, name string, endpoints []matrix.Endpoint, expect matrix.Expectation) error {
	scene := Scene{Name: name, Endpoints: endpoints, Reach: []matrix.Pair{}}
	if scene.Endpoints == nil {
		scene.Endpoints = []matrix.Endpoint{}
	}
	for pair, reach := range expect {
		if reach {
			scene.Reach = append(scene.Reach, pair)
		}
	}
	slices.SortFunc(scene.Reach, matrix.Pair.Compare)
	return c.do(ctx, http.MethodPut, "/endpoints", scene, nil)
}

// Probe asks everyone for everyone.
func (c *Client) Probe(ctx context.Context, patience time.Duration) (ProbeAnswer, error) {
	var answer ProbeAnswer
	err := c.do(ctx, http.MethodPost, "/probe", ProbeRequest{PatienceMS: int(patience.Milliseconds())}, &answer)
	return answer, err
}

// Watch begins a watch.
func (c *Client) Watch(ctx context.Context, request WatchRequest) error {
	return c.do(ctx, http.MethodPost, "/watch", request, nil)
}

// Report is what the watch has seen so far.
func (c *Client) Report(ctx context.Context) (watch.Report, error) {
	var report watch.Report
	err := c.do(ctx, http.MethodGet, "/watch", nil, &report)
	return report, err
}

// Stop ends the watch.
func (c *Client) Stop(ctx context.Context) (watch.Report, error) {
	var report watch.Report
	err := c.do(ctx, http.MethodDelete, "/watch", nil, &report)
	return report, err
}

func (c *Client) do(ctx context.Context, method, path string, request, answer any) error {
	var body io.Reader
	if request != nil {
		text, err := json.Marshal(request)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.URL+path, body)
	if err != nil {
		return err
	}
	response, err := c.HTTP.Do(r)
	if err != nil {
		return fmt.Errorf("ask the lab's matrix: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s%s: %w", method, c.URL, path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s%s: %s: %s", method, c.URL, path, response.Status, strings.TrimSpace(string(text)))
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s %s%s: %w", method, c.URL, path, err)
	}
	return nil
}
