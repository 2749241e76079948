package docker

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// spoken is the API version that this package is written to: 1.41, of Docker
// 20.10. The part of it that is used has not changed since 1.22.
const spoken = 41

// api is the prefix of paths in a version of the API that the daemon speaks. It
// is asked each time: Docker may have become another one.
func (e *Engine) api(ctx context.Context) (string, error) {
	var is struct {
		Oldest string `json:"MinAPIVersion"`
		Newest string `json:"ApiVersion"`
	}
	if err := e.call(ctx, http.MethodGet, "/version", nil, &is); err != nil {
		return "", err
	}
	return prefix(is.Oldest, is.Newest)
}

// prefix is of the version that is spoken here, or the nearest that the daemon
// has: Docker 29 refuses those before 1.44, Docker 19 those after 1.40.
func prefix(oldest, newest string) (string, error) {
	from, err := minor(oldest)
	if err != nil {
		return "", err
	}
	to, err := minor(newest)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("/v1.%d", min(max(spoken, from), to)), nil
}

func minor(version string) (int, error) {
	text, found := strings.CutPrefix(version, "1.")
	n, err := strconv.Atoi(text)
	if !found || err != nil || n < 0 {
		return 0, fmt.Errorf("the daemon's API has version %q, want 1.N", oneLine(version))
	}
	return n, nil
}
