//! People's words in, configuration out; and who feeds whom.
//!
//! [`show`] turns an agent's answer into tables, [`output`] prints in the format that was asked for.

pub mod output;
pub mod show;
pub mod table;
