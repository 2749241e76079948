package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/cni/protocol"
)

// A runtime reads what an error says, whatever characters that has.
func TestFailureIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "message")
		var got struct {
			CNIVersion, Msg string
			Code            int
		}
		body := protocol.Failure(nil, errors.New(text)).Body
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		plain, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var want string
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if got.Msg != want || got.Code != protocol.CodeFailed || got.CNIVersion != protocol.Newest {
			t.Fatalf("%s is read as %+v", body, got)
		}
	})
}

// The version is found wherever it is in a configuration, and nowhere else.
func TestVersion(t *testing.T) {
	for config, want := range map[string]string{
		`{"cniVersion":"0.3.1"}`:                                                         "0.3.1",
		"{ \"name\" : \"a\" ,\n\t\"cniVersion\" :\t\"1.0.0\" }":                          "1.0.0",
		`{"prevResult":{"cniVersion":"0.3.0"},"cniVersion":"0.4.0"}`:                     "0.4.0",
		`{"cniVersion":"0.4.0","prevResult":{"cniVersion":"0.3.0"}}`:                     "0.4.0",
		`{"plugins":[{"cniVersion":"0.3.0"}]}`:                                           protocol.Newest,
		`{"name":"cniVersion","x":"0.4.0"}`:                                              protocol.Newest,
		`{"name":"\"cniVersion\":\"0.3.0\"","cniVersion":"0.4.0"}`:                       "0.4.0",
		`{"a\\":"\\","cniVersion":"0.4.0"}`:                                              "0.4.0",
		`{"cniVersion":["0.3.0"]}`:                                                       protocol.Newest,
		`{"cniVersion":4}`:                                                               protocol.Newest,
		`{"cniVersion":"9.9.9"}`:                                                         protocol.Newest,
		`{"cniVersion":"0.3.0","n":[1,{"a":null},true],"m":-1.5e3,"cniVersion":"1.0.0"}`: "1.0.0",
		``: protocol.Newest,
	} {
		if got := protocol.Version([]byte(config)); got != want {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	}
}

// Of what is JSON, package encoding/json reads the same version.
func FuzzVersion(f *testing.F) {
	f.Add([]byte(`{"cniVersion":"0.3.1","a":{"cniVersion":"1.0.0"},"b":["cniVersion","0.4.0"]}`))
	f.Add([]byte(`{"a":"\\\"","cniVersion":"1.0.0"}`))
	f.Add([]byte(`"`))
	f.Fuzz(func(t *testing.T, config []byte) {
		got := protocol.Version(config)
		var members map[string]any
		if json.Unmarshal(config, &members) != nil || bytes.Contains(config, []byte(`\u`)) || bytes.Count(config, []byte("cniVersion")) > 1 {
			return // no runtime writes it in escapes, or twice
		}
		want, _ := members["cniVersion"].(string)
		if !slices.Contains(protocol.Supported(), want) {
			want = protocol.Newest
		}
		if got != want {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	})
}
