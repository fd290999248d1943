//! The conversation with the kernel: rtnetlink(7).

use super::address::{self, KernelAddress};
use super::steps::{held_by_us, own, report, steps, unmarked};
use super::{Link, LinkError};
use crate::model::observed::Held;
use crate::plan::LinkPlan;
use futures_util::StreamExt;
use rtnetlink::packet_core::{
    ErrorMessage, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, Parseable,
};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::AddressMessage;
use rtnetlink::packet_route::link::{LinkAttribute, LinkMessage};
use rtnetlink::proto::{ConnectionHandle, NetlinkProtoError};
use rtnetlink::sys::{SocketAddr, protocols::NETLINK_ROUTE};
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// Requests in one datagram. Each of them is answered into our receive buffer before we read the first
/// answer; the default buffer (208 KiB) takes about 270 answers.
const BATCH: usize = 64;

/// The kernel answers at once, but for one thing: its global lock (RTNL), which others may hold.
const PATIENCE: Duration = Duration::from_secs(5);

type Message = NetlinkMessage<RouteNetlinkMessage>;

/// The addresses of the network namespace in which it first spoke.
#[derive(Debug, Default)]
pub struct Netlink {
    connection: Option<ConnectionHandle<RouteNetlinkMessage>>,
}

impl Netlink {
    pub fn new() -> Self {
        Self::default()
    }

    /// All addresses of all interfaces.
    pub(super) async fn addresses(&mut self) -> Result<Vec<KernelAddress>, LinkError> {
        let answers = self.ask(vec![address::listing()]).await?;
        let mut found = Vec::new();
        for answer in answers {
            match answer.payload {
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewAddress(message)) => {
                    found.extend(KernelAddress::read(&message));
                }
                NetlinkPayload::Error(error) => return Err(LinkError::List(error.to_io())),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Sends the requests, in order, and returns which addresses were refused, with the kernel's word.
    async fn act(&mut self, requests: Vec<Message>) -> Result<BTreeMap<IpAddr, io::Error>, LinkError> {
        let mut requests = requests.into_iter().peekable();
        let mut failed = BTreeMap::new();
        while requests.peek().is_some() {
            let answers = self.ask(requests.by_ref().take(BATCH).collect()).await?;
            failed.extend(answers.iter().filter_map(refusal));
        }
        Ok(failed)
    }

    pub(super) async fn interface_names(&mut self) -> Result<BTreeMap<u32, String>, LinkError> {
        let mut listing = NetlinkMessage::from(RouteNetlinkMessage::GetLink(LinkMessage::default()));
        listing.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let answers = self.ask(vec![listing]).await?;
        let name = |answer: Message| {
            let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) = answer.payload else {
                return None;
            };
            let index = link.header.index;
            link.attributes.into_iter().find_map(|attribute| match attribute {
                LinkAttribute::IfName(name) => Some((index, name)),
                _ => None,
            })
        };
        Ok(answers.into_iter().filter_map(name).collect())
    }

    /// Sends the requests as one datagram and collects what is answered, until all have been. On an error
    /// the socket is given up, and the next call opens another.
    async fn ask(&mut self, requests: Vec<Message>) -> Result<Vec<Message>, LinkError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => open()?,
        };
        let (asked, kernel) = (requests.len(), SocketAddr::new(0, 0));
        let answers = connection.request_batch(requests, kernel).map_err(LinkError::Broken)?;
        let answers = tokio::time::timeout(PATIENCE, answers.collect::<Vec<_>>())
            .await
            .map_err(|_| LinkError::Silent(PATIENCE))?;
        // Where the socket breaks in between, the answers just end.
        if answers.iter().filter(|answer| ends_a_request(answer)).count() < asked {
            return Err(LinkError::Broken(NetlinkProtoError::ConnectionClosed));
        }
        self.connection = Some(connection);
        Ok(answers)
    }
}

impl Link for Netlink {
    async fn hold(&mut self, plan: &LinkPlan) -> Result<Held, LinkError> {
        let before = self.addresses().await?; // IO
        let todo = steps(&before, plan); // pure
        let failed = self
            .act(
                (todo.remove.iter().map(KernelAddress::removal))
                    // What is new is waited for; what is there has seconds left.
                    .chain(todo.add.iter().map(|&route| address::addition(route, plan.lifetime)))
                    .chain(todo.refresh.iter().map(|&route| address::refreshment(route, plan.lifetime)))
                    .collect(),
            )
            .await?; // IO
        if todo.remove.is_empty() && todo.add.is_empty() && todo.taken.is_empty() && failed.is_empty() {
            // Each refreshment was acknowledged, so what was there is there.
            return Ok(report(plan, &before, &todo.taken, &failed, &BTreeMap::new()));
        }
        let after = self.addresses().await?; // IO
        let bare = unmarked(&after, &todo.add); // pure
        if !bare.is_empty() {
            self.act(bare.iter().map(KernelAddress::removal).collect()).await?;
            return Err(LinkError::MarkLost);
        }
        let interfaces = match todo.taken.is_empty() {
            true => BTreeMap::new(),
            false => self.interface_names().await?, // IO
        };
        Ok(report(plan, &after, &todo.taken, &failed, &interfaces)) // pure
    }

    async fn held(&mut self) -> Result<Held, LinkError> {
        let present = self.addresses().await?;
        Ok(Held { addresses: held_by_us(&present), own: own(&present), ..Held::default() })
    }
}

fn open() -> Result<ConnectionHandle<RouteNetlinkMessage>, LinkError> {
    let (mut connection, handle, _unsolicited) =
        rtnetlink::proto::new_connection(NETLINK_ROUTE).map_err(LinkError::Open)?;
    connection.set_forward_ack(true);
    connection.set_forward_done(true);
    tokio::spawn(connection);
    Ok(handle)
}

fn ends_a_request(answer: &Message) -> bool {
    matches!(answer.payload, NetlinkPayload::Done(_) | NetlinkPayload::Error(_) | NetlinkPayload::Overrun(_))
}

/// Whose request it was that the kernel refused: an error repeats the request (netlink(7)).
fn refusal(answer: &Message) -> Option<(IpAddr, io::Error)> {
    const HEADER: usize = 16;
    let NetlinkPayload::Error(error @ ErrorMessage { code: Some(_), header: request, .. }) = &answer.payload
    else {
        return None;
    };
    let message = AddressMessage::parse(request.get(HEADER..)?).ok()?;
    Some((KernelAddress::read(&message)?.address, error.to_io()))
}
