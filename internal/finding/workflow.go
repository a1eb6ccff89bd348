package finding

import (
	"fmt"
	"strings"
)

// WorkflowCommand returns the finding as a command of a GitHub workflow. If a step
// prints this line, GitHub shows the finding at its line of the file. Special characters
// are escaped as in GitHub's library (actions/toolkit, packages/core/src/command.ts).
func (f Finding) WorkflowCommand() string {
	command := [...]string{"error", "warning", "notice"}[f.Severity]
	var properties []string
	if f.File != "" {
		properties = append(properties, "file="+commandProperty(Visible(f.File)))
	}
	if f.Line > 0 {
		properties = append(properties, fmt.Sprintf("line=%d", f.Line), fmt.Sprintf("col=%d", f.Col))
	}
	if f.Rule != "" {
		properties = append(properties, "title="+commandProperty(f.Rule))
	}
	text := f.Message
	if f.Hint != "" {
		text += "\nhint: " + f.Hint
	}
	if len(properties) > 0 {
		command += " " + strings.Join(properties, ",")
	}
	return "::" + command + "::" + commandData(text)
}

func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func commandProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
