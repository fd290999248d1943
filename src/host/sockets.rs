//! Who holds a port of this machine.

use std::fs;
use std::path::Path;

/// The process that listens on TCP `port`, on whatever address, as a person would name it:
/// `sshd (pid 812)`.
///
/// `None`: nobody listens there, or the listener belongs to somebody whose `/proc` we may not read.
/// Looks into the network namespace of the calling thread. Reads all of `/proc`, some milliseconds on a
/// busy host: for words of explanation, not for decisions.
pub fn holder_of_port(port: u16) -> Option<String> {
    let tables = ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"];
    let inodes: Vec<u64> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|text| listeners_on(port, &text))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .find_map(|pid| holds_one_of(pid, &inodes).then(|| format!("{} (pid {pid})", command(pid))))
}

/// The socket inodes that listen on `port`, from the text of `/proc/net/tcp` or `tcp6` (proc(5)):
/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
fn listeners_on(port: u16, table: &str) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let inode = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (_, local_port) = fields.next()?.rsplit_once(':')?;
        let state = fields.nth(1)?;
        let here = u16::from_str_radix(local_port, 16).ok()? == port && state == LISTEN;
        here.then(|| fields.nth(5)?.parse().ok()).flatten()
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn holds_one_of(pid: u32, inodes: &[u64]) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|target| socket_inode(&target).is_some_and(|inode| inodes.contains(&inode)))
}

fn socket_inode(target: &Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn command(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    if name.trim().is_empty() { "a process".to_owned() } else { name.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_process_that_listens() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = std::net::TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            let holder = holder_of_port(port).unwrap();
            assert!(holder.ends_with(&format!("(pid {})", std::process::id())), "{holder}");
            drop(listener);
            assert_eq!(holder_of_port(port), None);
        }
    }

    #[test]
    fn reads_only_listeners_of_that_very_port() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 15823 1 0 100 0 0 10 0
   1: 0100007F:0016 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 15900 1 0 20 4 30 10 -1
   2: 0100007F:1600 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 15901 1 0 100 0 0 10 0
   3: short
";
        assert_eq!(listeners_on(22, table), [15823]);
    }
}
