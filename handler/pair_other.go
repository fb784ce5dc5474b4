//go:build !amd64 || purego

package handler

import "math"

const pairBlock = math.MaxInt

func indexPairsLong(*byte, int, int, byte, *asciiSet) (int, uint64) { panic("not on this processor") }
