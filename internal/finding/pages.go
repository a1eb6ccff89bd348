package finding

import "regexp"

// Pages is the address of the documentation. Hints use it, because some readers have
// only the program.
const Pages = "https://github.com/sightline-mesh/sightline/blob/main/docs/"

var page = regexp.MustCompile(`\bdocs/([a-z0-9-]+\.md)`)

// WithPages replaces the names of pages in a text, such as docs/adopt.md, with their
// addresses.
func WithPages(text string) string { return page.ReplaceAllString(text, Pages+"$1") }

// WithLinks replaces the names of pages in a text with links, for Markdown beside the pages.
func WithLinks(text string) string { return page.ReplaceAllString(text, "[$1]($1)") }
