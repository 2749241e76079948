package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/cni/protocol"
)

// Whatever is sent arrives.
func TestRequestsArrive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 40, -1)
		sent := protocol.Request{
			Command: text.Draw(t, "command"), ContainerID: text.Draw(t, "container"), Netns: text.Draw(t, "netns"),
			IfName: text.Draw(t, "ifname"), Args: text.Draw(t, "args"), Config: rapid.SliceOf(rapid.Byte()).Draw(t, "config"),
		}
		payload, err := protocol.ReadFrame(bytes.NewReader(protocol.AppendFrame(nil, sent.Append(nil))))
		if err != nil {
			t.Fatal(err)
		}
		got, err := protocol.ParseRequest(append(payload, "what a later version adds"...))
		if err != nil || !cmp.Equal(got, sent) {
			t.Fatalf("got %+v, error %v", got, err)
		}
		answer := protocol.Response{Failed: rapid.Bool().Draw(t, "failed"), Body: sent.Config}
		back, err := protocol.ParseResponse(answer.Append(nil))
		if err != nil || !cmp.Equal(back, answer) {
			t.Fatalf("got %+v, error %v", back, err)
		}
	})
}

func TestReadFrameRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "read the header"},
		{"another protocol", "GET / HTTP/1.1\r\n", `begins with "GET "`},
		{"too long", "swl1\xff\xff\xff\xff", "4294967295 octets, and 1048576 are allowed"},
		{"cut off", "swl1\x00\x00\x00\x09abc", "read a frame of 9 octets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := protocol.ReadFrame(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// A runtime reads an error in the version that it asked in.
func TestFailure(t *testing.T) {
	wrapped := fmt.Errorf("network blue/web: %w", &protocol.Error{Code: protocol.CodeTryAgain, Message: "leaf1 is not ready", Details: "try again"})
	for _, c := range []struct {
		config string
		err    error
		want   string
	}{
		{`{"cniVersion":"0.4.0"}`, wrapped, `{"cniVersion":"0.4.0","code":11,"msg":"leaf1 is not ready","details":"try again"}`},
		{`{"cniVersion":"9.9.9"}`, wrapped, `{"cniVersion":"1.1.0","code":11,"msg":"leaf1 is not ready","details":"try again"}`},
		{`nonsense`, errors.New("the disk is full"), `{"cniVersion":"1.1.0","code":100,"msg":"the disk is full"}`},
	} {
		got := protocol.Failure([]byte(c.config), c.err)
		if !got.Failed || strings.TrimSpace(string(got.Body)) != c.want {
			t.Errorf("%s: %s, want %s", c.config, got.Body, c.want)
		}
		if !json.Valid(got.Body) {
			t.Errorf("%s is no JSON", got.Body)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(protocol.Request{Command: "ADD", ContainerID: "c", Config: []byte(`{}`)}.Append(nil))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := protocol.ParseRequest(payload)
		if err != nil {
			return
		}
		again, err := protocol.ParseRequest(r.Append(nil))
		if err != nil || !cmp.Equal(again, r) {
			t.Errorf("%+v written and read is %+v, error %v", r, again, err)
		}
	})
}
