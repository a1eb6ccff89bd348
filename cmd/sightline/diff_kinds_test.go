package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var kindOf = regexp.MustCompile(`(?m)^apiVersion: (\S+)\nkind: (\S+)$`)

// TestEverRendered compares the kinds that diff --live looks for with the kinds in the
// examples. diff --live does not look for kinds that every engine leaves alone.
func TestEverRendered(t *testing.T) {
	t.Parallel()
	kept := []string{"Namespace", "ManagedClusterSetBinding"}
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir("../../golden", func(path string, d fs.DirEntry, err error) error {
		slashed := filepath.ToSlash(path)
		if err != nil || d.IsDir() || strings.Contains(slashed, "/argocd/") || strings.Contains(slashed, "/flux/") ||
			strings.Contains(slashed, "/chart/") || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, m := range kindOf.FindAllStringSubmatch(string(data), -1) {
			if !strings.HasPrefix(m[1], "kustomize.config.k8s.io/") {
				found[m[2]] = m[1]
			}
		}
		return err
	}))
	for _, kind := range kept {
		delete(found, kind)
	}
	require.Contains(t, found, "OpenTelemetryCollector")
	for kind, version := range found {
		assert.Equal(t, version, everRendered[kind], kind)
	}
}
