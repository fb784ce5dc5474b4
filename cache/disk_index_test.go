package cache

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// checkIndex compares all chains and the queue of x with each other.
func checkIndex(t *testing.T, x *diskIndex) {
	t.Helper()
	var entries, units int64
	for key := range x.heads {
		chain := x.appendChain(nil, key)
		if len(chain) == 0 || len(chain) > MaxVariants {
			t.Fatalf("chain of %d", len(chain))
		}
		for i, p := range chain {
			entries++
			units += int64(p.units)
			if p.key != key || i > 0 && chain[i-1].id <= p.id {
				t.Fatalf("chain %x: %+v", key, chain)
			}
		}
	}
	var queued int64
	last := slot(0)
	for s := x.newest; s != 0; s = x.at(s).older {
		if x.at(s).newer != last {
			t.Fatal("queue is not linked both ways")
		}
		last = s
		queued++
	}
	if last != x.oldest || entries != x.entries || queued != entries || units != x.units {
		t.Fatalf("%d entries in chains, %d in the queue, %d counted; %d units, %d counted", entries, queued, x.entries, units, x.units)
	}
}

func TestIndexRandomWork(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		x := newDiskIndex()
		for range 3000 {
			p := diskPlace{
				key: rnd.Uint64N(12), id: 1 + rnd.Uint64N(1000), vary: rnd.Uint32N(2), variant: rnd.Uint32N(90), units: 1 + rnd.Uint32N(9),
			}
			switch rnd.IntN(6) {
			case 0:
				x.evict()
			case 1:
				x.visit(p.key, p.id)
			case 2:
				if s := x.find(p.key, p.id); s != 0 {
					x.remove(s)
				}
			default:
				x.insert(p, 0, rnd.IntN(3) == 0)
			}
		}
		checkIndex(t, x)
		var walked []diskPlace
		batch := make([]diskPlace, 0, 7)
		for s := slot(0); ; {
			batch, s = x.after(s, batch)
			walked = append(walked, batch...)
			if s == 0 {
				break
			}
		}
		if int64(len(walked)) != x.entries {
			t.Fatalf("walked over %d of %d", len(walked), x.entries)
		}
		for x.entries > 0 {
			if _, ok := x.evict(); !ok {
				t.Fatal("nothing to evict")
			}
		}
		checkIndex(t, x)
		if _, ok := x.evict(); ok {
			t.Fatal("evicted from nothing")
		}
	}
}

func TestIndexKeepsTheNewest(t *testing.T) {
	x := newDiskIndex()
	at := func(id uint64, variant uint32) diskPlace {
		return diskPlace{key: 1, id: id, variant: variant, units: 1}
	}
	for _, c := range []struct {
		name string
		put  diskPlace
		gone []diskPlace
	}{
		{"first", at(5, 1), nil},
		{"again the same", at(5, 1), nil},
		{"another variant", at(3, 2), nil},
		{"newer", at(7, 1), []diskPlace{at(5, 1)}},
		{"older", at(6, 1), []diskPlace{at(6, 1)}},
	} {
		if gone := x.insert(c.put, 0, false); !slices.Equal(gone, c.gone) {
			t.Errorf("%s: replaced %+v, want %+v", c.name, gone, c.gone)
		}
	}
	if chain := x.appendChain(nil, 1); !slices.Equal(chain, []diskPlace{at(7, 1), at(3, 2)}) {
		t.Errorf("%+v", chain)
	}
}

// TestIndexSpares evicts what was not visited before what was.
func TestIndexSpares(t *testing.T) {
	x := newDiskIndex()
	for i := range uint64(10) {
		x.insert(diskPlace{key: i, id: i + 1, units: 1}, 0, false)
	}
	for _, key := range []uint64{0, 3, 9} {
		x.visit(key, key+1)
	}
	var order []uint64
	for range 7 {
		p, _ := x.evict()
		order = append(order, p.key)
	}
	if want := []uint64{1, 2, 4, 5, 6, 7, 8}; !slices.Equal(order, want) {
		t.Errorf("evicted %v, want %v", order, want)
	}
}

// TestIndexIsSmall has a million entries in the index: each takes at most 400 bytes
// of the heap, and no look-up goes through others.
func TestIndexIsSmall(t *testing.T) {
	const entries, most = 1_000_000, 400
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	x := newDiskIndex()
	for i := range uint64(entries) {
		x.insert(diskPlace{key: i * 0x9e3779b97f4a7c15, id: i + 1, units: 9}, 0, false)
	}
	if each := (heap() - before) / entries; each > most {
		t.Errorf("an entry takes %d bytes, want at most %d", each, most)
	}
	for i := range uint64(1000) {
		if chain := x.appendChain(nil, i*0x9e3779b97f4a7c15); len(chain) != 1 {
			t.Fatalf("%d entries under one key", len(chain))
		}
	}
	runtime.KeepAlive(x)
}
