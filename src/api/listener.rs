//! The listeners of a gateway: port, protocol, TLS, and who may come in.

use super::reference::SecretRef;
use super::size::Size;
use super::yes;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One port, or one port and a set of hostnames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("!(self.protocol in ['HTTPS', 'TLS']) || has(self.tls)")
        .message("protocols HTTPS and TLS need a tls block"),
    validation = Rule::new("self.protocol in ['HTTPS', 'TLS'] || !has(self.tls)")
        .message("a tls block belongs to protocols HTTPS and TLS"),
    validation = Rule::new("!has(self.tls) || !has(self.tls.mode) || self.tls.mode != 'Passthrough' || self.protocol == 'TLS'")
        .message("tls mode Passthrough belongs to protocol TLS"),
    validation = Rule::new("!has(self.hostnames) || !(self.protocol in ['TCP', 'UDP'])")
        .message("TCP and UDP carry no hostname"),
    validation = Rule::new("!has(self.sslRedirect) || !self.sslRedirect || self.protocol == 'HTTPS'")
        .message("sslRedirect belongs to an HTTPS listener; it makes the plaintext HTTP listeners redirect to it")
)]
pub struct Listener {
    /// Its name, unique in the gateway; routes refer to it as sectionName.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The port; the VIP must list it.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// What is spoken on it.
    pub protocol: Protocol,
    /// Hostnames it answers to, like www.example.com or *.example.com. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub hostnames: Vec<String>,
    /// Certificates and rules for TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// Makes every plaintext HTTP listener of the gateway redirect to this HTTPS one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_redirect: Option<bool>,
    /// Sends this listener's plaintext HTTP requests elsewhere; replaces the gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_scheme: Option<RedirectScheme>,
    /// Connections begin with a PROXY protocol header that names the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Larger request bodies are answered with 413, like 10Mi. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_request_body_size: Option<Size>,
    /// Client networks that may come in. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_source_ranges: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    Http,
    Https,
    Tcp,
    Tls,
    Udp,
}

/// Certificates and rules for TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("(has(self.mode) && self.mode == 'Passthrough') || has(self.secretRef) || (has(self.certificates) && size(self.certificates) > 0)")
        .message("tls needs a secretRef or certificates to terminate with, or mode Passthrough"),
    validation = Rule::new("!has(self.mode) || self.mode != 'Passthrough' || !(has(self.secretRef) || has(self.certificates) || has(self.clientAuth))")
        .message("with mode Passthrough the backend terminates: it has the certificates and asks for the client's")
)]
pub struct ListenerTls {
    /// Who terminates TLS: this proxy or the backend.
    #[serde(default)]
    pub mode: TlsMode,
    /// The Secret (kubernetes.io/tls) with the certificate for clients that name no other host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// Further certificates, chosen by the name that the client asks for (SNI, RFC 6066 §3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// The oldest version that clients may speak.
    #[serde(default)]
    pub min_version: TlsVersion,
    /// TLS cipher suites by their IANA names, like TLS_AES_128_GCM_SHA256. Default: all that are sound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    /// Whether clients must show a certificate of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_auth: Option<ClientAuth>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TlsMode {
    #[default]
    Terminate,
    Passthrough,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    #[default]
    #[serde(rename = "TLS1.2")]
    Tls12,
    #[serde(rename = "TLS1.3")]
    Tls13,
}

/// A certificate for some of the listener's hostnames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// The Secret (kubernetes.io/tls) with the certificate and its key.
    pub secret_ref: SecretRef,
    /// The names it is used for. Default: those that it carries itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
}

/// Whether clients must show a certificate of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientAuth {
    /// Require refuses clients without a valid certificate; Optional lets those in that show none.
    #[serde(default)]
    pub mode: ClientAuthMode,
    /// The Secret whose key ca.crt holds the authorities that clients' certificates must come from.
    pub ca_secret_ref: SecretRef,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClientAuthMode {
    #[default]
    Require,
    Optional,
}

/// Connections begin with a PROXY protocol header (version 1 or 2) that names the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxyProtocol {
    /// Whether the header is expected. Writing the block asks for it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The load balancers that may name a client; connections from elsewhere are refused.
    #[serde(rename = "trustedCIDRs", default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_cidrs: Vec<String>,
}

/// Sends plaintext HTTP requests elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedirectScheme {
    /// Whether it is on. Writing the block asks for it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The scheme to send clients to.
    #[serde(default)]
    pub scheme: Scheme,
    /// The port to send clients to.
    #[serde(default = "https_port")]
    #[schemars(range(min = 1))]
    pub port: u16,
    /// 301 and 308 may be remembered by clients; 307 and 308 keep the method.
    #[serde(default = "moved_permanently")]
    #[schemars(extend("enum" = [301, 302, 307, 308]))]
    pub status_code: u16,
    /// Path prefixes that are served as they are, like /.well-known/acme-challenge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<String>,
}

fn https_port() -> u16 {
    443
}

fn moved_permanently() -> u16 {
    301
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    Http,
    #[default]
    Https,
}
