//! The streams between controllers and agents, over loopback: both ends are real, what they say is made up.
//!
//! | file | what |
//! |---|---|
//! | [`stage`] | certificates, controllers, agents |
//! | [`content`] | snapshots and reports to send |
//! | [`line`] | a line that can go dead |
//! | the others | one promise each |

mod agents;
mod content;
mod hostile;
mod line;
mod loss;
mod orders;
mod scale;
mod stage;
mod strangers;
