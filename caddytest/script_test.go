package caddytest

import "testing"

func TestScripts(t *testing.T) { Run(t, "testdata/script") }
