//! A connection to an endpoint, kept or new, that takes one request.

use super::RequestBody;
use super::connect::{self, ConnectError};
use super::idle::{Http1, Http2, Kept};
use super::pool::{Member, Pool};
use crate::model::backend::UpstreamProtocol;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use std::rc::Rc;
use std::time::Instant;

pub struct Connection {
    speaks: Speaks,
    /// It may have grown too old without our noticing.
    pub was_kept: bool,
}

enum Speaks {
    Http1(Http1),
    Http2(Http2),
}

impl Connection {
    /// A kept connection to the endpoint, unless `only_new` is asked for or there is none.
    pub async fn to(
        pool: &Pool,
        member: &Member,
        only_new: bool,
        now: Instant,
    ) -> Result<Self, ConnectError> {
        match pool.settings.protocol {
            UpstreamProtocol::Http1 | UpstreamProtocol::Tcp => Self::http1(pool, member, only_new).await,
            UpstreamProtocol::H2c => Self::http2(pool, member, only_new, now).await,
        }
    }

    async fn http1(pool: &Pool, member: &Member, only_new: bool) -> Result<Self, ConnectError> {
        if let Some(kept) = member.kept.take().filter(|_| !only_new) {
            return Ok(Self { speaks: Speaks::Http1(kept), was_kept: true });
        }
        let new = connect::http1(member.endpoint.address, pool.settings.connect_timeout).await?;
        Ok(Self { speaks: Speaks::Http1(new), was_kept: false })
    }

    /// Requests that come while the connection is being opened wait for it.
    async fn http2(pool: &Pool, member: &Member, only_new: bool, now: Instant) -> Result<Self, ConnectError> {
        let kept = &member.kept;
        if let Some(shared) = kept.shared(now).filter(|_| !only_new) {
            return Ok(Self { speaks: Speaks::Http2(shared), was_kept: true });
        }
        let _turn = kept.opening.lock().await;
        if let Some(shared) = kept.shared(now).filter(|_| !only_new) {
            return Ok(Self { speaks: Speaks::Http2(shared), was_kept: true });
        }
        let new = connect::http2(member.endpoint.address, pool.settings.connect_timeout).await?;
        kept.share(new.clone(), now);
        Ok(Self { speaks: Speaks::Http2(new), was_kept: false })
    }

    pub async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        match &mut self.speaks {
            Speaks::Http1(connection) => connection.try_send_request(request).await,
            Speaks::Http2(connection) => connection.try_send_request(request).await,
        }
    }

    /// What is occupied until the response is complete, and where it is kept afterwards.
    pub fn into_lease(self, member: &Member) -> Option<(Http1, Rc<Kept>)> {
        match self.speaks {
            Speaks::Http1(connection) => Some((connection, Rc::clone(&member.kept))),
            Speaks::Http2(_) => None,
        }
    }
}
