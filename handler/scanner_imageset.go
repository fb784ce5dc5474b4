package handler

// imageSetReach is how far back the beginning of an image-set() is looked for.
const imageSetReach = 4 << 10

// inImageSet reports whether the comma at b[i] separates images of an image-set(),
// which are URLs in quotes: whether one begins before it in the same declaration.
func (s *scanner) inImageSet(b []byte, i int) bool {
	from, in := s.since(s.imageSet, i, imageSetReach)
	j := i
	for over := false; j > from && !over; j-- {
		switch b[j-1] {
		case '{', '}', '<', '>':
			in, over = false, true
		case ';':
			if c, _ := referenceBefore(b, j); c == 0 {
				in, over = false, true
			}
		case '(':
			if endsImageSet(b, j-1) {
				in, over = true, true
			}
		}
	}
	s.looked += int64(i - j)
	s.imageSet = listMemo{at: s.base + int64(i), in: in}
	return in
}
