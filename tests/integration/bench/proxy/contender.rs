//! The proxies, each on core 0 with one worker, tuned as their manuals advise for this.

use super::endpoint;
use anyhow::{Context, Result, ensure};
use novaedge_lab::eventually;
use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    NovaEdge,
    HaProxy,
    Nginx,
}

/// What a proxy serves, each on a port of its own.
#[derive(Debug, Clone, Copy)]
pub enum Service {
    Http1,
    Http2,
    Tcp,
}

impl Service {
    const ALL: [Self; 3] = [Self::Http1, Self::Http2, Self::Tcp];
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::NovaEdge, Self::HaProxy, Self::Nginx];

    pub fn name(self) -> &'static str {
        match self {
            Self::NovaEdge => "novaedge",
            Self::HaProxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// Ours speaks both versions of HTTP on one port.
    pub fn port(self, service: Service) -> u16 {
        let base = match self {
            Self::NovaEdge => 18100,
            Self::HaProxy => 18200,
            Self::Nginx => 18300,
        };
        match (self, service) {
            (_, Service::Http1) | (Self::NovaEdge, Service::Http2) => base,
            (_, Service::Http2) => base + 1,
            (_, Service::Tcp) => base + 2,
        }
    }

    /// Debian keeps nginx's streams in a package of their own.
    pub fn serves(self, service: Service) -> bool {
        !matches!((self, service), (Self::Nginx, Service::Tcp))
    }

    fn command(self, directory: &str) -> Result<Command> {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]);
        match self {
            Self::NovaEdge => command.arg(std::env::current_exe()?).arg("serve"),
            Self::HaProxy => {
                let path = format!("{directory}/haproxy.cfg");
                fs::write(&path, haproxy())?;
                command.args(["haproxy", "-db", "-f", &path])
            }
            Self::Nginx => {
                let path = format!("{directory}/nginx.conf");
                fs::write(&path, nginx(directory))?;
                command.args(["nginx", "-p", directory, "-c", &path])
            }
        };
        Ok(command)
    }
}

/// A running proxy; dropping it ends it.
pub struct Contender {
    pub kind: Kind,
    process: Child,
    _directory: tempfile::TempDir,
}

impl Contender {
    pub fn start(kind: Kind) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut command = kind.command(&directory.path().display().to_string())?;
        let process = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let contender =
            Self { kind, process: process.context("cannot start taskset")?, _directory: directory };
        let what = format!("{} listens", kind.name());
        for service in Service::ALL.into_iter().filter(|&service| kind.serves(service)) {
            let address = ("127.0.0.1", kind.port(service));
            eventually(&what, Duration::from_secs(10), || TcpStream::connect(address).map(drop))?;
        }
        Ok(contender)
    }

    /// CPU time that the process and its workers have used.
    pub fn cpu(&self) -> Result<Duration> {
        let group = self.process.id();
        let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let stats = processes.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).ok());
        let ticks: Vec<u64> = stats.filter_map(|stat| ticks_in_group(&stat, group)).collect();
        ensure!(!ticks.is_empty(), "{} has ended", self.kind.name());
        Ok(Duration::from_millis(10) * u32::try_from(ticks.iter().sum::<u64>())?)
    }
}

/// proc(5): after the command in parentheses: state ppid pgrp …, and utime and stime as 14th and 15th, in
/// hundredths of a second.
fn ticks_in_group(stat: &str, group: u32) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    (number(2)? == u64::from(group)).then_some(number(11)? + number(12)?)
}

impl Drop for Contender {
    fn drop(&mut self) {
        if let Some(group) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            // One that has ended by itself is what we want.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

fn haproxy() -> String {
    let [http1, http2, tcp] = Service::ALL.map(|service| Kind::HaProxy.port(service));
    let endpoint = endpoint::PORT;
    format!(
        "global
  nbthread 1
  maxconn 4000
  tune.bufsize 65536
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend http1
  bind 127.0.0.1:{http1}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  default_backend endpoint
frontend http2
  bind 127.0.0.1:{http2} proto h2
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  default_backend endpoint
backend endpoint
  server endpoint 127.0.0.1:{endpoint}
listen tcp
  mode tcp
  bind 127.0.0.1:{tcp}
  server endpoint 127.0.0.1:{endpoint}
"
    )
}

fn nginx(directory: &str) -> String {
    let [http1, http2] = [Service::Http1, Service::Http2].map(|service| Kind::Nginx.port(service));
    let endpoint = endpoint::PORT;
    format!(
        "daemon off;
user root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8000; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  proxy_http_version 1.1;
  proxy_set_header Connection '';
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto http;
  proxy_buffer_size 64k;
  proxy_buffers 16 64k;
  proxy_busy_buffers_size 256k;
  upstream endpoint {{ server 127.0.0.1:{endpoint}; keepalive 4096; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{http1} reuseport;
    listen 127.0.0.1:{http2} http2 reuseport;
    location / {{ proxy_pass http://endpoint; }}
  }}
}}
"
    )
}
