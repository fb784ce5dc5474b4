package caddytest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// extendedConnect is the switch that makes Go's HTTP/2 server offer extended
// CONNECT (RFC 8441). The program reads it when it starts.
const extendedConnect = "http2xconnect=1"

// TestExtendedConnect runs the scripts of WebSocket over HTTP/2 and HTTP/3 in a
// process of their own, which has the switch.
func TestExtendedConnect(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), extendedConnect) {
		t.Chdir("..")
		Run(t, "caddytest/testdata/connect")
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), program, "-test.run=^TestExtendedConnect$", "-test.v")
	child.Env = append(os.Environ(), "GODEBUG="+extendedConnect)
	output, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if !strings.Contains(string(output), "--- PASS: TestExtendedConnect/") {
		t.Fatalf("the process ran no script:\n%s", output)
	}
}
