//! The clients of one core, and who looks after them.

use super::client::Client;
use crate::proxy::metrics::CoreCounters;
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

pub struct Clients {
    open: HashMap<*const Client, Weak<Client>>,
    counters: Arc<CoreCounters>,
}

impl Clients {
    pub fn new(counters: Arc<CoreCounters>) -> Self {
        Self { open: HashMap::new(), counters }
    }

    pub fn admit(&mut self, client: &Rc<Client>) {
        self.open.insert(Rc::as_ptr(client), Rc::downgrade(client));
        self.counters.connections.set(self.open.len() as u64);
    }

    pub fn dismiss(&mut self, client: &Client) {
        self.open.remove(&std::ptr::from_ref(client));
        self.counters.connections.set(self.open.len() as u64);
    }

    /// All that are open now; held for the length of a sweep, since a woken one may end and be dismissed.
    pub fn all(&self) -> Vec<Rc<Client>> {
        self.open.values().filter_map(Weak::upgrade).collect()
    }
}
