//! Listeners: one door per port and family, one socket per core behind it.
//!
//! Owns: the listening sockets. Called by: [`super::drive`], which opens and closes doors, and by each core,
//! which accepts at its own socket. What it keeps true:
//!
//! * **A door is ours alone.** A port on which anybody else listens is not opened, even if they would share
//!   it; the report names them.
//! * **The address decides.** Sockets listen on the wildcard address, and a connection to an address that is
//!   no VIP with that port is reset at once (`docs/decisions/` says why it is so).
//! * **Who has knocked is let in**: a door closes after its queue is empty.
//!
//! | file | what |
//! |---|---|
//! | [`door`] | opening a port, on all cores or not at all |
//! | [`doors`] | which doors a plan needs; opening and closing them, again and again |
//! | [`accept`] | one core at its socket |

pub mod accept;
pub mod door;
pub mod doors;
