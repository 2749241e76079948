package frr

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestTyped enters each context from the top and repeats what was locked.
func TestTyped(t *testing.T) {
	var typed []string
	shell := Vtysh{Exec: func(_ context.Context, argv []string, stdin string) (Output, error) {
		if !slices.Equal(argv, []string{"vtysh", "--histfile", "/dev/null"}) {
			t.Errorf("ran %q", argv)
		}
		typed = append(typed, stdin)
		return screen(stdin, func(line string) string {
			switch {
			case line == "vni 20001" && len(typed) == 1:
				return "% could not lock candidate DS\n% Failed to apply configuration data.\n"
			case strings.HasPrefix(line, "rd "):
				return "% Malformed Route Distinguisher\n"
			}
			return ""
		}), nil
	}}
	answers, err := shell.Configure(t.Context(), vni())
	if err != nil || len(answers) != 1 || answers[0] != (Answer{Command: 2, Text: "% Malformed Route Distinguisher"}) {
		t.Errorf("%+v, %v", answers, err)
	}
	want := []string{
		"end\nconfigure terminal\nvrf Vrf20001\nvni 20001\nend\nconfigure terminal\nroute-map ALL permit 10\n" +
			"end\nconfigure terminal\nrouter bgp 65001 vrf Vrf20001\naddress-family l2vpn evpn\nrd 10.255.0.1:1\nadvertise ipv4 unicast\nend\n",
		"end\nconfigure terminal\nvrf Vrf20001\nvni 20001\nend\n",
	}
	if !slices.Equal(typed, want) {
		t.Errorf("typed\n%q\nwant\n%q", typed, want)
	}
}

// screen is what vtysh writes when lines are typed into it.
func screen(stdin string, answer func(line string) string) Output {
	out := "\nHello, this is FRRouting (version 10.3).\n\n"
	for line := range strings.Lines(stdin) {
		line = strings.TrimSuffix(line, "\n")
		out += fmt.Sprintf("leaf1(config)# %s\n%s", line, answer(line))
	}
	return Output{Stdout: out + "leaf1# "}
}

// TestScrolled finds what was said to lines that are longer than vtysh's screen.
func TestScrolled(t *testing.T) {
	const prompt = "leaf1(config-router)# "
	lines := []line{{"neighbor 10.0.0.1 description to spine1 port Ethernet8", 0}, {"rd 10.255.0.1:1 of one that is too long for it", 1}, {"end", -1}}
	answers, err := heard(Output{Stdout: prompt + "\r<1 port Ethernet8\n" + prompt + "\r<ne that is too long for it\n% Malformed\n" + prompt + "end\n"}, lines)
	if err != nil || len(answers) != 1 || answers[0] != (Answer{Command: 1, Text: "% Malformed"}) {
		t.Errorf("%+v, %v", answers, err)
	}
	if _, err := heard(Output{Stdout: prompt + "\r<1 port Ethernet4\n"}, lines); err == nil {
		t.Error("took another line for the one that was typed")
	}
}

// TestEnded reports a vtysh that could not even start.
func TestEnded(t *testing.T) {
	shell := Vtysh{Exec: func(context.Context, []string, string) (Output, error) {
		return Output{Stderr: "Exiting: failed to connect to any daemons.\n", Status: 1}, nil
	}}
	if _, err := shell.Configure(t.Context(), vni()); err == nil || !strings.Contains(err.Error(), "failed to connect to any daemons") {
		t.Errorf("%v", err)
	}
}
