package finding

import "strings"

// Nearest returns the known word that is nearest to a mistyped word, or "" if none is
// near.
func Nearest(word string, known []string) string {
	typed := []rune(strings.ToLower(word))
	if len(typed) > 100 {
		return "" // not a typing mistake
	}
	best, distance := "", max(1, len(typed)/3)+1
	for _, k := range known {
		candidate := []rune(strings.ToLower(k))
		if max(len(candidate)-len(typed), len(typed)-len(candidate)) >= distance {
			continue
		}
		if d := editDistance(typed, candidate); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance returns how many edits turn one word into the other. An edit adds, drops
// or replaces a character, or swaps two neighbours.
func editDistance(a, b []rune) int {
	above2, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		above2, above, row = above, row, above2
		row[0] = i + 1
		for j := range b {
			d := above[j]
			if a[i] != b[j] {
				d = min(d, above[j+1], row[j]) + 1
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, above2[j-1]+1)
			}
			row[j+1] = d
		}
	}
	return row[len(b)]
}
