package relabel

import (
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/promql/parser"
)

// Collection is a way in which series leave a Prometheus: selectors, as in match[] of
// /federate, and relabelings of the selected series.
type Collection struct {
	selectors []selector
	relabels  []*relabel.Config
}

type selector []*labels.Matcher

func (s selector) matches(series labels.Labels) bool {
	return !slices.ContainsFunc(s, func(m *labels.Matcher) bool { return !m.Matches(series.Get(m.Name)) })
}

func promql() parser.Parser { return parser.NewParser(parser.Options{}) }

// NewCollection reads selectors and relabelings as Prometheus does. The error names
// the one that is wrong.
func NewCollection(selectors []string, relabelings []Rule) (*Collection, error) {
	c := &Collection{}
	for _, text := range selectors {
		matchers, err := promql().ParseMetricSelector(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		c.selectors = append(c.selectors, matchers)
	}
	for i, rule := range relabelings {
		config, err := rule.config()
		if err != nil {
			return nil, fmt.Errorf("relabeling %d: %w", i+1, err)
		}
		c.relabels = append(c.relabels, config)
	}
	return c, nil
}

// Selects tells whether a series is selected.
func (c *Collection) Selects(series map[string]string) bool {
	of := labels.FromMap(series)
	return slices.ContainsFunc(c.selectors, func(s selector) bool { return s.matches(of) })
}

// Collected is the collected form of a series. It is nil if no selector matches, or
// if a relabeling drops the series.
func (c *Collection) Collected(series map[string]string) map[string]string {
	if !c.Selects(series) {
		return nil
	}
	b := labels.NewBuilder(labels.FromMap(series))
	if !relabel.ProcessBuilder(b, c.relabels...) {
		return nil
	}
	return b.Labels().Map()
}

// Recording is a rule that records a series under a new name.
type Recording struct {
	record string
	expr   parser.Expr
}

// NewRecording reads a recording rule.
func NewRecording(record, expr string) (*Recording, error) {
	parsed, err := promql().ParseExpr(expr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", record, err)
	}
	return &Recording{record, parsed}, nil
}

// Recorded is the series that the rule records from one series alone, or nil. known
// is false if the expression has more than sums of selectors, because then the result
// is unknown.
func (r *Recording) Recorded(series map[string]string) (recorded map[string]string, known bool) {
	made, some, known := evaluate(r.expr, labels.FromMap(series))
	if !some || !known {
		return nil, known
	}
	return labels.NewBuilder(made).Set(model.MetricNameLabel, r.record).Labels().Map(), true
}

// evaluate gives the labels of the one series that an expression makes from a series,
// as Prometheus' engine does (promql/engine.go, generateGroupingLabels). A test
// compares both.
func evaluate(expr parser.Expr, series labels.Labels) (made labels.Labels, some, known bool) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return evaluate(e.Expr, series)
	case *parser.VectorSelector:
		plain := e.OriginalOffset == 0 && e.Timestamp == nil && e.StartOrEnd == 0
		return series, selector(e.LabelMatchers).matches(series), plain
	case *parser.AggregateExpr:
		made, some, known := evaluate(e.Expr, series)
		if e.Op != parser.SUM || !known {
			return labels.EmptyLabels(), false, false
		}
		b := labels.NewBuilder(made).Del(model.MetricNameLabel)
		if e.Without {
			return b.Del(e.Grouping...).Labels(), some, true
		}
		return b.Keep(e.Grouping...).Labels(), some, true
	}
	return labels.EmptyLabels(), false, false
}
