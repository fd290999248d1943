//! An sshd-like listener: greets whoever connects, and hangs up.

use anyhow::{Context, Result};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};

/// What it says.
pub const BANNER: &str = "SSH-2.0-lab";

/// Greets on `address` until the process is ended.
///
/// # Errors
/// The address cannot be bound, or the socket fails.
pub fn listen(address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    for stream in listener.incoming() {
        // Who left already needs no greeting.
        let _ = stream.context("cannot accept connections")?.write_all(format!("{BANNER}\r\n").as_bytes());
    }
    Ok(())
}
