package cache

// prepared is what a Cache derived from a stored response and its configuration,
// so that a hit computes nothing that another hit has computed before.
type prepared struct{}
