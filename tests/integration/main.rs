//! Everything that needs more than one module: how the code is laid out, whole files, real daemons,
//! whole worlds. `docs/testing.md` says how to run a part by name.

mod exposure;
mod inside;
mod link;
