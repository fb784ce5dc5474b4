package cache

import "strings"

// maxAcceptBytes bounds how much of Accept-Encoding is read. What follows is as
// if it had not been sent.
const maxAcceptBytes = 1024

// acceptance is an Accept-Encoding field reduced to the codings that are known:
// the weight of each in thousandths, 0 if it is not acceptable.
type acceptance [codingCount]int

// The weights that are not stated by a number.
const (
	weightFull     = 1000
	weightFallback = 1 // identity, acceptable but not asked for
)

// parseAccept reads Accept-Encoding (RFC 9110 section 12.5.3). Members that are
// malformed or of other codings say nothing; of several for one coding the least
// holds. A client that sends no such field gets identity: it leaves the choice to
// the server, but mostly it is one that cannot decode. It takes no memory and
// bounded time.
func parseAccept(lines []string) acceptance {
	var a acceptance
	var stated [codingCount]bool
	star, starred := 0, false
	budget := maxAcceptBytes
	for _, line := range lines {
		if len(line) > budget {
			// What is cut inside a member must not be read as another one.
			line = line[:1+strings.LastIndexByte(line[:budget], ',')]
		}
		budget -= len(line)
		for line != "" {
			var member string
			member, line, _ = strings.Cut(line, ",")
			word, weight, ok := parseAcceptMember(member)
			if !ok {
				continue
			}
			if word == "*" {
				if !starred || weight < star {
					star, starred = weight, true
				}
				continue
			}
			c, ok := acceptedCoding(word)
			if ok && (!stated[c] || weight < a[c]) {
				a[c], stated[c] = weight, true
			}
		}
	}
	for c := range a {
		switch {
		case stated[c]:
		case c == int(Identity):
			a[c] = weightFallback
			if starred && star == 0 {
				a[c] = 0
			}
		case starred:
			a[c] = star
		}
	}
	return a
}

// acceptedCoding is the coding that a member names. x-gzip is gzip (RFC 9110
// section 8.4.1.3).
func acceptedCoding(word string) (Coding, bool) {
	for c, name := range codingWords {
		if strings.EqualFold(word, name) {
			return Coding(c), true
		}
	}
	return Gzip, strings.EqualFold(word, "x-gzip")
}

// parseAcceptMember parses one member: a coding or "*" and maybe its weight.
func parseAcceptMember(member string) (word string, weight int, ok bool) {
	word, parameter, weighted := strings.Cut(member, ";")
	word, weight = trimOWS(word), weightFull
	if weighted {
		weight, ok = parseWeight(trimOWS(parameter))
	}
	return word, weight, word != "" && (ok || !weighted)
}

// preference is what may be sent to a client in one of the offered codings, best
// first. The zero value offers identity only.
type preference struct {
	codings [codingCount - 1]Coding
	n       int
	// coded: identity is not acceptable.
	coded bool
}

// prefer returns the offered codings that the client accepts and does not like
// less than identity, by weight and then in the order of offered.
func (a *acceptance) prefer(offered []Coding) preference {
	p := preference{coded: a[Identity] == 0}
	for _, c := range offered {
		if a[c] == 0 || a[c] < a[Identity] {
			continue
		}
		i := p.n
		for ; i > 0 && a[p.codings[i-1]] < a[c]; i-- {
			p.codings[i] = p.codings[i-1]
		}
		p.codings[i] = c
		p.n++
	}
	return p
}

// list returns the codings, best first.
func (p *preference) list() []Coding { return p.codings[:p.n] }

// cheapest returns the coding that costs least to make while a body arrives, of
// those that the client likes best; Identity if there is none.
func (p *preference) cheapest(a *acceptance) Coding {
	var best Coding
	for _, c := range p.list() {
		if a[c] < a[p.codings[0]] {
			break
		}
		if best == Identity || liveCost[c] < liveCost[best] {
			best = c
		}
	}
	return best
}

// liveCost orders the codings by what they cost at the live level.
var liveCost = [codingCount]int{Zstd: 1, Gzip: 2, Brotli: 3}
