package chart

import (
	"fmt"
	"slices"
	"strings"
)

// condition returns an expression that is true for the shapes in some, and
// false for the other shapes in all. It returns "" if some and all are equal.
// It prefers the first fields.
func (p *printer) condition(all, some []int) string {
	if len(all) == len(some) {
		return ""
	}
	tests := p.tests(all)
	for _, t := range tests {
		if slices.Equal(t.holds, some) {
			return p.use(t)
		}
	}
	// No single field decides: name each of these shapes.
	var each []string
	for _, shape := range some {
		var parts []string
		for _, f := range p.Fields {
			if v := p.Shapes[shape].Fields[f.Name]; p.varies(f.Name, all) {
				parts = append(parts, parenthesized(p.use(p.equals(f.Name, v, nil))))
			}
		}
		each = append(each, joined("and", parts))
	}
	if len(each) == 1 {
		return strings.TrimSuffix(strings.TrimPrefix(each[0], "("), ")")
	}
	return "or " + strings.Join(each, " ")
}

// test is an expression about one field, and the shapes for which it is true.
type test struct {
	field, text string
	holds       []int
}

func (p *printer) use(t test) string {
	p.usedFields[t.field] = true
	return t.text
}

// tests returns the possible tests of one field, the best first.
func (p *printer) tests(all []int) []test {
	var tests []test
	for _, name := range p.fieldOrder() {
		var values []any
		for _, shape := range all {
			if v := p.Shapes[shape].Fields[name]; !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		if len(values) < 2 {
			continue
		}
		slices.SortFunc(values, func(a, b any) int { return strings.Compare(fmt.Sprint(b), fmt.Sprint(a)) }) // true first, "" last
		for _, v := range values {
			tests = append(tests, p.equals(name, v, all))
		}
		if _, ok := values[0].(string); ok {
			for _, v := range values {
				t := test{field: name, text: fmt.Sprintf("ne %s.Values.shape.%s %q", p.root, name, v)}
				if v == "" {
					t.text = fmt.Sprintf("%s.Values.shape.%s", p.root, name)
				}
				for _, shape := range all {
					if p.Shapes[shape].Fields[name] != v {
						t.holds = append(t.holds, shape)
					}
				}
				tests = append(tests, t)
			}
		}
	}
	return tests
}

// equals tests whether a field has a value.
func (p *printer) equals(name string, value any, all []int) test {
	t := test{field: name}
	switch value {
	case true:
		t.text = p.root + ".Values.shape." + name
	case false, "":
		t.text = "not " + p.root + ".Values.shape." + name
	default:
		t.text = fmt.Sprintf("eq %s.Values.shape.%s %q", p.root, name, value)
	}
	for _, shape := range all {
		if p.Shapes[shape].Fields[name] == value {
			t.holds = append(t.holds, shape)
		}
	}
	return t
}

// fieldOrder lists the fields on which the object depends, and then the others,
// which only happen to differ between the shapes.
func (p *printer) fieldOrder() []string {
	order := slices.Clone(p.relevant)
	for _, f := range p.Fields {
		if !slices.Contains(order, f.Name) {
			order = append(order, f.Name)
		}
	}
	return order
}

func (p *printer) varies(name string, shapes []int) bool {
	return slices.ContainsFunc(shapes, func(s int) bool { return p.Shapes[s].Fields[name] != p.Shapes[shapes[0]].Fields[name] })
}

func parenthesized(text string) string {
	if strings.Contains(text, " ") {
		return "(" + text + ")"
	}
	return text
}

func joined(operator string, parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + operator + " " + strings.Join(parts, " ") + ")"
}
