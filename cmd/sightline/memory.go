package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// The heap that a run takes before it collects garbage at all, and the heap above which
// it may grow by half only.
const (
	freeMemory  = 60 << 20
	cheapMemory = 512 << 20
)

// tuneMemory lets a run, which is short, collect little garbage while its heap is small.
// A memory limit below the live heap makes Go collect without end. So each collection
// looks at the heap, and lifts the limit long before. GOGC and GOMEMLIMIT of the user
// win.
func tuneMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(freeMemory)
	afterCollection(new(collected))
}

// saveMemory is for a run that looks at the same many times: it collects garbage as
// Go does by default.
func saveMemory() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(100)
	}
}

// collected is garbage as soon as it is made, so it tells of a collection.
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
		debug.SetGCPercent(200)
		debug.SetMemoryLimit(cheapMemory)
		afterCollection(new(collected))
	})
}
