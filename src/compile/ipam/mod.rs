//! Addresses from pools (spec §1 ProxyIPPool, §2.10).
//!
//! ```text
//!  pools, VIPs ──▶ ┌────────┐ ──▶ Ledger'  ── written to disk, and only then ──▶ Allocations ──▶ compile
//!  Ledger ───────▶ │ settle │ ──▶ Tally of each pool, what VIPs wait for ──▶ status
//!  held, now ────▶ └────────┘ ──▶ the time to settle again
//! ```
//!
//! Promises, whatever is edited and whenever the controller crashes:
//!
//! * **Never twice.** The ledger's key is the address. What any VIP writes, what is a node's or a peer's, and
//!   what a live agent still holds is given to nobody.
//! * **Never renumbered.** A VIP keeps its address when the pool shrinks, moves away or is deleted, and when
//!   its own spec can for the moment not be read. Only what its spec writes moves it.
//! * **All or nothing.** A VIP that lacks both families gets both, or waits and has none.
//! * **In turn.** The oldest VIP is served first; what it could have had is set aside while it waits.
//! * **Not at once.** A released address is remembered for the pool's `reclaimDelay`, and until every live
//!   agent has given it up. A VIP of the same name that comes back in that time gets it back.
//!
//! The ledger is an argument and a result. Who keeps it (a file of the controller's, an API server) writes
//! it before a snapshot carries an address out of it.
//!
//! | file | idea |
//! |---|---|
//! | [`spans`] | stretches of addresses, and the first free one in O(log n) |
//! | [`pool`] | a pool as written → its addresses |
//! | [`ledger`] | who has which address; [`record`] the same as objects' statuses say it |
//! | [`wish`] | what each VIP asks for |
//! | [`settle`](mod@settle) | wishes and ledger → the next ledger |
//! | [`counter`] | gives out, one VIP after the other |
//! | [`reserved`](mod@reserved) | what is somebody's already |
//! | [`shared`] | pools that overlap |
//! | [`tally`] | what a pool has and has given |

pub mod counter;
pub mod ledger;
pub mod pool;
pub mod record;
pub mod reserved;
pub mod settle;
pub mod shared;
pub mod spans;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod wish;

pub use ledger::{Allocations, Ledger};
pub use reserved::reserved;
pub use settle::{Outside, Settled, settle};
pub use wish::Memory;
