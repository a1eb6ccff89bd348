// Proxies count the sizes of requests and responses in histograms. The buckets
// are a large part of all series. Without them, Kiali loses only the
// percentiles of sizes. It calculates throughput and average sizes from the
// sums and counts.
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
