package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	latencyDesc = prometheus.NewDesc("gec_call_seconds", "How long calls took, from the head of the request to the answer.", []string{"transport", "operation"}, nil)
	callsDesc   = prometheus.NewDesc("gec_calls_total", "Calls by the first digit of their status.", []string{"transport", "operation", "status"}, nil)
	rowsDesc    = prometheus.NewDesc("gec_rows_total", "Rows of answers.", []string{"transport", "operation"}, nil)
	quotesDesc  = prometheus.NewDesc("gec_quotes_total", "Quotes that were computed, those of batches too.", nil, nil)
	visitedDesc = prometheus.NewDesc("gec_quote_index_hits_total", "Bundles that the index let through, and that quotes looked at one by one.", nil, nil)
	rankedDesc  = prometheus.NewDesc("gec_quote_candidates_total", "Bundles that quotes ranked.", nil, nil)
	failedDesc  = prometheus.NewDesc("gec_rejected_rules_total", "How often a bundle was left out of an answer because its condition or fee failed while running.", []string{"psp", "bundle"}, nil)
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{latencyDesc, callsDesc, rowsDesc, quotesDesc, visitedDesc, rankedDesc, failedDesc} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	for _, o := range *m.operations.Load() {
		o.collect(to)
	}
	var count, visited, candidates uint64
	for i := range m.quotes {
		q := &m.quotes[i]
		count, visited, candidates = count+q.count.Load(), visited+q.visited.Load(), candidates+q.candidates.Load()
	}
	to <- prometheus.MustNewConstMetric(quotesDesc, prometheus.CounterValue, float64(count))
	to <- prometheus.MustNewConstMetric(visitedDesc, prometheus.CounterValue, float64(visited))
	to <- prometheus.MustNewConstMetric(rankedDesc, prometheus.CounterValue, float64(candidates))
	for _, f := range m.failed.All() {
		to <- prometheus.MustNewConstMetric(failedDesc, prometheus.CounterValue, float64(f.Count), f.PSP, f.ID)
	}
}

func (o *operation) collect(to chan<- prometheus.Metric) {
	var latency [buckets]uint64
	var statuses [6]uint64
	var nanoseconds, rows, total uint64
	for i := range o.shards {
		c := &o.shards[i]
		for b := range latency {
			latency[b] += c.latency[b].Load()
		}
		for s := range statuses {
			statuses[s] += c.statuses[s].Load()
		}
		nanoseconds += c.nanoseconds.Load()
		rows += c.rows.Load()
	}
	cumulative := make(map[float64]uint64, buckets-1)
	for b, n := range latency {
		if total += n; b < buckets-1 {
			cumulative[boundOf(b)] = total
		}
	}
	to <- prometheus.MustNewConstHistogram(latencyDesc, total, float64(nanoseconds)/1e9, cumulative, o.transport, o.name)
	for s, n := range statuses {
		if n > 0 {
			to <- prometheus.MustNewConstMetric(callsDesc, prometheus.CounterValue, float64(n), o.transport, o.name, strconv.Itoa(s)+"xx")
		}
	}
	to <- prometheus.MustNewConstMetric(rowsDesc, prometheus.CounterValue, float64(rows), o.transport, o.name)
}
