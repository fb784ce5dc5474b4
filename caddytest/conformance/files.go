package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// list is a committed file of verdicts.
type list interface {
	read() (ledger, error)
	write(ledger) error
}

// textFile is the path of a text ledger; a file that is not there is empty.
type textFile string

func (f textFile) read() (ledger, error) {
	data, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := parseText(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return l, nil
}

func (f textFile) write(l ledger) error {
	data, err := os.ReadFile(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(string(f), l.text(textHead(data)), 0o644)
}

// pageFile is the path of a Markdown page that holds a ledger.
type pageFile string

func (f pageFile) read() (ledger, error) {
	data, err := os.ReadFile(string(f))
	if err != nil {
		return nil, err
	}
	l, err := parsePage(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return l, nil
}

func (f pageFile) write(l ledger) error {
	data, err := os.ReadFile(string(f))
	if err != nil {
		return err
	}
	page, err := l.page(data)
	if err != nil {
		return fmt.Errorf("%s: %w", f, err)
	}
	return os.WriteFile(string(f), page, 0o644)
}
