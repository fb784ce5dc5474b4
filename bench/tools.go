package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// tool is a program that is not Go's, and the Debian package that has it.
type tool struct{ name, pack string }

var (
	needed   = []tool{{"taskset", "util-linux"}, {"h2load", "nghttp2-client"}, {"strace", "strace"}}
	compared = []tool{{"nginx", "nginx"}, {"varnishd", "varnish"}}
)

// missing says how to install those of list that are not, or is empty.
func missing(list []tool) string {
	var names, packs []string
	for _, t := range list {
		if _, err := exec.LookPath(t.name); err != nil {
			names, packs = append(names, t.name), append(packs, t.pack)
		}
	}
	if names == nil {
		return ""
	}
	return fmt.Sprintf("%s: not installed (apt-get install %s)", strings.Join(names, ", "), strings.Join(packs, " "))
}

// tools returns an error if a program is not there without which nothing can be
// measured, and a sentence about those whose servers are left out.
func tools() (left string, err error) {
	if m := missing(needed); m != "" {
		return "", fmt.Errorf("%s; for all servers: apt-get install %s", m, packages())
	}
	return missing(compared), nil
}

// packages are all Debian packages that a whole table needs.
func packages() string {
	var packs []string
	for _, t := range slices.Concat(needed, compared) {
		packs = append(packs, t.pack)
	}
	return strings.Join(packs, " ")
}
