//! Short names for content: equal content, equal name, on every machine and in every version.

/// FNV-1a, 64 bits. Not for secrets; the standard library's hasher promises no stable values.
pub fn digest(content: &str) -> u64 {
    content.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
