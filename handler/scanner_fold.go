package handler

// upperCaseHost decides on "//Host" and "\/\/Host", which the search for the
// host in lower case does not find. The slash at in[i] follows a slash or a
// backslash; behind the other spellings of a slash only lower case is found,
// which is how programs write a host before they encode it.
func (s *scanner) upperCaseHost(w window, i int) (m pathMatch, v verdict) {
	m.needle = -1
	if !s.rules.has(ruleUpperCase) {
		return m, left
	}
	rest := w.b[i+1:]
	for k := range s.t.needles {
		host := s.t.needles[k].name
		n := min(len(rest), len(host))
		if n > 0 && rest[0]|0x20 != host[0]|0x20 {
			continue
		}
		if n == len(host) && string(rest[:n]) == host || n < len(host) && w.final {
			continue // found by its own cursor, or too short
		}
		if !equalFold(rest[:n], host[:n]) {
			continue
		}
		if n < len(host) {
			m.start = i - backslashesBefore(w.b, i)
			return m, undecidedYet
		}
		if m.hostMatch, v = s.hostForm(w, k, i+1); v != left {
			return m, v
		}
	}
	m.needle = -1
	return m, left
}
