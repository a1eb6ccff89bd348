package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// cheapMemory is how much memory a run may take rather than collect garbage.
const cheapMemory = 512 << 20

// tuneMemory lets a run, which is short, collect little garbage while it is
// small. A limit that is below what is in use would make it collect without an
// end, so the limit is lifted before that; from then on the memory in use may
// grow by half. What the user says with GOGC or GOMEMLIMIT stands.
func tuneMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(cheapMemory)
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
		afterCollection(new(collected))
	})
}
