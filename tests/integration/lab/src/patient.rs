//! Reading from a socket with a time limit: such a read is not restarted after a signal (signal(7)).

use std::io::{ErrorKind, Read, Result};

/// [`Read::read`] that a signal does not end.
///
/// # Errors
/// As [`Read::read`], but for `Interrupted`.
pub fn read(stream: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
