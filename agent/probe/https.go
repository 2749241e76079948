package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// HTTPS asks an API server, such as https://10.0.0.1:6443, for /readyz by a
// connection of its own: one that is kept alive can seem sound for minutes after
// the path is cut. tls is that of the rest.Config; proxies of the environment
// count as for every other connection.
//
// It is about the path, not about the server's health or the agent's rights: any
// answer will do, apart from a gateway's that it has nobody behind it.
func HTTPS(server string, config *tls.Config) func(context.Context) error {
	url := strings.TrimSuffix(server, "/") + "/readyz"
	return func(ctx context.Context) error {
		transport := &http.Transport{
			TLSClientConfig: config.Clone(), Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
		}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		answer, err := transport.RoundTrip(request)
		if err != nil {
			return fmt.Errorf("GET %s: %w", url, err)
		}
		defer answer.Body.Close()
		// The rest tells nothing, but an end in the middle would.
		if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)); err != nil {
			return fmt.Errorf("GET %s: %w", url, err)
		}
		switch answer.StatusCode {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return fmt.Errorf("GET %s: %s", url, answer.Status)
		}
		return nil
	}
}
