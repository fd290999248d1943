//! Rust from `proto/`. The compiler for it is a library, so that building takes no program beside Cargo.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let estate = protox::compile(["novaedge/v1/estate.proto"], ["proto"])?;
    tonic_prost_build::configure().build_transport(false).bytes(".").compile_fds(estate)?;
    let gobgp = protox::compile(["gobgp/v3.proto", "gobgp/v4.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .build_server(false)
        .bytes(".")
        .compile_fds(gobgp)?;
    Ok(())
}
