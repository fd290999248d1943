//! A scrape: sums up what the cores counted.

use super::{BUCKETS, Numbers, SiteCounters, lock};
use crate::model::observed::EndpointHealth;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::fmt;
use std::sync::Arc;

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const HEALTH: [(&str, EndpointHealth); 3] = [
    ("unknown", EndpointHealth::Unknown),
    ("healthy", EndpointHealth::Healthy),
    ("unhealthy", EndpointHealth::Unhealthy),
];

type Shares = [Arc<SiteCounters>];

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.cores(&mut encoder)?;
        self.connections(&mut encoder)?;
        self.requests(&mut encoder)?;
        self.durations(&mut encoder)?;
        self.endpoints(&mut encoder)?;
        self.connect_failures(&mut encoder)
    }
}

impl Numbers {
    fn cores(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let cores = lock(&self.cores);
        let gauges = [
            (
                "novaedge_proxy_open_connections",
                "Client connections that are open",
                cores.iter().map(|core| core.connections.get()).sum::<u64>(),
            ),
            (
                "novaedge_proxy_in_flight",
                "Requests and byte streams in flight",
                cores.iter().map(|core| core.in_flight.get()).sum::<u64>(),
            ),
        ];
        for (name, help, value) in gauges {
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn connections(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Client connections accepted";
        let mut metric =
            encoder.encode_descriptor("novaedge_proxy_connections", help, None, MetricType::Counter)?;
        for (key, shares) in lock(&self.sites).iter() {
            let count: u64 = shares.iter().map(|share| share.connections.get()).sum();
            let labels = [("listener", key.to_string())];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests answered, by the class of their status";
        let mut metric =
            encoder.encode_descriptor("novaedge_proxy_requests", help, None, MetricType::Counter)?;
        for (key, shares) in lock(&self.sites).iter() {
            for (class, name) in CLASSES.iter().enumerate() {
                let count: u64 = shares.iter().map(|share| share.classes[class].get()).sum();
                let labels = [("listener", key.to_string()), ("class", (*name).to_owned())];
                metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        Ok(())
    }

    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "From a request's header section to the last byte of its response";
        let name = "novaedge_proxy_request_duration_seconds";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (key, shares) in lock(&self.sites).iter() {
            let (sum, count, buckets) = histogram(shares);
            let labels = [("listener", key.to_string())];
            metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    fn endpoints(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Endpoints of a backend, by their health";
        let mut metric =
            encoder.encode_descriptor("novaedge_proxy_endpoints", help, None, MetricType::Gauge)?;
        for (key, group) in lock(&self.backends).iter() {
            for (name, health) in HEALTH {
                let count = group.endpoints.iter().filter(|e| e.health() == health).count() as u64;
                let labels = [("backend", key.to_string()), ("health", name.to_owned())];
                metric.encode_family(&labels)?.encode_gauge(&count)?;
            }
        }
        Ok(())
    }

    fn connect_failures(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Connections to endpoints that did not come about";
        let name = "novaedge_proxy_connect_failures";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (key, group) in lock(&self.backends).iter() {
            let labels = [("backend", key.to_string())];
            let count = group.connect_failures();
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }
}

fn histogram(shares: &Shares) -> (f64, u64, Vec<(f64, u64)>) {
    let bounds = BUCKETS.iter().copied().chain([f64::INFINITY]);
    let in_bucket = |index: usize| shares.iter().map(|share| share.buckets[index].get()).sum();
    let buckets: Vec<(f64, u64)> =
        bounds.enumerate().map(|(index, bound)| (bound, in_bucket(index))).collect();
    let nanoseconds: u64 = shares.iter().map(|share| share.nanoseconds.get()).sum();
    (nanoseconds as f64 / 1e9, buckets.iter().map(|(_, count)| count).sum(), buckets)
}

#[cfg(test)]
mod tests {
    use crate::model::listener::ListenerKey;
    use crate::proxy::metrics::Metrics;
    use http::StatusCode;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use std::time::Duration;

    #[test]
    fn a_scrape_adds_the_cores_up() {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let cores = metrics.cores(2);
        let key = ListenerKey::try_from("web:80".to_owned()).unwrap();
        for (core, counters) in cores.iter().enumerate() {
            counters.in_flight.add(3);
            let site = metrics.site(&key, core);
            site.request(StatusCode::OK, Duration::from_millis(2));
            site.request(StatusCode::BAD_GATEWAY, Duration::from_secs(60));
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "novaedge_proxy_in_flight 6",
            "novaedge_proxy_requests_total{listener=\"web:80\",class=\"2xx\"} 2",
            "novaedge_proxy_requests_total{listener=\"web:80\",class=\"5xx\"} 2",
            "novaedge_proxy_request_duration_seconds_bucket{le=\"0.0025\",listener=\"web:80\"} 2",
            "novaedge_proxy_request_duration_seconds_bucket{le=\"+Inf\",listener=\"web:80\"} 4",
            "novaedge_proxy_request_duration_seconds_count{listener=\"web:80\"} 4",
        ] {
            assert!(text.lines().any(|present| present == line), "{line} is not in\n{text}");
        }
    }
}
