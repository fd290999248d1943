//! Where a controller is.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::str::FromStr;

/// Where controllers listen, unless told otherwise.
pub const PORT: NonZeroU16 = NonZeroU16::new(7443).unwrap();

/// `HOST`, `HOST:PORT`, an IPv4 address, or an IPv6 address (in brackets when a port follows). The host is
/// also what the controller's certificate has to be for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    pub host: String,
    pub port: NonZeroU16,
    /// The one of the host's addresses that is meant; `None`: any.
    pub address: Option<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no controller; write HOST:PORT, 192.0.2.1:{PORT} or [2001:db8::1]:{PORT}")]
pub struct InvalidEndpoint(String);

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let invalid = || InvalidEndpoint(text.to_owned());
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { host: address.to_string(), port: PORT, address: None });
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(invalid)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| invalid())?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some("")).ok_or_else(invalid)?)
            }
            None => text.split_once(':').unwrap_or((text, "")),
        };
        let port = if port.is_empty() { PORT } else { port.parse().map_err(|_| invalid())? };
        let known = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if host.is_empty() || !host.chars().all(known) {
            return Err(invalid());
        }
        Ok(Self { host: host.to_owned(), port, address: None })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)?;
        } else {
            write!(f, "{}:{}", self.host, self.port)?;
        }
        self.address.map_or(Ok(()), |address| write!(f, " ({address})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_names_or_addresses() {
        let good = [
            ("controller", "controller:7443"),
            ("controller.novaedge-system:99", "controller.novaedge-system:99"),
            ("192.0.2.1", "192.0.2.1:7443"),
            ("192.0.2.1:99", "192.0.2.1:99"),
            ("2001:db8::1", "[2001:db8::1]:7443"),
            ("[2001:db8::1]", "[2001:db8::1]:7443"),
            ("[2001:db8::1]:99", "[2001:db8::1]:99"),
        ];
        for (text, means) in good {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), means);
        }
        for text in ["", ":99", "a:b", "a:0", "[::1", "[::1]x", "[name]:99", "https://a", "a b"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
