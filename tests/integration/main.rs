//! Everything that needs more than one module: how the code is laid out, whole files, real daemons,
//! whole worlds. `docs/testing.md` says how to run a part by name.

use std::sync::Mutex;

mod battery;
mod cli;
mod crds;
mod ctl;
mod exposure;
mod golden;
mod inside;
mod layering;
mod link;
mod manifests;
mod proxy;
mod reference;
mod samples;
mod wire;
mod worlds;

/// Held by whoever runs a world and looks at the clock: one world at a time.
pub static WORLD: Mutex<()> = Mutex::new(());
