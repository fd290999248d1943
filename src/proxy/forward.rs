//! Getting a request answered: choose an endpoint, get a connection, send, and do it again where that is
//! safe.
//!
//! It is safe while nothing was sent, and after that only if the request may be repeated by a proxy
//! (RFC 9110 §9.2.2: idempotent) and nothing of it is gone (it has no body). So an endpoint that dies, or
//! closes a kept connection in the moment in which we use it, costs its clients nothing but time.

use super::body::{Lease, RequestBody, ResponseBody};
use super::connection::client::Client;
use super::headers;
use super::respond::Refusal;
use super::tunnel;
use super::upstream::connect::ConnectError;
use super::upstream::connection::Connection;
use super::upstream::endpoint::Outstanding;
use super::upstream::pool::Pool;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::upgrade::OnUpgrade;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// More would only make a broken backend's clients wait.
const ATTEMPTS: usize = 4;

/// What the client's socket will become, if the request asks for a WebSocket.
pub fn upgrade(request: &mut Request<Incoming>) -> Option<OnUpgrade> {
    let asks = request.version() == Version::HTTP_11 && headers::is_websocket(request.headers());
    asks.then(|| hyper::upgrade::on(request))
}

/// Sends the request until somebody answers it, or it is not safe to go on.
pub async fn send(
    client: &Rc<Client>,
    pool: &Pool,
    mut request: Request<RequestBody>,
    upgrade: Option<OnUpgrade>,
) -> Result<Response<ResponseBody>, Refusal> {
    let mut so_far = SoFar { tried: Vec::new(), only_new: false, refusal: Refusal::NoHealthyEndpoint };
    for _ in 0..ATTEMPTS {
        let now = Instant::now();
        let Some(chosen) = pool.choose(&so_far.tried, now, &mut client.core().dice()) else { break };
        let member = &pool.members[chosen];
        let mut outstanding = Outstanding::new(Arc::clone(&member.endpoint), now);
        let mut connection = match Connection::to(pool, member, so_far.only_new, now).await {
            Ok(connection) => connection,
            Err(error) => {
                so_far.refused(chosen, error, &outstanding);
                continue;
            }
        };
        let copy = copy_if_repeatable(&request);
        match connection.send(request).await {
            Ok(response) => {
                outstanding.answered(Instant::now());
                let lease = Lease { outstanding, connection: connection.into_lease(member) };
                return received(client, response, lease, upgrade);
            }
            Err(error) => match so_far.broke_off(chosen, error, copy, connection.was_kept, &outstanding) {
                Some(again) => request = again,
                None => break,
            },
        }
    }
    Err(so_far.refusal)
}

/// What earlier attempts at one request have taught.
struct SoFar {
    tried: Vec<usize>,
    only_new: bool,
    /// What to say if there is no further attempt.
    refusal: Refusal,
}

impl SoFar {
    fn refused(&mut self, chosen: usize, error: ConnectError, outstanding: &Outstanding) {
        tracing::debug!(%error, "endpoint refuses");
        outstanding.endpoint().refused(Instant::now());
        self.tried.push(chosen);
        self.refusal = Refusal::Connect(error);
    }

    /// The request to send again, if that is safe.
    fn broke_off(
        &mut self,
        chosen: usize,
        mut error: TrySendError<Request<RequestBody>>,
        copy: Option<Request<RequestBody>>,
        was_kept: bool,
        outstanding: &Outstanding,
    ) -> Option<Request<RequestBody>> {
        let unsent = error.take_message();
        tracing::debug!(error = %error.error(), was_kept, unsent = unsent.is_some(), "endpoint breaks off");
        // A kept connection may just have grown too old. A new one that breaks speaks for its endpoint.
        if was_kept {
            self.only_new = true;
        } else {
            outstanding.endpoint().failed(Instant::now());
            self.tried.push(chosen);
        }
        self.refusal = Refusal::BrokenOff(error.into_error());
        unsent.or(copy)
    }
}

fn copy_if_repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let repeatable = request.method().is_idempotent() && request.body().is_empty();
    repeatable.then(|| {
        let mut copy = Request::new(RequestBody::Empty);
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        copy.headers_mut().clone_from(request.headers());
        copy
    })
}

fn received(
    client: &Rc<Client>,
    mut response: Response<Incoming>,
    lease: Lease,
    upgrade: Option<OnUpgrade>,
) -> Result<Response<ResponseBody>, Refusal> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let upgrade =
            upgrade.filter(|_| headers::is_websocket(response.headers())).ok_or(Refusal::Switched)?;
        let endpoint = hyper::upgrade::on(&mut response);
        headers::strip_hop_by_hop(response.headers_mut());
        headers::upgrade_to_websocket(response.headers_mut());
        tunnel::open(client, upgrade, endpoint, lease.outstanding);
        return Ok(response.map(|_| ResponseBody::text("")));
    }
    headers::strip_hop_by_hop(response.headers_mut());
    // How the endpoint spoke is between it and us.
    *response.version_mut() = Version::HTTP_11;
    Ok(response.map(|incoming| ResponseBody::relayed(incoming, lease)))
}
