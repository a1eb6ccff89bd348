package finding

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExcerpt(t *testing.T) {
	for _, c := range []struct {
		name, line   string
		col, columns int
		shown, under string
	}{
		{"a key", "    platform: openshfit", 5, 80,
			"    7 |     platform: openshfit",
			"      |     ^~~~~~~~"},
		{"a value", "    platform: openshfit # why", 15, 80,
			"    7 |     platform: openshfit # why",
			"      |               ^~~~~~~~~"},
		{"in a flow", "- {name: east, hub: true}", 10, 80,
			"    7 | - {name: east, hub: true}",
			"      |          ^~~~"},
		{"an object", "- {name: east}", 3, 80,
			"    7 | - {name: east}",
			"      |   ^"},
		{"in quotes", `name: "a b: c", x`, 7, 80,
			`    7 | name: "a b: c", x`,
			"      |       ^~~~~~~~"},
		{"an address", "server: https://api.example.com:6443", 9, 80,
			"    7 | server: https://api.example.com:6443",
			"      |         ^~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
		{"behind the end", "name:", 7, 80,
			"    7 | name:",
			"      |      ^"},
		{"tabs and the end of a line of Windows", "\tname: x\r", 2, 80,
			"    7 |   name: x",
			"      |   ^~~~"},
		{"wide characters", "名前: [x, yy]", 9, 80,
			"    7 | 名前: [x, yy]",
			"      |           ^~"},
		{"combining characters", "e\u0301e\u0301: x", 7, 80,
			"    7 | e\u0301e\u0301: x",
			"      |     ^"},
		{"what cannot be seen", "a\u202e: \x1b[31mx\x80", 5, 80,
			`    7 | a\u202e: \u001b[31mx\x80`,
			"      |          ^~~~~~"},
		{"the end of a long line", "0123456789012345678901234567890123456789: x", 42, 30,
			"    7 | …234567890123456789: …",
			"      |                     ^"},
		{"the beginning of a long line", "name: 0123456789012345678901234567890123456789", 1, 30,
			"    7 | name: 01234567890123…",
			"      | ^~~~"},
		{"the middle of a long line", "0123456789012345678901234567890 name: 0123456789012345678901234567890123456789", 33, 40,
			"    7 | …6789012345678901234567890 name…",
			"      |                            ^~~~"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shown, under := Position{File: "a", Line: 7, Col: c.col}.Excerpt(c.line, c.columns)
			assert.Equal(t, c.shown, shown)
			assert.Equal(t, c.under, under)
		})
	}
}

func TestWorkflowCommand(t *testing.T) {
	f := Finding{Position: Position{"a,b:c%.yaml", 3, 4}, Rule: "SY01", Message: "100% wrong:\r\nso it is, ::error::x", Hint: "remove it"}
	assert.Equal(t, "::error file=a%2Cb%3Ac%25.yaml,line=3,col=4,title=SY01::100%25 wrong:%0D%0Aso it is, ::error::x%0Ahint: remove it",
		f.WorkflowCommand())
	assert.Equal(t, "::warning::x", Finding{Severity: Warning, Message: "x"}.WorkflowCommand())
	assert.Equal(t, "::notice file=a::x", Finding{Position: Position{File: "a"}, Severity: Info, Message: "x"}.WorkflowCommand())
	f = Finding{Position: Position{File: "a\n::error::b.yaml", Line: 1, Col: 1}, Message: "x"}
	assert.Equal(t, `::error file=a\n%3A%3Aerror%3A%3Ab.yaml,line=1,col=1::x`, f.WorkflowCommand())
}
