package caddytest

import "testing"

func TestScripts(t *testing.T) {
	// Recipes and examples are found, and their paths hold, from the root.
	t.Chdir("..")
	Run(t, "caddytest/testdata/script")
}
