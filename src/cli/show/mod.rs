//! A node's status as tables, and an estate's. Pure: the status and the time in, text out.
//!
//! | file | command |
//! |---|---|
//! | [`node`] | `status`: the whole at a glance, and what is wrong |
//! | [`vip`] | `vip status` |
//! | [`bgp`] | `bgp status`, by the names of FRR's `show bgp summary` |
//! | [`ospf`] | `ospf status`, by the names of `show ip ospf neighbor` |
//! | [`bfd`] | `bfd status` |
//! | [`backend`] | `backend status` |
//! | [`departure`] | `drain`, `undrain` |
//! | [`estate`](mod@estate) | `novaedgectl status` |
//! | [`estate_vip`](mod@estate_vip) | `novaedgectl vip show` |
//! | [`chain`] | `novaedgectl vip explain` |

mod backend;
mod bfd;
mod bgp;
mod chain;
mod departure;
mod estate;
mod estate_vip;
mod node;
mod ospf;
mod vip;

pub use backend::backend_status;
pub use bfd::bfd_status;
pub use bgp::bgp_status;
pub use chain::explanation;
pub use departure::{departure, has_left_all, is_answered, is_leaving_all};
pub use estate::{condition, estate, estate_problems, is};
pub use estate_vip::estate_vip;
pub use node::{problems, status};
pub use ospf::{neighbors_are_well, ospf_status};
pub use vip::vip_status;

/// A span of time in its two largest units, as kubectl prints ages: `12s`, `2m10s`, `3h5m`, `2d3h`.
fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let Some(first) = units.iter().position(|(length, _)| seconds >= *length) else {
        return "0s".to_owned();
    };
    let mut rest = seconds;
    let mut text = String::new();
    for (length, unit) in units.iter().skip(first).take(2) {
        if rest >= *length {
            text += &format!("{}{unit}", rest / length);
        }
        rest %= length;
    }
    text
}

/// `1 of 2`.
fn of(some: usize, all: usize) -> String {
    format!("{some} of {all}")
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_read_as_kubectl_prints_them() {
        let cases = [
            (0, "0s"),
            (12, "12s"),
            (60, "1m"),
            (130, "2m10s"),
            (3_600, "1h"),
            (3_605, "1h"),
            (11_100, "3h5m"),
            (183_600, "2d3h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(span(seconds), text);
        }
    }
}
