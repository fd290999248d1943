//! The clients: wrk for HTTP/1.1 and for bytes, h2load for HTTP/2, on core 1.

use super::contender::{Contender, Service};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::Duration;

/// One kind of load.
pub struct Cell {
    pub name: &'static str,
    pub service: Service,
    path: &'static str,
    connections: u32,
}

pub const CELLS: [Cell; 5] = [
    Cell { name: "HTTP/1.1, 1 KiB, 64 connections", service: Service::Http1, path: "/s", connections: 64 },
    Cell {
        name: "HTTP/1.1, 1 KiB, 1000 connections",
        service: Service::Http1,
        path: "/s",
        connections: 1000,
    },
    Cell { name: "HTTP/1.1, 64 KiB, 32 connections", service: Service::Http1, path: "/l", connections: 32 },
    Cell {
        name: "HTTP/2, 1 KiB, 8 connections × 8 streams",
        service: Service::Http2,
        path: "/s",
        connections: 8,
    },
    Cell { name: "TCP, 1 KiB, 64 connections", service: Service::Tcp, path: "/s", connections: 64 },
];

pub struct Sample {
    pub cpu_micros: f64,
    pub p99_millis: f64,
}

pub fn run(cell: &Cell, contender: &Contender, length: Duration) -> Result<Sample> {
    let url = format!("http://127.0.0.1:{}{}", contender.kind.port(cell.service), cell.path);
    let before = contender.cpu()?;
    let (requests, p99_millis) = match cell.service {
        Service::Http1 | Service::Tcp => wrk(&url, cell.connections, length)?,
        Service::Http2 => h2load(&url, cell.connections, length)?,
    };
    let used = contender.cpu()?.saturating_sub(before);
    ensure!(requests > 0.0, "{} answered nothing", contender.kind.name());
    Ok(Sample { cpu_micros: used.as_secs_f64() * 1e6 / requests, p99_millis })
}

fn wrk(url: &str, connections: u32, length: Duration) -> Result<(f64, f64)> {
    let (connections, length) = (connections.to_string(), format!("{}s", length.as_secs()));
    let said = pinned(&["wrk", "--latency", "-t1", "-c", &connections, "-d", &length, url])?;
    ensure!(!said.contains("Non-2xx") && !said.contains("Socket errors: connect"), "{said}");
    let requests =
        said.lines().find_map(|line| line.trim().split_once(" requests in")).context("wrk counts")?;
    let p99 = said.lines().find_map(|line| line.trim().strip_prefix("99%")).context("wrk's percentiles")?;
    Ok((requests.0.parse()?, millis(p99.trim())?))
}

/// h2load has no percentiles: it is asked for the log of all requests (its third column is in µs).
fn h2load(url: &str, connections: u32, length: Duration) -> Result<(f64, f64)> {
    let log = tempfile::NamedTempFile::new()?;
    let path = log.path().display().to_string();
    let (connections, length) = (connections.to_string(), length.as_secs().to_string());
    pinned(&["h2load", "-t1", "-c", &connections, "-m8", "-D", &length, "--log-file", &path, url])?;
    let log = std::fs::read_to_string(log.path())?;
    let fields = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        (fields.next()? == "200").then(|| fields.next()?.parse::<u64>().ok()).flatten()
    };
    let mut micros: Vec<u64> = log.lines().filter_map(fields).collect();
    micros.sort_unstable();
    let p99 = micros.get(micros.len() * 99 / 100).context("h2load got no answer")?;
    Ok((micros.len() as f64, *p99 as f64 / 1000.0))
}

fn pinned(words: &[&str]) -> Result<String> {
    let output =
        Command::new("taskset").args(["-c", "1"]).args(words).output().context("cannot start taskset")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{words:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

/// `2.60ms`, `980.00us`, `1.10s`.
fn millis(text: &str) -> Result<f64> {
    let (number, factor) = match text {
        text if text.ends_with("us") => (text.trim_end_matches("us"), 0.001),
        text if text.ends_with("ms") => (text.trim_end_matches("ms"), 1.0),
        text => (text.trim_end_matches('s'), 1000.0),
    };
    Ok(number.parse::<f64>().with_context(|| format!("{text:?} is no time"))? * factor)
}
