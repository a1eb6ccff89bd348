package topology

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestComments compares the comments of the types with what Go's parser reads.
func TestComments(t *testing.T) {
	want := map[string]string{}
	entries, err := types.ReadDir(".")
	require.NoError(t, err)
	for _, entry := range entries {
		source, err := types.ReadFile(entry.Name())
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), source, parser.ParseComments)
		require.NoError(t, err)
		for name, object := range structs(file) {
			for _, f := range object.Fields.List {
				for _, ident := range f.Names {
					want[name+"."+ident.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
				}
			}
		}
	}
	require.Equal(t, want, comments())
}

// structs finds the struct types of a file by name. A type that is defined as
// another struct type has the fields of this type.
func structs(file *ast.File) map[string]*ast.StructType {
	found, same := map[string]*ast.StructType{}, map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		switch t := spec.Type.(type) {
		case *ast.StructType:
			found[spec.Name.Name] = t
		case *ast.Ident:
			same[spec.Name.Name] = t.Name
		}
		return false
	})
	for name, other := range same {
		found[name] = found[other]
	}
	return found
}
