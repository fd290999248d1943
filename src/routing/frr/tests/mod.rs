//! The pure road, plan → text → objects → lines, by tables, golden files and properties; the socket against
//! a stand-in. The real daemons are in `tests/integration/battery/`.

mod changes;
mod golden;
mod ospf;
mod plans;
mod properties;
mod socket;
