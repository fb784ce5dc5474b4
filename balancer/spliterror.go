package balancer

import "fmt"

// SplitError is an error of NewSplit for which one part of the configuration is to
// blame, not the whole.
type SplitError struct {
	// Word is the Caddyfile's for that part: variant, by, cookie_name, cookie_age
	// or secret.
	Word string
	// Variant is the index of the variant where Word is variant.
	Variant int

	text string
}

// Error says what is wrong.
func (e *SplitError) Error() string { return e.text }

func wrong(word, format string, args ...any) error {
	return &SplitError{Word: word, text: fmt.Sprintf(format, args...)}
}

func wrongVariant(i int, format string, args ...any) error {
	return &SplitError{Word: "variant", Variant: i, text: fmt.Sprintf(format, args...)}
}
