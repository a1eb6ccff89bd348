// Command build builds the programs of tier 2. With the argument "full", it also
// builds those of tier 3.
package main

import (
	"fmt"
	"os"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

func main() {
	programs := rig.Programs.Core
	if len(os.Args) > 1 && os.Args[1] == "full" {
		programs = append(programs, rig.Programs.Full...)
	}
	for _, program := range programs {
		if err := program.Build("../bin", os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			os.Exit(1)
		}
	}
}
