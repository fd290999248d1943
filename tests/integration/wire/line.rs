//! A line between an agent and a controller that can go dead: open on both sides, carrying nothing.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub struct Line {
    pub address: SocketAddr,
    dead: watch::Sender<bool>,
    task: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    pub async fn to(controller: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (dead, state) = watch::channel(false);
        let task = tokio::spawn(async move {
            loop {
                let (agent, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(agent, controller, state.clone()));
            }
        });
        Self { address, dead, task: task.abort_handle() }
    }

    /// What is open stays open, and nothing goes over any more.
    pub fn goes_dead(&self) {
        self.dead.send_replace(true);
    }
}

async fn carry(mut agent: TcpStream, controller: SocketAddr, mut dead: watch::Receiver<bool>) {
    let Ok(mut controller) = TcpStream::connect(controller).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut agent, &mut controller) => {}
        () = async { drop(dead.wait_for(|dead| *dead).await) } => {
            // Both sockets stay open, and nobody reads them.
            std::future::pending::<()>().await;
        }
    }
}
