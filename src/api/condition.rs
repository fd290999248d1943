//! The words of conditions: types, and the reasons that `compile` gives. Every such word is spelled here
//! and nowhere else, because people's scripts and alerts match on them. (What a node lacks to announce a VIP
//! is an agent's word: `model::status::Reason`.)

use std::fmt;

/// The types of conditions that objects carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The object is well-formed and used.
    Accepted,
    /// Everything that it refers to exists, and may be used.
    ResolvedRefs,
    /// A VIP has all the addresses that it asked for.
    AddressAllocated,
    /// It does what it is for.
    Ready,
    /// It works, but not as well as it should.
    Degraded,
    /// An older object has what it wants.
    Conflicted,
    /// Nothing uses the VIP yet.
    NoListeners,
    /// The routing daemon's version is one that no test of ours has run against.
    DaemonUntested,
    /// A pool shares addresses with another.
    Overlaps,
    /// Nodes listen for the gateway.
    Programmed,
}

impl ConditionType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::AddressAllocated => "AddressAllocated",
            Self::Ready => "Ready",
            Self::Degraded => "Degraded",
            Self::Conflicted => "Conflicted",
            Self::NoListeners => "NoListeners",
            Self::DaemonUntested => "DaemonUntested",
            Self::Overlaps => "Overlaps",
            Self::Programmed => "Programmed",
        }
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an object, or a part of one, is not used, or why a condition is as it is. The message beside it says
/// what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A document of a file could not be read as YAML.
    Unreadable,
    /// The apiVersion or kind is none that NovaEdge knows.
    UnknownKind,
    /// A field that the kind does not have.
    UnknownField,
    /// A value that the field cannot have.
    InvalidValue,
    /// A field that must be there.
    Missing,
    /// Two objects of one kind and name.
    Duplicate,
    /// The behaviour comes with a later version.
    NotSupported,
    /// The object that is referred to does not exist.
    RefNotFound,
    /// The object that is referred to does not allow it.
    RefNotPermitted,
    /// An older object has the address, port, hostname or session.
    Conflicted,
    /// The address is a node's, a peer's, or inside the Service or Pod network.
    AddressInUse,
    /// The pool has no address left.
    PoolExhausted,
    /// The pool no longer contains the address.
    OutOfPool,
    /// The VIP does not list the listener's port.
    PortNotInVip,
    /// The VIP is not open to the namespace.
    NamespaceNotAllowed,
    /// A router id that several nodes would share; each uses its own.
    RouterIdPerNode,
    /// LOCAL_PREF towards another AS (RFC 4271 §5.1.5).
    LocalPreferenceNotSent,
    /// The setting cannot be used as written; another one is used.
    Ignored,
    /// The object is used as it is written.
    Accepted,
    /// Some parts of the object are refused; the rest is used.
    PartlyUsed,
    /// All that the object refers to exists, and may be used.
    ResolvedRefs,
    /// The VIP has the address that is written.
    Written,
    /// The VIP has an address of its pool.
    Allocated,
    /// The pool has not given an address yet.
    AddressPending,
    /// At least one node announces the VIP.
    Announced,
    /// No node announces the VIP.
    NotAnnounced,
    /// The object is refused; `Accepted` says why.
    NotAccepted,
    /// There is no address to announce; `AddressAllocated` says why.
    NoAddress,
    /// No node is a candidate for the VIP.
    NoNodeSelected,
    /// Agents that announced when they were last heard are silent.
    AgentsSilent,
    /// A node's agent is connected.
    AgentConnected,
    /// A node's agent is not connected any more.
    AgentSilent,
    /// No agent has spoken from the node.
    NoAgent,
    /// The node's agent has not said anything about the VIP yet.
    NotReported,
    /// Fewer nodes are healthy than `minHealthyNodes`.
    BelowMinHealthyNodes,
    /// A node that wishes to leave may not, because too few would be left.
    DepartureHeld,
    /// As many nodes as wished are healthy, and nothing is wrong on those that announce.
    EnoughNodes,
    /// No older object has what it wants.
    NoConflict,
    /// Nothing listens on the VIP.
    NoListeners,
    /// A gateway or a Service uses the VIP.
    HasListeners,
    /// A node runs a release of its routing daemon that NovaEdge is not tested with.
    DaemonUntested,
    /// No node is known to.
    DaemonTested,
    /// Nodes listen for the gateway.
    Programmed,
    /// No node listens for all of the gateway.
    NotProgrammed,
    /// The pool can be used.
    Usable,
    /// Another pool has some of the same addresses.
    Overlaps,
    /// No other pool has any of the addresses.
    NoOverlap,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "Unreadable",
            Self::UnknownKind => "UnknownKind",
            Self::UnknownField => "UnknownField",
            Self::InvalidValue => "InvalidValue",
            Self::Missing => "Missing",
            Self::Duplicate => "Duplicate",
            Self::NotSupported => "NotSupported",
            Self::RefNotFound => "RefNotFound",
            Self::RefNotPermitted => "RefNotPermitted",
            Self::Conflicted => "Conflicted",
            Self::AddressInUse => "AddressInUse",
            Self::PoolExhausted => "PoolExhausted",
            Self::OutOfPool => "OutOfPool",
            Self::PortNotInVip => "PortNotInVIP",
            Self::NamespaceNotAllowed => "NamespaceNotAllowed",
            Self::RouterIdPerNode => "RouterIDPerNode",
            Self::LocalPreferenceNotSent => "LocalPreferenceNotSent",
            Self::Ignored => "Ignored",
            Self::Accepted => "Accepted",
            Self::PartlyUsed => "PartlyUsed",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Written => "Written",
            Self::Allocated => "Allocated",
            Self::AddressPending => "AddressPending",
            Self::Announced => "Announced",
            Self::NotAnnounced => "NotAnnounced",
            Self::NotAccepted => "NotAccepted",
            Self::NoAddress => "NoAddress",
            Self::NoNodeSelected => "NoNodeSelected",
            Self::AgentsSilent => "AgentsSilent",
            Self::AgentConnected => "AgentConnected",
            Self::AgentSilent => "AgentSilent",
            Self::NoAgent => "NoAgent",
            Self::NotReported => "NotReported",
            Self::BelowMinHealthyNodes => "BelowMinHealthyNodes",
            Self::DepartureHeld => "DepartureHeld",
            Self::EnoughNodes => "EnoughNodes",
            Self::NoConflict => "NoConflict",
            Self::NoListeners => "NoListeners",
            Self::HasListeners => "HasListeners",
            Self::DaemonUntested => "DaemonUntested",
            Self::DaemonTested => "DaemonTested",
            Self::Programmed => "Programmed",
            Self::NotProgrammed => "NotProgrammed",
            Self::Usable => "Usable",
            Self::Overlaps => "Overlaps",
            Self::NoOverlap => "NoOverlap",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
