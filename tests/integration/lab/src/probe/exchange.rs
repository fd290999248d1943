//! One request on the wire.

use super::{Outcome, Plan, Sample, Traffic, source};
use crate::http1::{self, Answer};
use crate::topology::NodeId;
use crate::visit::accepted_by;
use socket2::SockRef;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection and what is known of it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    port: u16,
    flow: Option<NodeId>,
    carried: u32,
}

impl Connection {
    async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = source::connect(to).await?;
        stream.set_nodelay(true)?;
        let (port, flow) = (stream.local_addr()?.port(), accepted_by(&SockRef::from(&stream)));
        Ok(Self { stream, port, flow, carried: 0 })
    }

    /// Whether the server has not ended it while it was idle: asked of the socket, as the runtime may not
    /// have noticed yet.
    fn usable(&self) -> bool {
        let peeked = SockRef::from(&self.stream).peek(&mut [MaybeUninit::uninit()]);
        peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Outcome> {
        self.stream.write_all(request).await.map_err(|error| failure(&error))?;
        let mut answer = Answer::default();
        let mut chunk = [0; 4096];
        while !answer.complete() {
            let read = self.stream.read(&mut chunk).await.map_err(|error| failure(&error))?;
            if read == 0 {
                answer.end();
                return if answer.complete() { Ok(answer) } else { Err(Outcome::Closed) };
            }
            answer.feed(&chunk[..read]).map_err(|_| Outcome::Broken("the answer is not HTTP".into()))?;
        }
        Ok(answer)
    }
}

/// A request that is being made, from which its sample will follow.
struct Attempt {
    prober_started: Instant,
    started: Instant,
    port: u16,
    flow: Option<NodeId>,
    carried_before: u32,
}

impl Attempt {
    fn new(prober_started: Instant) -> Self {
        Self { prober_started, started: Instant::now(), port: 0, flow: None, carried_before: 0 }
    }

    fn on(&mut self, connection: &Connection) {
        (self.port, self.flow, self.carried_before) = (connection.port, connection.flow, connection.carried);
    }

    fn ended(self, outcome: Outcome) -> Sample {
        Sample {
            sent: self.started - self.prober_started,
            took: self.started.elapsed(),
            port: self.port,
            flow: self.flow,
            carried_before: self.carried_before,
            outcome,
        }
    }
}

/// One HTTP request over the slot's connection, or a new one when it has none or the server ended it while
/// it was idle. Afterwards the slot holds what can carry another request.
pub(super) async fn request(plan: &Plan, started: Instant, slot: &mut Option<Connection>) -> Sample {
    let mut attempt = Attempt::new(started);
    let outcome = {
        let work = request_on(plan, &mut attempt, slot.take());
        match tokio::time::timeout(plan.patience, work).await {
            Ok(Ok((answer, connection))) => {
                *slot = answer.keeps_connection().then_some(connection);
                answered(&answer)
            }
            Ok(Err(outcome)) => outcome,
            Err(_) => Outcome::Lost,
        }
    };
    attempt.ended(outcome)
}

async fn request_on(
    plan: &Plan,
    attempt: &mut Attempt,
    kept: Option<Connection>,
) -> Result<(Answer, Connection), Outcome> {
    let mut connection = match kept.filter(Connection::usable) {
        Some(connection) => connection,
        None => Connection::open(plan.target).await.map_err(|error| failure(&error))?,
    };
    attempt.on(&connection);
    let last = plan.traffic == Traffic::New;
    let answer = connection.exchange(&http1::get(&plan.host, &plan.path, last)).await?;
    connection.carried += 1;
    Ok((answer, connection))
}

/// A TCP handshake and nothing more.
pub(super) async fn connect_only(plan: &Plan, started: Instant) -> Sample {
    let mut attempt = Attempt::new(started);
    let outcome = match tokio::time::timeout(plan.patience, Connection::open(plan.target)).await {
        Ok(Ok(connection)) => {
            attempt.on(&connection);
            Outcome::Answered { status: 200, backend: None }
        }
        Ok(Err(error)) => failure(&error),
        Err(_) => Outcome::Lost,
    };
    attempt.ended(outcome)
}

/// One datagram from a port of its own, and its answer.
pub(super) async fn datagram(plan: &Plan, started: Instant) -> Sample {
    let mut attempt = Attempt::new(started);
    let work = echo(plan.target, &mut attempt);
    let outcome = match tokio::time::timeout(plan.patience, work).await {
        Ok(Ok(backend)) => Outcome::Answered { status: 200, backend },
        Ok(Err(error)) => failure(&error),
        Err(_) => Outcome::Lost,
    };
    attempt.ended(outcome)
}

async fn echo(to: SocketAddr, attempt: &mut Attempt) -> io::Result<Option<String>> {
    let socket = source::datagrams(to).await?;
    attempt.port = socket.local_addr()?.port();
    socket.send(b"probe").await?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).await?;
    Ok(backend_in(&String::from_utf8_lossy(&answer[..length])))
}

/// The backend in a backend's own words: `node=n1 backend=a` is `n1/a`.
fn backend_in(text: &str) -> Option<String> {
    let (node, backend) = text.lines().next()?.strip_prefix("node=")?.split_once(" backend=")?;
    Some(format!("{node}/{backend}"))
}

fn answered(answer: &Answer) -> Outcome {
    let backend = answer.header("x-node").zip(answer.header("x-backend"));
    let backend = backend.map(|(node, name)| format!("{node}/{name}"));
    Outcome::Answered { status: answer.status, backend }
}

fn failure(error: &io::Error) -> Outcome {
    match error.kind() {
        ErrorKind::ConnectionRefused => Outcome::Refused,
        // Writing after the reset came.
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Outcome::Reset,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Outcome::Unreachable,
        ErrorKind::TimedOut => Outcome::Lost,
        _ => Outcome::Broken(error.to_string()),
    }
}
