//! What something costs: CPU time of the whole process, and its memory.

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// CPU time that the process has used, of all its threads.
pub fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// The most memory that the process ever had resident, in MiB.
pub fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024)
}

/// Samples of one thing; at least one.
#[derive(Debug, Default)]
pub struct Cost(Vec<Duration>);

impl Cost {
    pub fn of(times: usize, mut what: impl FnMut()) -> Self {
        let mut cost = Self::default();
        (0..times).for_each(|_| cost.add(&mut what));
        cost
    }

    pub fn add<T>(&mut self, what: impl FnOnce() -> T) -> T {
        let before = cpu();
        let result = what();
        self.0.push(cpu() - before);
        result
    }

    pub fn least(&self) -> Duration {
        self.0.iter().min().copied().unwrap_or_default()
    }

    pub fn median(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}
