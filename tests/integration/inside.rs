//! Running the agent's own parts inside a network namespace.

use novaedge_lab::netns::Netns;

/// Runs `act` to its end inside the namespace, on a runtime whose only thread lives there: sockets that it
/// opens and programs that it starts belong to the namespace.
pub fn inside<T: Send>(netns: &Netns, act: impl AsyncFnOnce() -> T + Send) -> T {
    netns.run(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime needs a few descriptors").block_on(act())
    })
}
