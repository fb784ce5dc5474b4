//go:build !linux

package caddytest

import "errors"

func (*script) cmdTmpfs(bool, []string) error { return errors.New("tmpfs needs Linux") }

func (*script) unmount() error { return nil }
