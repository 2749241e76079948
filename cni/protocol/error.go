package protocol

import (
	"errors"
	"slices"
	"strconv"
)

// Codes of errors (CNI specification 1.1, section "Error").
const (
	CodeIncompatible  = 1
	CodeUnsupported   = 2
	CodeEnvironment   = 4
	CodeIO            = 5
	CodeDecode        = 6
	CodeInvalidConfig = 7
	CodeTryAgain      = 11
	CodeUnavailable   = 50
	CodeLimited       = 51
	// CodeFailed and those after it are this plugin's own. Failed: the kernel or
	// the disk refused.
	CodeFailed = 100
	// CodeExhausted: no address is left.
	CodeExhausted = 101
	// CodeBroken: CHECK found something missing.
	CodeBroken = 102
)

// Error is one that a runtime is told of.
type Error struct {
	Code    int
	Message string
	// Details say what to do.
	Details string
}

func (e *Error) Error() string {
	if e.Details == "" {
		return e.Message
	}
	return e.Message + ": " + e.Details
}

// Failure is the response that tells of an error, in the version of the
// configuration.
func Failure(config []byte, err error) Response {
	e := &Error{Code: CodeFailed, Message: err.Error()}
	errors.As(err, &e)
	body := AppendText([]byte(`{"cniVersion":`), Version(config))
	body = strconv.AppendInt(append(body, `,"code":`...), int64(e.Code), 10)
	body = AppendText(append(body, `,"msg":`...), e.Message)
	if e.Details != "" {
		body = AppendText(append(body, `,"details":`...), e.Details)
	}
	return Response{Failed: true, Body: append(body, "}\n"...)}
}

// Version is that of a configuration: the newest one if it says none that is
// known, for somebody has to be told that in some version.
func Version(config []byte) string {
	said := member(config, "cniVersion")
	if !slices.Contains(Supported(), said) {
		return Newest
	}
	return said
}

// Attempt is an error with what was attempted before it, as fmt.Errorf makes one:
// that package, with what it stands on, would be a seventh of the plugin's time.
func Attempt(what string, err error) error { return &attempt{what, err} }

type attempt struct {
	what string
	err  error
}

func (a *attempt) Error() string { return a.what + ": " + a.err.Error() }
func (a *attempt) Unwrap() error { return a.err }
