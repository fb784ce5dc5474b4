package cache

// stackBytes is what a fetch through a chain of handlers needs of stack, about.
const stackBytes = 28 << 10

// growStack makes room on the stack of a new goroutine in one step, while there is
// nothing on it to copy. On the way down through the handlers the runtime would
// double it several times and each time adjust all frames.
//
//go:noinline
func growStack() {
	var room [stackBytes]byte
	touch(&room)
}

//go:noinline
func touch(*[stackBytes]byte) {}
