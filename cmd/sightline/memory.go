package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// A run collects no garbage up to freeMemory, in bytes of heap. Above cheapMemory, the
// heap may grow by only half before the next collection.
const (
	freeMemory  = 48 << 20
	cheapMemory = 512 << 20
)

// tuneMemory makes a run collect little garbage while its heap is small, because a run
// is short. With a memory limit below the live heap, Go would collect all the time. So
// each collection looks at the heap, and lifts the limit long before. If GOGC or
// GOMEMLIMIT is set, nothing changes.
func tuneMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(freeMemory)
	afterCollection(new(collected))
}

// saveMemory makes a run collect garbage as Go does by default. Use it before a run does
// the same many times.
func saveMemory() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(100)
	}
}

// collected is garbage as soon as it exists. So its finalizer runs after the next
// collection.
type collected struct{ _ [16]byte }

func afterCollection(c *collected) {
	runtime.SetFinalizer(c, func(*collected) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapAlloc > cheapMemory/2 {
			debug.SetGCPercent(50)
			debug.SetMemoryLimit(math.MaxInt64)
			return
		}
		if percent := debug.SetGCPercent(200); percent >= 0 { // of saveMemory, or of an earlier collection
			debug.SetGCPercent(percent)
		}
		debug.SetMemoryLimit(cheapMemory)
		afterCollection(new(collected))
	})
}
