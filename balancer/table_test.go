package balancer

import (
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestTableShares(t *testing.T) {
	old, other := upstream("shared.test:80"), upstream("other.test:80")
	first := newTestTable(t, FirstByte, old, other)
	renewed := upstream("shared.test:80")
	second := newTestTable(t, FirstByte, renewed)
	last := newTestTable(t, LastByte, renewed)

	m := first.meter(0, old)
	if second.meter(0, renewed) != m {
		t.Error("the same address has another meter in the next configuration")
	}
	if last.meter(0, renewed) == m {
		t.Error("times to the first and to the last byte share a meter")
	}
	if first.meter(0, other) != first.meter(1, other) || first.meter(0, other) == m {
		t.Error("the meter depends on the position in the pool")
	}
	if second.meter(0, upstream("shared.test:80")) != m {
		t.Error("a dynamic upstream of the same address has another meter")
	}
	first.close()
	first.close() // Cleanup may come twice
	if got, _ := meters.References(meterKey{"shared.test:80", FirstByte}); got != 2 {
		t.Errorf("%d references, want that of the second table and of its dynamic upstream", got)
	}
	second.close()
	if _, kept := meters.References(meterKey{"shared.test:80", FirstByte}); kept {
		t.Error("a meter outlives its last reference")
	}
	if first.meter(0, old) != m {
		t.Error("a request in progress lost its meter")
	}
}

func TestTableBoundsDynamic(t *testing.T) {
	table := newTestTable(t, FirstByte)
	now := sinceEpoch()
	for i := range maxDynamicMeters {
		m := table.meter(i, upstream("dynamic"+strconv.Itoa(i)+".test:80"))
		m.record(answered, ms, now, testDecay)
	}
	if table.meter(0, upstream("late.test:80")) != &table.overflow {
		t.Error("an upstream above the bound has a meter of its own")
	}
	// One falls idle and makes room.
	idle := table.meter(0, upstream("dynamic7.test:80"))
	e := *idle.estimate.Load()
	e.at -= dynamicIdle + time.Second
	idle.estimate.Store(&e)
	if table.meter(0, upstream("late.test:80")) == &table.overflow {
		t.Error("an idle upstream made no room")
	}
	if table.dynamics != maxDynamicMeters {
		t.Errorf("%d dynamic meters, want %d", table.dynamics, maxDynamicMeters)
	}
	table.close()
	if table.meter(0, upstream("after.test:80")) != &table.overflow {
		t.Error("a closed table takes references")
	}
}

func TestTableConcurrent(t *testing.T) {
	table := newTestTable(t, FirstByte)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				table.meter(i, upstream("concurrent"+strconv.Itoa(i%50)+".test:80")).record(answered, ms, sinceEpoch(), testDecay)
			}
		})
	}
	wg.Wait()
	if table.dynamics != 50 {
		t.Errorf("%d dynamic meters, want 50", table.dynamics)
	}
}
