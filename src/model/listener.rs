//! What the proxy accepts, and where it goes.

use super::http::{VirtualHost, WeightedBackend};
use super::name::Name;
use super::net::Port;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

/// A VIP and one of its ports.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListenerKey {
    pub vip: Name,
    pub port: Port,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a listener; write VIP:PORT")]
pub struct InvalidListenerKey(String);

impl TryFrom<String> for ListenerKey {
    type Error = InvalidListenerKey;
    fn try_from(text: String) -> Result<Self, InvalidListenerKey> {
        let parsed = text
            .rsplit_once(':')
            .and_then(|(vip, port)| Some(Self { vip: Name::parse(vip).ok()?, port: port.parse().ok()? }));
        parsed.ok_or(InvalidListenerKey(text))
    }
}

impl From<ListenerKey> for String {
    fn from(key: ListenerKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for ListenerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.vip, self.port)
    }
}

impl fmt::Debug for ListenerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One port of one VIP. Gateways that share it have been merged by `compile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Where it answers: the VIP's addresses and, while an edit is under way, the ones it had before.
    pub addresses: BTreeSet<IpAddr>,
    pub serves: Serves,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Serves {
    /// HTTP/1.1, and HTTP/2 by prior knowledge. In the order in which hostnames are tried: exact,
    /// longest wildcard, any.
    Http(Vec<VirtualHost>),
    /// Bytes, to one of the backends by weight.
    Tcp(Vec<WeightedBackend>),
}
