package handler

import (
	"fmt"
	"strings"
	"testing"
)

// TestIntegrityOfLongTags compares the scanner with the oracle on tags about as long
// as those that are read, in pieces of all sizes.
func TestIntegrityOfLongTags(t *testing.T) {
	c := scannerCase{kind: kindHTML}
	tables := c.tables()
	renamed := make(map[bool]int)
	for _, form := range []string{
		`<script integrity="a" class="%s" src="http://blog.example.net/x.js">`,
		`<script class="%s" src="http://blog.example.net/x.js" integrity="a">`,
		`<script src="/x.js" class="%s" integrity="a">`,
		`<link integrity="a" href="/x.css" data-u="%s" title="http://blog.example.net">`,
		`<script src="/x.js" integrity="a" class="%s`,
	} {
		for long := maxResourceTag - len(form) - 4; long < maxResourceTag-len(form)+8; long++ {
			tag := fmt.Sprintf(form, strings.Repeat("y", long))
			in := "<p>" + tag + "</script><p>" + tag
			want := c.oracle().run(in)
			renamed[want != in && strings.Contains(want, "data-integrity")]++
			for _, sizes := range [][]int{nil, {1}, {1, 0}, {101, 0}, {997}, {len(in) - 5, 0}} {
				if got := scanCut(t, tables, c.kind, in, sizes...); got != want {
					t.Fatalf("%s with %d bytes, pieces %v: differs at %d", form, long, sizes, firstDifference(got, want))
				}
			}
		}
	}
	if renamed[true] == 0 || renamed[false] == 0 {
		t.Errorf("renamed or not: %v", renamed)
	}
}
