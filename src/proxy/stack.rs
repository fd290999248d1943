//! A request's way through the proxy, step by step.

use super::admit;
use super::body::{RequestBody, ResponseBody};
use super::connection::client::Client;
use super::connection::preface::Protocol;
use super::forward;
use super::measure::Flight;
use super::outgoing::Outgoing;
use super::respond::Refusal;
use super::router::Question;
use super::table::{Service, Site};
use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use std::pin::pin;
use std::rc::Rc;

/// Answers one request of a client: with an endpoint's response, or with a refusal's.
pub async fn answer(client: Rc<Client>, request: Request<Incoming>) -> Response<ResponseBody> {
    let site = client.site();
    let mut flight = Flight::begin(Rc::clone(&client), Rc::clone(&site));
    let mut response = exchange(&client, &site, request).await.unwrap_or_else(|refusal| {
        tracing::debug!(listener = %site.key, client = %client.peer, reason = %refusal, "request refused");
        refusal.into_response()
    });
    hang_up_if_asked(&client, &mut response);
    flight.answered(response.status());
    response.body_mut().flight = Some(flight);
    response
}

async fn exchange(
    client: &Rc<Client>,
    site: &Site,
    mut request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Refusal> {
    let upgrade = forward::upgrade(&mut request);
    let (parts, body) = request.into_parts();
    let asked = admit::check(&parts)?; // pure
    let question = Question {
        host: &asked.host,
        path: &asked.path,
        query: asked.query.unwrap_or_default(),
        method: &parts.method,
        headers: &parts.headers,
    };
    let Service::Http(router) = &site.service else { return Err(Refusal::NoRoute) };
    let rule = router.find(&question).ok_or(Refusal::NoRoute)?; // pure
    let pool = rule.split.draw(&mut client.core().dice()).ok_or(Refusal::NoBackend)?; // pure
    let outgoing = Outgoing::new(&asked, &parts, client, upgrade.is_some())?; // pure
    let body = RequestBody::new(body, client.protocol(), &client.activity, client.clock());
    let request = outgoing.request(parts, body, pool.settings.protocol); // pure
    let mut sent = pin!(forward::send(client, pool, request, upgrade)); // IO
    match rule.timeout {
        Some(limit) => tokio::time::timeout(limit, sent.as_mut()).await.map_err(|_| Refusal::TimedOut)?,
        None => sent.await,
    }
}

/// On HTTP/1, a connection that should end does so with this response. On HTTP/2 there is GOAWAY.
fn hang_up_if_asked(client: &Client, response: &mut Response<ResponseBody>) {
    let headers = response.headers_mut();
    match client.protocol() {
        Some(Protocol::Http2) => drop(headers.remove(header::CONNECTION)),
        _ if client.is_retiring() && !headers.contains_key(header::UPGRADE) => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
}
