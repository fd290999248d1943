//! The blocks of a policy, one per type.

use super::duration::Duration;
use super::reference::SecretRef;
use super::yes;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A token bucket per key and node; what exceeds it is answered with 429 (RFC 6585 §4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("(has(self.key) && self.key == 'Header') == has(self.header)")
        .message("key Header goes with header, the header's name")
)]
pub struct RateLimit {
    /// How many requests an interval has room for.
    #[schemars(range(min = 1))]
    pub requests: u32,
    /// The interval, like 1s or 1m.
    #[serde(default = "one_second")]
    pub interval: Duration,
    /// How many requests may come at once. Default: as many as requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub burst: Option<u32>,
    /// What is counted apart.
    #[serde(default)]
    pub key: RateLimitKey,
    /// The header whose values are counted apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RateLimitKey {
    /// Each client address.
    #[default]
    ClientIP,
    /// Each value of a header.
    Header,
    /// Nothing: all requests together.
    Target,
}

/// Client networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IpList {
    /// Networks and addresses, like 192.0.2.0/24 or 2001:db8::1.
    #[schemars(length(min = 1))]
    pub cidrs: Vec<String>,
}

/// Which other sites' pages may ask (Fetch standard, CORS protocol).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("!has(self.allowCredentials) || !self.allowCredentials || !self.allowOrigins.exists(o, o == '*')")
        .message("allowCredentials cannot go with the origin *; name the origins")
)]
pub struct Cors {
    /// Origins like https://www.example.com, https://*.example.com, or *.
    #[schemars(length(min = 1, max = 64), inner(length(max = 256)))]
    pub allow_origins: Vec<String>,
    /// Methods besides the simple ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Request headers besides the simple ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Response headers that pages may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// Whether cookies and authorization may be sent.
    #[serde(default)]
    pub allow_credentials: bool,
    /// How long a browser may remember the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
}

/// Only with a signed token (RFC 7519), checked against a key set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("has(self.jwksURI) != has(self.jwksSecretRef)")
        .message("give exactly one of jwksURI and jwksSecretRef")
)]
pub struct Jwt {
    /// The issuer that tokens must name (iss).
    pub issuer: String,
    /// Audiences of which tokens must name one (aud). Default: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// Where the key set is fetched from.
    #[serde(rename = "jwksURI", default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://.+$"))]
    pub jwks_uri: Option<String>,
    /// The Secret whose key jwks.json holds the key set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_secret_ref: Option<SecretRef>,
    /// The header that carries the token, after "Bearer " in Authorization.
    #[serde(default = "authorization")]
    pub header: String,
    /// Claims that are passed on to the backend as headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claim_headers: Vec<ClaimHeader>,
    /// How far clocks may differ.
    #[serde(default = "one_minute")]
    pub clock_skew: Duration,
}

fn authorization() -> String {
    "Authorization".to_owned()
}

fn one_minute() -> Duration {
    Duration::from_secs(60)
}

/// A claim that is passed on as a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimHeader {
    /// The claim, like sub.
    pub claim: String,
    /// The header, like X-User.
    pub header: String,
}

/// Only with name and password (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BasicAuth {
    /// The Secret whose key auth holds lines as htpasswd writes them (bcrypt or SHA-2).
    pub secret_ref: SecretRef,
    /// What the browser shows when it asks.
    #[serde(default = "realm")]
    pub realm: String,
}

fn realm() -> String {
    "Restricted".to_owned()
}

/// Only what another service lets in: it gets the request without its body, and answers 2xx to let it
/// pass. Any other answer goes to the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForwardAuth {
    /// The service, like http://auth.example.com/verify.
    #[schemars(regex(pattern = r"^https?://.+$"))]
    pub url: String,
    /// How long it may take; no answer in time is a refusal.
    #[serde(default = "five_seconds")]
    pub timeout: Duration,
    /// The request headers that it sees. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_headers: Vec<String>,
    /// Headers of its answer that are passed on to the backend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<String>,
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

/// Headers that tell browsers to be careful. A header that a backend sets itself is left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityHeaders {
    /// Strict-Transport-Security (RFC 6797), on HTTPS listeners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hsts: Option<Hsts>,
    /// X-Frame-Options, like DENY or SAMEORIGIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_options: Option<String>,
    /// X-Content-Type-Options: nosniff.
    #[serde(default)]
    pub content_type_nosniff: bool,
    /// Referrer-Policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer_policy: Option<String>,
    /// Content-Security-Policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_security_policy: Option<String>,
    /// Permissions-Policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_policy: Option<String>,
}

/// Strict-Transport-Security (RFC 6797).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hsts {
    /// How long browsers insist on HTTPS, like 8760h.
    pub max_age: Duration,
    /// Whether it holds for all subdomains.
    #[serde(default = "yes")]
    pub include_subdomains: bool,
    /// Whether browsers' makers may build it in.
    #[serde(default)]
    pub preload: bool,
}
