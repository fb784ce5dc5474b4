package caddytest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// cmdPatch damages files: "patch PATTERN OFFSET TEXT" writes the text there, "patch
// PATTERN OFFSET" cuts the file there. An offset below zero counts from the end.
// Some file must match the pattern.
func (s *script) cmdPatch(_ bool, args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return errors.New("usage: patch PATTERN OFFSET [TEXT]")
	}
	offset, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(s.dir, args[0]))
	if err != nil || len(names) == 0 {
		return errors.Join(err, fmt.Errorf("no file is %s", args[0]))
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		at := offset
		if at < 0 {
			at += info.Size()
		}
		if len(args) == 2 {
			err = os.Truncate(name, at)
		} else {
			err = writeAt(name, at, unescape(args[2]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func writeAt(name string, at int64, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, at)
	return errors.Join(err, f.Close())
}
