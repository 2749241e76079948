package main

import "testing"

func TestDefaultGateway(t *testing.T) {
	const header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for text, want := range map[string]string{
		header + "eth0\t00000000\t0101010A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n": "10.1.1.1",
		header + "eth0\t0001010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n": "<nil>",
		"": "<nil>",
	} {
		if got := defaultGateway(text).String(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
