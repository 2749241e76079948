package docker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// frame is as Docker writes it (moby pkg/stdcopy, from the Engine API's text).
func frame(stream byte, text string) string {
	header := []byte{stream, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(header[4:], uint32(len(text)))
	return string(header) + text
}

func TestDemultiplex(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     Output
		err      string
	}{
		{"nothing", "", Output{}, ""},
		{"both", frame(1, "one ") + frame(2, "bad") + frame(1, "two") + frame(1, ""), Output{Stdout: "one two", Stderr: "bad"}, ""},
		{"as a client's input", frame(0, "x"), Output{Stdout: "x"}, ""},
		{"exactly as much as is read", frame(1, strings.Repeat("a", 100)), Output{Stdout: strings.Repeat("a", 100)}, ""},
		{"more", frame(1, strings.Repeat("a", 60)) + frame(2, strings.Repeat("a", 41)), Output{}, errTooMuch.Error()},
		{"a claim of 4 GiB", "\x01\x00\x00\x00\xff\xff\xff\xff", Output{}, errTooMuch.Error()},
		{"Docker's failure", frame(1, "half") + frame(3, "error from daemon\nin stream"), Output{}, "error from daemon in stream"},
		{"half a header", frame(1, "x") + "\x01\x00\x00", Output{}, io.ErrUnexpectedEOF.Error()},
		{"half a frame", frame(1, "whole")[:10], Output{}, io.ErrUnexpectedEOF.Error()},
		{"a header and no frame", frame(1, "whole")[:8], Output{}, io.ErrUnexpectedEOF.Error()},
		{"text without frames", "OCI runtime exec failed", Output{}, errStream.Error()},
		{"a stream that there is not", frame(4, "x"), Output{}, errStream.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := demultiplex(iotest.OneByteReader(strings.NewReader(test.in)), 100)
			if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// However a program's output is cut into frames, it arrives whole.
func TestFramesOfAnySize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in, stdout, stderr strings.Builder
		for _, text := range rapid.SliceOf(rapid.String()).Draw(t, "frames") {
			if rapid.Bool().Draw(t, "stderr") {
				stderr.WriteString(text)
				in.WriteString(frame(fromStderr, text))
			} else {
				stdout.WriteString(text)
				in.WriteString(frame(fromStdout, text))
			}
		}
		got, err := demultiplex(strings.NewReader(in.String()), maxOutput)
		if want := (Output{Stdout: stdout.String(), Stderr: stderr.String()}); err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

// Whatever comes, the result is no longer than what came or what is allowed, and
// a stream that is taken says the same when it is cut into frames again.
func FuzzDemultiplex(f *testing.F) {
	f.Add([]byte(frame(1, "out")+frame(2, "problem")), int64(100))
	f.Add([]byte("\x01\x00\x00\x00\xff\xff\xff\xff"), int64(1<<40))
	f.Add([]byte(frame(3, "failed")), int64(6))
	f.Fuzz(func(t *testing.T, in []byte, most int64) {
		most = max(most, 0)
		got, err := demultiplex(bytes.NewReader(in), most)
		if err != nil {
			if got != (Output{}) || errors.Is(err, io.EOF) {
				t.Fatalf("%+v with %v", got, err)
			}
			return
		}
		if size := int64(len(got.Stdout) + len(got.Stderr)); size > int64(len(in)) || size > most {
			t.Fatalf("%d bytes of %d, at most %d", size, len(in), most)
		}
		again, err := demultiplex(strings.NewReader(frame(1, got.Stdout)+frame(2, got.Stderr)), most)
		if err != nil || again != got {
			t.Fatalf("%+v, %v", again, err)
		}
	})
}

func TestPrefix(t *testing.T) {
	for _, test := range []struct{ what, oldest, newest, want string }{
		{"Docker 19.03", "1.12", "1.40", "/v1.40"},
		{"Docker 20.10", "1.12", "1.41", "/v1.41"},
		{"Docker 24.0", "1.12", "1.43", "/v1.41"},
		{"Docker 28.5", "1.24", "1.51", "/v1.41"},
		{"Docker 29.0", "1.44", "1.52", "/v1.44"},
	} {
		if got, err := prefix(test.oldest, test.newest); got != test.want || err != nil {
			t.Errorf("%s: %q, %v", test.what, got, err)
		}
	}
	for _, bad := range [][2]string{{"", ""}, {"1.12", ""}, {"1.12", "2.0"}, {"1.-1", "1.41"}, {"1.12", "1.41/../x"}} {
		if got, err := prefix(bad[0], bad[1]); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}
