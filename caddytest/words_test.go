package caddytest

import (
	"bytes"
	"slices"
	"testing"
)

func TestSplitWords(t *testing.T) {
	tests := []struct {
		name, line string
		want       []string
	}{
		{"empty", "", nil},
		{"blanks", " \t ", nil},
		{"words", "a  b\tc", []string{"a", "b", "c"}},
		{"quotes keep blanks", "send 'a b'", []string{"send", "a b"}},
		{"doubled quote", "send 'it''s'", []string{"send", "it's"}},
		{"empty quotes are a word", "send ''", []string{"send", ""}},
		{"quotes within a word", "a'b c'd", []string{"ab cd"}},
		{"comment", "a # b", []string{"a"}},
		{"number sign in a word", "on GET /x #2", []string{"on", "GET", "/x", "#2"}},
		{"number sign within a word", "a#b", []string{"a#b"}},
		{"carriage return", "a\r", []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			words, err := splitWords(test.line)
			if err != nil || !slices.Equal(words, test.want) {
				t.Errorf("splitWords(%q) = %q, %v; want %q", test.line, words, err, test.want)
			}
		})
	}
	if _, err := splitWords("send 'a"); err == nil {
		t.Error("an unterminated quote is no error")
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`a\nb`:      "a\nb",
		`\r\n\t\\`:  "\r\n\t\\",
		`\x00\xff`:  "\x00\xff",
		`http:\/\/`: `http:\/\/`,
		`\u002f`:    `\u002f`,
		`\xzz`:      `\xzz`,
		`\x1`:       `\x1`,
		`a\`:        `a\`,
	} {
		if have := unescape(in); string(have) != want {
			t.Errorf("unescape(%q) = %q, want %q", in, have, want)
		}
	}
}

func TestExpand(t *testing.T) {
	getenv := func(name string) string { return map[string]string{"A": "1", "B": "{$A}"}[name] }
	for in, want := range map[string]string{
		"x {$A} y":     "x 1 y",
		"{$A}{$A}":     "11",
		"{$B}":         "{$A}",
		"{$NONE:word}": "{$NONE:word}",
		"{$NONE} {$A}": "{$NONE} 1",
		"{$A":          "{$A",
		"$A {A}":       "$A {A}",
	} {
		if have := expand(in, getenv); have != want {
			t.Errorf("expand(%q) = %q, want %q", in, have, want)
		}
	}
}

func FuzzUnescape(f *testing.F) {
	f.Add(`a\x41\n\\`)
	f.Fuzz(func(t *testing.T, s string) {
		out := unescape(s)
		if len(out) > len(s) {
			t.Errorf("unescape(%q) grew to %q", s, out)
		}
		if !bytes.ContainsRune([]byte(s), '\\') && string(out) != s {
			t.Errorf("unescape(%q) = %q without an escape", s, out)
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("hello"), true)
	f.Fuzz(func(t *testing.T, payload []byte, masked bool) {
		opcode, have, err := readFrame(bytes.NewReader(appendFrame(nil, opText, payload, masked)))
		if len(payload) > maxFrameBytes {
			return
		}
		if err != nil || opcode != opText || !bytes.Equal(have, payload) {
			t.Errorf("frame of %q came back as %q, %v", payload, have, err)
		}
		_, _, _ = readFrame(bytes.NewReader(payload))
	})
}
