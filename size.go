package mount

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// Size is a number of bytes. People write it with a unit ("256MiB", "2GB"), as
// go-humanize reads it; JSON takes that or a plain number of bytes.
type Size int64

// parseSize reads a size that a person wrote.
func parseSize(s string) (Size, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n > math.MaxInt64 {
		return 0, fmt.Errorf("size %q: expected a number with a unit, such as 256MiB", s)
	}
	return Size(n), nil
}

// String returns the size with a binary unit.
func (s Size) String() string { return humanize.IBytes(uint64(max(s, 0))) }

// MarshalJSON writes the number of bytes.
func (s Size) MarshalJSON() ([]byte, error) { return json.Marshal(int64(s)) }

// UnmarshalJSON reads a number of bytes or a string with a unit.
func (s *Size) UnmarshalJSON(data []byte) error {
	var n int64
	if json.Unmarshal(data, &n) == nil {
		if n < 0 {
			return fmt.Errorf("size %d is negative", n)
		}
		*s = Size(n)
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("size %s: expected a number of bytes or a string such as \"256MiB\"", data)
	}
	parsed, err := parseSize(text)
	*s = parsed
	return err
}
