// Proxies count the sizes of requests and responses in histograms, whose
// buckets are among the bulk of their series. Without the buckets Kiali still
// has throughput and average sizes, which it makes of the sums and the counts;
// it loses the percentiles of sizes and nothing else.
local drop = {
  action: 'drop',
  sourceLabels: ['__name__'],
  regex: 'istio_(request|response)_bytes_bucket',
};

function(resource, cluster)
  if resource.kind != 'PodMonitor' then resource
  else resource {
    spec+: {
      podMetricsEndpoints: [
        endpoint { metricRelabelings+: [drop] }
        for endpoint in super.podMetricsEndpoints
      ],
    },
  }
