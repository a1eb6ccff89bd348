//go:build !linux

package main

// limitMemory does nothing, because this system has no limit for the memory of a
// process. Only the limit of the heap holds.
func limitMemory(int64) {}

func mapped() int64 { return 0 }
