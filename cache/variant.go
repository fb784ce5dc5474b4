package cache

import (
	"net/http"
	"slices"
)

// VariantKey returns the variant that a request with header h selects among
// responses that vary on the given canonical field names. Stores compare it with
// Meta.Variant.
func VariantKey(fields []string, h http.Header) string {
	if len(fields) == 0 {
		return ""
	}
	return string(Vary{Fields: fields}.AppendVariant(nil, h))
}

// Select returns the first of the responses of one key, newest first, that a
// request with header h selects, or else the first in the one language that the
// client prefers. It takes time linear in their number.
func Select(stored []*Stored, h http.Header) *Stored {
	var fields []string
	var variant string
	languages := false
	for i, s := range stored {
		if i == 0 || !slices.Equal(fields, s.Vary) {
			fields, variant = s.Vary, VariantKey(s.Vary, h)
		}
		if s.Variant == variant {
			return s
		}
		languages = languages || s.LanguageVariant != ""
	}
	if !languages {
		return nil
	}
	preferred := PreferredLanguage(h)
	if preferred == "" {
		return nil
	}
	fields = nil
	for _, s := range stored {
		if s.LanguageVariant == "" {
			continue
		}
		if fields == nil || !slices.Equal(fields, s.Vary) {
			b, _ := Vary{Fields: s.Vary}.AppendLanguageVariant(nil, h, preferred)
			fields, variant = s.Vary, string(b)
		}
		if s.LanguageVariant == variant {
			return s
		}
	}
	return nil
}
