package handler

// mayBegin reports whether the text could become a form of ours once more
// follows.
func (t *forms) mayBegin(w window) bool {
	switch w.b[0] {
	case 'h', 'H', '/', '\\', '%', '&':
	default:
		return false
	}
	i := 0
	if w.b[0]|0x20 == 'h' {
		const scheme = "https"
		for i < len(scheme) && i < len(w.b) && w.b[i]|0x20 == scheme[i] {
			i++
		}
		switch {
		case i == len(w.b):
			return true
		case i < len("http"):
			return false
		}
		c, n, more := w.unit(i)
		if more || c != ':' {
			return more
		}
		i += n
	}
	for range 2 {
		c, n, more := w.unit(i)
		if more || c != '/' {
			return more
		}
		i += n
	}
	rest := w.b[i:]
	for k := range t.needles {
		host := t.needles[k].name
		n := min(len(rest), len(host))
		if !equalFold(rest[:n], host[:n]) {
			continue
		}
		if n < len(host) {
			return true
		}
		if _, _, v := t.after(w, k, i+n, nil, everyHost); v == undecidedYet {
			return true
		}
	}
	return false
}
